#include "model_summary.h"

#include <cstdio>

#include "../lme.h"
#include "../summary.h"

namespace levin::inline v0 {

void ModelSummary::on_fit_start(Trainer&, LME& model) {
  const std::string table = model_summary_table(model.base_model());
  std::fwrite(table.data(), 1, table.size(), stderr);
}

}  // namespace levin::inline v0

#include "model_summary.h"

#include "../lme.h"
#include "../log.h"
#include "../summary.h"

namespace levin::inline v0 {

void ModelSummary::on_fit_start(Trainer&, LME& model) {
  std::string table = model_summary_table(model.base_model());
  table.pop_back();  // a log line ends by itself
  log_info({"the model:\n", table});
}

}  // namespace levin::inline v0

#include "model_summary.h"

#include "../../kernels/check.h"
#include "../console/log.h"
#include "../console/summary.h"
#include "../lme.h"

namespace levin::inline v0 {

ModelSummary::ModelSummary(ModelSummaryOptions options) : max_depth_(options.max_depth) {
  check(max_depth_ >= -1, {"`max_depth` can be -1, 0 or > 0, got ", max_depth_, "."});
}

void ModelSummary::on_fit_start(Trainer&, LME& model) {
  if (max_depth_ == 0) return;
  std::string table = model_summary_table(model, max_depth_);
  table.pop_back();  // a log line ends by itself
  log_info({"the model:\n", table});
}

}  // namespace levin::inline v0

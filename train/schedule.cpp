// Learning-rate schedulers in a fit.
#include <algorithm>

#include "../kernels/check.h"
#include "files/text.h"
#include "trainer.h"

namespace levin::inline v0 {

// Before anything is written: monitors that no metric has, schedulers of other optimizers.
void Trainer::check_schedulers() const {
  const auto& optimizers = model_->optimizer.list();
  for (const SchedulerConfig& config : model_->scheduler.list()) {
    const bool own = std::any_of(optimizers.begin(), optimizers.end(), [&](const auto& optimizer) {
      return optimizer->is_same(*config.scheduler->optimizer());
    });
    check(own, {"model.scheduler: the ", config.scheduler->type_name(),
                "'s optimizer is none of the model's"});
    if (config.monitor.empty()) continue;
    const bool of_validation = config.monitor.starts_with("val_");
    const std::string name = config.monitor.substr(of_validation ? 4 : 0);
    std::vector<std::string> known = {"loss"};
    for (const NamedMetric& metric : model_->metrics) known.push_back(metric.name);
    check(std::find(known.begin(), known.end(), name) != known.end(),
          {"Monitor: ", config.monitor, " not in metrics: ", python_list(known)});
    check(!of_validation || has_validation(),
          {"Monitor: ", name, " but no validation set provided"});
  }
}

// Those of epochs step at the start of every epoch but the first, by the values of the one before;
// where a monitored value is missing (an epoch without validation) they wait.
void Trainer::step_schedulers(bool per_step) {
  const int64_t count = per_step ? at_.global_step : at_.epoch;
  for (const SchedulerConfig& config : model_->scheduler.list()) {
    if ((config.interval == "step") != per_step || count % config.frequency != 0) continue;
    std::optional<double> value;
    if (!config.monitor.empty()) {
      value = callback_metric(config.monitor);
      if (!value) continue;
    }
    config.scheduler->step(value);
  }
}

}  // namespace levin::inline v0

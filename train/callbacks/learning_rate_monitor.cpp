#include "learning_rate_monitor.h"

#include <algorithm>

#include "../../kernels/check.h"
#include "../console/log.h"
#include "../trainer.h"

namespace levin::inline v0 {
namespace {

struct NamedOptimizer {
  std::string name;
  optim::AnyOptimizer optimizer;
  std::string interval;
};

// Those that schedulers change, by the name of the scheduler's config where it has one; then the
// others.
std::vector<NamedOptimizer> named_optimizers(const LME& model) {
  std::vector<NamedOptimizer> all;
  std::vector<std::string> types;  // of those that have no name of their own
  const auto add = [&](const std::string& name, const optim::AnyOptimizer& optimizer,
                       const std::string& interval) {
    std::string shown = name;
    if (name.empty()) {
      const std::string type = optimizer->type_name();
      const auto before = std::count(types.begin(), types.end(), type);
      shown = "lr-" + type + (before > 0 ? "-" + std::to_string(before) : "");
      types.push_back(type);
    }
    for (const NamedOptimizer& other : all)
      check(other.name != shown, {"LearningRateMonitor: two schedulers have the name ", shown});
    all.push_back({shown, optimizer, interval});
  };
  for (const SchedulerConfig& config : model.scheduler.list())
    add(config.name, config.scheduler->optimizer(), config.interval);
  const std::size_t scheduled = all.size();
  for (const optim::AnyOptimizer& optimizer : model.optimizer.list()) {
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(scheduled);
    if (std::none_of(all.begin(), end,
                     [&](const auto& one) { return one.optimizer->is_same(*optimizer); }))
      add("", optimizer, "epoch");
  }
  return all;
}

}  // namespace

LearningRateMonitor::LearningRateMonitor(LearningRateMonitorOptions options)
    : options_(std::move(options)) {
  const std::string& interval = options_.logging_interval;
  check(interval.empty() || interval == "step" || interval == "epoch",
        {"logging_interval should be `step` or `epoch` or `None`, not '", interval, "'."});
}

void LearningRateMonitor::setup(Trainer& trainer, LME&) {
  const bool needs_none = trainer.options().fast_dev_run > 0 || trainer.options().barebones;
  check(needs_none || trainer.function() != TrainerFn::fit || !trainer.loggers().empty(),
        {"Cannot use `LearningRateMonitor` callback with `Trainer` that has no logger."});
}

void LearningRateMonitor::on_fit_start(Trainer&, LME& model) {
  const auto optimizers = named_optimizers(model);  // throws where names clash
  const bool lacks = std::any_of(optimizers.begin(), optimizers.end(),
                                 [](const auto& one) { return !one.optimizer->momentum(0); });
  if (options_.log_momentum && lacks)
    log_warning(
        {"You have set log_momentum=True, but some optimizers do not have momentum. This will log "
         "a value 0 for the momentum."});
}

void LearningRateMonitor::on_train_epoch_start(Trainer& trainer, LME& model) {
  log_rates(trainer, model, "epoch");
}

void LearningRateMonitor::on_train_batch_start(Trainer& trainer, LME& model, const data::Batch&,
                                               int64_t) {
  const int64_t every = trainer.options().log_every_n_steps;
  if (every > 0 && (trainer.batches_done() + 1) % every == 0) log_rates(trainer, model, "step");
}

void LearningRateMonitor::log_rates(Trainer& trainer, const LME& model,
                                    const std::string& interval) const {
  const bool per_step = interval == "step";
  const LogOptions options{.on_step = per_step, .on_epoch = !per_step};
  for (const auto& [name, optimizer, own_interval] : named_optimizers(model)) {
    const std::string& asked = options_.logging_interval;
    if ((asked.empty() ? own_interval : asked) != interval) continue;
    const int groups = optimizer->group_count();
    for (int i = 0; i < groups; ++i) {
      const std::string shown = groups > 1 ? name + "/pg" + std::to_string(i + 1) : name;
      trainer.log(shown, optimizer->lr(i), options);
      if (options_.log_momentum)
        trainer.log(shown + "-momentum", optimizer->momentum(i).value_or(0), options);
      if (options_.log_weight_decay)
        trainer.log(shown + "-weight_decay", optimizer->weight_decay(i).value_or(0), options);
    }
  }
}

}  // namespace levin::inline v0

// A model's state from a checkpoint, and a model's copy.
#include "checkpoint_state.h"
#include "console/log.h"
#include "files/text.h"
#include "lme.h"

namespace levin::inline v0 {
namespace {

std::string counted(std::size_t count, const char* what) {
  return ", " + std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

}  // namespace

LME& LME::load_from_checkpoint(const std::string& path) {
  return load_from_checkpoint(load_checkpoint_file(path), path);
}

LME& LME::load_from_checkpoint(const Checkpoint& checkpoint, const std::string& name) {
  const Value& state = checkpoint.state;
  std::string loaded = "weights";
  ModelGuard guard(*this);
  load_state_dict(checkpoint.with_prefix("state_dict."));
  const Value* hyper_parameters = state.find("hyper_parameters");
  if (hyper_parameters) loaded += counted(hyper_parameters->size(), "hyper_parameter");
  if (const Value* kept = state.find("optimizer_states"); kept && kept->size() > 0) {
    if (optimizer) {
      restore_optimizers(*this, checkpoint);
      loaded += counted(kept->size(), "optimizer");
    } else {
      log_warning(
          {"'optimizer_states' key found in checkpoint but no model.optimizer was set. Skipping."});
    }
  }
  if (const Value* kept = state.find("lr_schedulers"); kept && kept->size() > 0) {
    if (scheduler) {
      restore_schedulers(*this, checkpoint);
      loaded += counted(kept->size(), "scheduler");
    } else {
      log_warning(
          {"'lr_schedulers' key found in checkpoint but no model.scheduler was set. Skipping."});
    }
  }
  if (hyper_parameters)
    for (const auto& [key, value] : hyper_parameters->as_map()) hparams[key] = value;
  guard.keep();
  log_info({"Loaded state from '", name, "'. Loaded state for: ", loaded});
  return *this;
}

std::unique_ptr<LME> LME::clone() const {
  return copied_into(std::make_unique<LME>(base_model_copy()));
}

namespace {

// Optimizers are handles too: a user may hold another one of the model's.
optim::AnyScheduler rebound(const optim::LRScheduler& scheduler, const OptimizerProperty& own,
                            const std::vector<optim::AnyOptimizer>& copies) {
  for (std::size_t i = 0; i < copies.size(); ++i)
    if (own.list()[i]->is_same(*scheduler.optimizer())) return scheduler.rebound(copies[i]);
  fail(
      {"clone: the optimizer of the scheduler ", scheduler.type_name(), " is none of the model's"});
}

}  // namespace

std::unique_ptr<LME> LME::copied_into(std::unique_ptr<LME> copy) const {
  const LME& other = *copy;
  if (typeid(*this) != typeid(other))
    fail(Fault::order, {type_name(), ": a class that derives from LME must override clone()"});
  const std::vector<Tensor> own = parameters(), copied = copy->parameters();
  check(own.size() == copied.size(),
        {"clone: the copy has ", copied.size(), " parameters, the model ", own.size()});
  const auto counterpart = [&](const Tensor& parameter) {
    for (std::size_t i = 0; i < own.size(); ++i)
      if (own[i].is_same(parameter)) return copied[i];
    fail({"clone: an optimizer has a parameter of shape ", parameter.shape(),
          " that is none of the model's"});
  };
  if (criterion_fn) copy->criterion_fn.set(AnyMetric(criterion_fn.metric()->clone()));
  std::vector<NamedMetric> copied_metrics;
  for (const auto& [name, metric] : metrics)
    copied_metrics.push_back({name, AnyMetric(metric->clone())});
  copy->metrics = std::move(copied_metrics);
  std::vector<optim::AnyOptimizer> optimizers;
  for (const optim::AnyOptimizer& each : optimizer.list())
    optimizers.push_back(each->rebound(counterpart));
  std::vector<SchedulerConfig> schedulers = scheduler.list();
  for (SchedulerConfig& config : schedulers)
    config.scheduler = rebound(*config.scheduler, optimizer, optimizers);
  if (!optimizers.empty()) copy->optimizer = std::move(optimizers);
  if (!schedulers.empty()) copy->scheduler = std::move(schedulers);
  copy->model_algorithm = model_algorithm;
  copy->checkpoint_monitors = checkpoint_monitors.list();
  copy->hparams = hparams;
  copy->weigh_batches = weigh_batches;
  copy->save_weights_only_monitor_ckpts = save_weights_only_monitor_ckpts;
  return copy;
}

}  // namespace levin::inline v0

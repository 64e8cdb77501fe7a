#include "lme_properties.h"

#include <algorithm>

#include "../kernels/check.h"
#include "callbacks/metadata.h"
#include "console/log.h"
#include "files/text.h"

namespace levin::inline v0 {

Tensor CriterionProperty::operator()(const Tensor& y, const Tensor& gt) const {
  if (!metric_)
    fail(Fault::order,
         {"No criterion fn was implemented. Use model.criterion_fn=XXX or a different "
          "model.model_algorithm that includes a loss function"});
  const Where where("criterion_fn", "loss");
  MetricResult result = metric_->forward(y, gt);
  check(result.tensor().defined(), {"it gave no tensor"});
  return result.tensor();
}

CriterionProperty& CriterionProperty::set(AnyMetric metric) {
  check(static_cast<bool>(metric), {"model.criterion_fn: an empty metric"});
  note_assignment();
  metric_ = std::move(metric);
  return *this;
}

OptimizerProperty& OptimizerProperty::operator=(optim::AnyOptimizer optimizer) {
  return *this = std::vector<optim::AnyOptimizer>{std::move(optimizer)};
}

OptimizerProperty& OptimizerProperty::operator=(std::vector<optim::AnyOptimizer> optimizers) {
  check(!optimizers.empty(), {"model.optimizer: an empty list"});
  for (const optim::AnyOptimizer& optimizer : optimizers)
    check(static_cast<bool>(optimizer), {"model.optimizer: an empty handle"});
  note_assignment();
  optimizers_ = std::move(optimizers);
  return *this;
}

optim::Optimizer* OptimizerProperty::operator->() const {
  if (optimizers_.size() != 1)
    fail(Fault::order, {"model.optimizer: there are ", optimizers_.size(), ", use list()"});
  return optimizers_[0].get();
}

OptimizerProperty::operator optim::AnyOptimizer() const {
  operator->();
  return optimizers_[0];
}

SchedulerProperty& SchedulerProperty::operator=(SchedulerConfig config) {
  check(optimizer_.list().size() <= 1,
        {"Can have scheduler only with 1 optimizer: there are ", optimizer_.list().size(),
         ", give a list of schedulers, one for each"});
  return *this = std::vector<SchedulerConfig>{std::move(config)};
}

SchedulerProperty& SchedulerProperty::operator=(std::vector<SchedulerConfig> configs) {
  for (const SchedulerConfig& config : configs) {
    check(static_cast<bool>(config.scheduler),
          {"Use model.scheduler={\"scheduler\": sch, [\"monitor\": ...]} (or a list of dicts if >1 "
           "optimizers): the scheduler is missing"});
    check(config.interval == "epoch" || config.interval == "step",
          {"model.scheduler: interval '", config.interval, "': 'epoch' or 'step' is needed"});
    check(config.frequency >= 1,
          {"model.scheduler: frequency ", config.frequency, ": at least 1 is needed"});
    check(!config.scheduler->needs_metric() || !config.monitor.empty(),
          {"model.scheduler: ", config.scheduler->type_name(), " needs a monitor"});
  }
  configs_ = std::move(configs);
  return *this;
}

optim::LRScheduler* SchedulerProperty::operator->() const {
  if (configs_.size() != 1)
    fail(Fault::order, {"model.scheduler: there are ", configs_.size(), ", use list()"});
  return configs_[0].scheduler.get();
}

MetricsProperty& MetricsProperty::operator=(std::vector<NamedMetric> metrics) {
  std::vector<std::string> names;
  for (const auto& [name, metric] : metrics) {
    check(name != "loss",
          {"model.metrics: 'loss' is not a valid metric name, it is the criterion's"});
    check(!name.starts_with("val_"),
          {"model.metrics: metrics cannot start with val_: '", name, "'"});
    check(!name.empty() && name != "epoch" && name != "step" && name.find('/') == std::string::npos,
          {"model.metrics: '", name, "' is not a valid metric name"});
    check(static_cast<bool>(metric), {"model.metrics: '", name, "' has no metric"});
    check(std::find(names.begin(), names.end(), name) == names.end(),
          {"model.metrics: '", name, "' comes twice"});
    names.push_back(name);
  }
  note_assignment();
  metrics_ = std::move(metrics);
  return *this;
}

bool MetricsProperty::contains(std::string_view name) const {
  return std::any_of(begin(), end(),
                     [&](const NamedMetric& metric) { return metric.name == name; });
}

std::optional<AlgorithmOutput> AlgorithmProperty::operator()(LME& model,
                                                             const data::Batch& batch) const {
  if (!function_)
    fail(Fault::order, {"Use model.model_algorithm=xxx to define your forward & metrics function"});
  return function_(model, batch);
}

CallbacksProperty& CallbacksProperty::operator=(std::vector<AnyCallback> callbacks) {
  std::vector<AnyCallback> distinct;
  for (AnyCallback& callback : callbacks) {
    check(static_cast<bool>(callback), {"model.callbacks: an empty handle"});
    check(!dynamic_cast<MetadataCallback*>(callback.get()),
          {"model.callbacks: a MetadataCallback: every model has one already"});
    if (std::find(distinct.begin(), distinct.end(), callback) == distinct.end())
      distinct.push_back(std::move(callback));
  }
  callbacks_ = std::move(distinct);
  return *this;
}

CallbacksProperty& CallbacksProperty::operator+=(AnyCallback callback) {
  std::vector<AnyCallback> all = callbacks_;
  all.push_back(std::move(callback));
  return *this = std::move(all);
}

MonitorsProperty& MonitorsProperty::operator=(std::vector<std::string> monitors) {
  check(std::find(monitors.begin(), monitors.end(), "loss") != monitors.end(),
        {"'loss' must be in checkpoint monitors. Got: ", python_list(monitors)});
  std::vector<std::string> known;
  for (const NamedMetric& metric : metrics_) known.push_back(metric.name);
  for (const std::string& monitor : monitors) {
    check(monitor == "loss" || metrics_.contains(monitor),
          {"Not in metrics: {'", monitor, "'} (metrics: ", python_list(known), ")"});
    check(std::count(monitors.begin(), monitors.end(), monitor) == 1,
          {"model.checkpoint_monitors: '", monitor, "' comes twice"});
  }
  monitors_ = std::move(monitors);
  return *this;
}

}  // namespace levin::inline v0

// The members of LME that a user assigns. Each checks what it is given, when it is given.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "../optim/lr_scheduler.h"
#include "../optim/optimizer.h"
#include "callback.h"

namespace levin::inline v0 {

/// Counts how often it was assigned: compiled steps must know.
class Assigned {
 public:
  int64_t assignments() const { return assignments_; }

 protected:
  void note_assignment() { ++assignments_; }

 private:
  int64_t assignments_ = 0;
};

/// model.criterion_fn: the loss, (y, gt) -> one number.
class CriterionProperty : public Assigned {
 public:
  template <class F>
  requires std::invocable<F&, const Tensor&, const Tensor&> CriterionProperty& operator=(
      F function) {
    return set(CallableCoreMetric(std::move(function), false, true));
  }
  /// A metric: its forward() is the loss. (nn::MSELoss() and the like are functions too.)
  template <class M>
  requires std::is_base_of_v<CoreMetric, std::remove_cvref_t<M>> CriterionProperty& operator=(
      M&& metric) {
    return set(AnyMetric(std::forward<M>(metric)));
  }
  template <class M>
  requires std::is_base_of_v<CoreMetric, M> CriterionProperty& operator=(
      std::shared_ptr<M> metric) {
    return set(AnyMetric(std::move(metric)));
  }
  /// Throws std::logic_error where none was assigned, std::invalid_argument where it gives no
  /// tensor.
  Tensor operator()(const Tensor& y, const Tensor& gt) const;
  explicit operator bool() const { return static_cast<bool>(metric_); }
  const AnyMetric& metric() const { return metric_; }
  /// Throws std::invalid_argument for an empty one.
  CriterionProperty& set(AnyMetric metric);

 private:
  AnyMetric metric_;
};

/// model.optimizer: one, or a list; all step after one backward.
class OptimizerProperty : public Assigned {
 public:
  OptimizerProperty& operator=(optim::AnyOptimizer optimizer);
  OptimizerProperty& operator=(std::vector<optim::AnyOptimizer> optimizers);
  const std::vector<optim::AnyOptimizer>& list() const { return optimizers_; }
  explicit operator bool() const { return !optimizers_.empty(); }
  /// The only one. Throws std::logic_error where there are none or several.
  optim::Optimizer* operator->() const;
  /// The same, as what a scheduler takes: `optim::StepLR(model.optimizer, {.step_size = 2})`.
  operator optim::AnyOptimizer() const;

 private:
  std::vector<optim::AnyOptimizer> optimizers_;
};

/// A scheduler and when it steps.
struct SchedulerConfig {
  optim::AnyScheduler scheduler;
  std::string monitor = {};        ///< the metric whose value it gets; empty: none
  std::string interval = "epoch";  ///< or "step": after every update
  int64_t frequency = 1;           ///< every so many epochs or steps
  std::string name = {};           ///< in logs; empty: "lr-<optimizer>"
};

/// model.scheduler: `{.scheduler = optim::StepLR(..), .monitor = "val_loss"}`, or a list of them.
class SchedulerProperty {
 public:
  explicit SchedulerProperty(const OptimizerProperty& optimizer) : optimizer_(optimizer) {}
  /// Throws std::invalid_argument for an empty scheduler, one that needs a monitor and has none, an
  /// interval or frequency that means nothing; and for one config where there are several
  /// optimizers.
  SchedulerProperty& operator=(SchedulerConfig config);
  SchedulerProperty& operator=(std::vector<SchedulerConfig> configs);
  const std::vector<SchedulerConfig>& list() const { return configs_; }
  explicit operator bool() const { return !configs_.empty(); }
  /// The only one. Throws std::logic_error where there are none or several.
  optim::LRScheduler* operator->() const;

 private:
  const OptimizerProperty& optimizer_;
  std::vector<SchedulerConfig> configs_;
};

/// model.metrics: `{{"l1", {function, "min"}}, {"accuracy", {function, "max"}}}`, in that order.
class MetricsProperty : public Assigned {
 public:
  /// Throws std::invalid_argument for the name "loss", names that start with "val_", and names that
  /// come twice.
  MetricsProperty& operator=(std::vector<NamedMetric> metrics);
  MetricsProperty& operator=(std::initializer_list<NamedMetric> metrics) {
    return *this = std::vector<NamedMetric>(metrics);
  }
  const std::vector<NamedMetric>& list() const { return metrics_; }
  auto begin() const { return metrics_.begin(); }
  auto end() const { return metrics_.end(); }
  std::size_t size() const { return metrics_.size(); }
  bool contains(std::string_view name) const;

 private:
  std::vector<NamedMetric> metrics_;
};

/// model.model_algorithm: what happens with a batch.
class AlgorithmProperty : public Assigned {
 public:
  template <class F>
  requires std::is_invocable_r_v<std::optional<AlgorithmOutput>, F&, LME&, const data::Batch&>
      AlgorithmProperty& operator=(F function) {
    note_assignment();
    function_ = std::move(function);
    return *this;
  }
  /// Throws std::logic_error where none was assigned.
  std::optional<AlgorithmOutput> operator()(LME& model, const data::Batch& batch) const;

 private:
  ModelAlgorithm function_;
};

/// model.callbacks: the user's, in order; duplicates are dropped.
class CallbacksProperty {
 public:
  /// Throws std::invalid_argument for an empty handle and for a MetadataCallback, which every model
  /// has already.
  CallbacksProperty& operator=(std::vector<AnyCallback> callbacks);
  CallbacksProperty& operator=(std::initializer_list<AnyCallback> callbacks) {
    return *this = std::vector<AnyCallback>(callbacks);
  }
  const std::vector<AnyCallback>& list() const { return callbacks_; }
  /// Appends one: Python's `model.callbacks += [..]`.
  CallbacksProperty& operator+=(AnyCallback callback);

 private:
  std::vector<AnyCallback> callbacks_;
};

/// model.checkpoint_monitors: the metrics whose best epoch is kept as a checkpoint, "loss" among
/// them.
class MonitorsProperty {
 public:
  explicit MonitorsProperty(const MetricsProperty& metrics) : metrics_(metrics) {}
  /// Throws std::invalid_argument where "loss" is missing, a name is no declared metric or comes
  /// twice.
  MonitorsProperty& operator=(std::vector<std::string> monitors);
  MonitorsProperty& operator=(std::initializer_list<std::string> monitors) {
    return *this = std::vector<std::string>(monitors);
  }
  const std::vector<std::string>& list() const { return monitors_; }

 private:
  const MetricsProperty& metrics_;
  std::vector<std::string> monitors_ = {"loss"};
};

}  // namespace levin::inline v0

// LRScheduler: what all learning-rate schedules have. SchedulerState: what a checkpoint keeps of one.
#pragma once

#include <cstdint>

#include "optimizer.h"

namespace levin::inline v0::optim {

/// Numbers by name: "last_epoch", "base_lrs.0".
using SchedulerState = std::vector<std::pair<std::string, double>>;

class LRScheduler;
/// A scheduler of any type; copies share it.
using AnyScheduler = Handle<LRScheduler>;

/// Receives the numbers that a scheduler names, to save or to set them.
class Fields {
 public:
  virtual ~Fields() = default;
  virtual void operator()(const std::string& name, double& number) = 0;
  /// Lists keep their length when they are set.
  template <class Number>
  void operator()(const std::string& name, std::vector<Number>& numbers) {
    for (std::size_t i = 0; i < numbers.size(); ++i)
      (*this)(name + "." + std::to_string(i), numbers[i]);
  }
  /// The numbers of a scheduler that another is made of: "_schedulers.0.last_epoch".
  void part(const std::string& name, LRScheduler& scheduler);
  template <class Number>
  requires std::is_arithmetic_v<Number>
  void operator()(const std::string& name, Number& number) {
    auto real = static_cast<double>(number);
    (*this)(name, real);
    number = static_cast<Number>(real);
  }
};

/// Sets the learning rates of an optimizer's groups, from one step() to the next. Schedules that
/// multiply the present rate keep what a user sets in between, as PyTorch's do. Groups that are
/// added to the optimizer later are left alone.
class LRScheduler {
 public:
  virtual ~LRScheduler() = default;

  /// Goes on by one epoch (or whatever the caller counts). `metric` is for those that watch one;
  /// others ignore it.
  virtual void step(std::optional<double> metric = {});
  /// How many steps were made.
  int64_t last_epoch() const { return last_epoch_; }
  /// The rates of the groups after the last step.
  const std::vector<double>& get_last_lr() const { return last_lr_; }
  /// "StepLR"; the class's name.
  virtual std::string type_name() const;
  /// What a reduction multiplies the rate by, where the scheduler has one such number.
  virtual std::optional<double> factor() const { return {}; }
  /// Must step() be given a metric now?
  virtual bool needs_metric() const { return false; }
  /// All numbers but the optimizer's own, and no functions.
  SchedulerState state_dict() const;
  /// Throws std::invalid_argument where the state is of another scheduler or number of groups; then
  /// nothing changes. The optimizer's rates are in its own state.
  void load_state_dict(const SchedulerState& state);
  /// The same schedule at the same place for another optimizer. A class of one's own returns
  /// `rebound_copy(*this, optimizer)`; without that it throws std::logic_error.
  virtual AnyScheduler rebound(const AnyOptimizer& optimizer) const;
  const AnyOptimizer& optimizer() const { return optimizer_; }
  /// Epoch 0 again, from the optimizer's present rates.
  virtual void restart();
  /// Names what state_dict() keeps. A class of one's own calls its base's first.
  virtual void fields(Fields& fields);

 protected:
  /// Throws std::invalid_argument for an empty handle. The first scheduler of an optimizer makes the
  /// present rates the initial ones.
  explicit LRScheduler(AnyOptimizer optimizer);
  /// The last line of a constructor: sets the rates of epoch 0.
  void start() { set_rates(); }
  /// The group's rate in epoch last_epoch(), from that of the epoch before, lr(group).
  virtual double next_lr(int group) const { return lr(group); }
  /// Its momentum, where the schedule has one.
  virtual std::optional<double> next_momentum(int /*group*/) const { return {}; }
  /// Another optimizer takes this one's place.
  virtual void attach(const AnyOptimizer& optimizer) { optimizer_ = optimizer; }

  int group_count() const { return static_cast<int>(base_lrs_.size()); }
  double lr(int group) const { return optimizer_->lr(group); }
  double base_lr(int group) const { return base_lrs_[group]; }
  void set_rates();
  void note_rates();

  template <class Scheduler>
  AnyScheduler rebound_copy(const Scheduler& scheduler, const AnyOptimizer& optimizer) const {
    check_rebound(typeid(scheduler) == typeid(Scheduler), optimizer);
    Scheduler copy = scheduler;
    static_cast<LRScheduler&>(copy).attach(optimizer);
    return copy;
  }

  AnyOptimizer optimizer_;
  int64_t last_epoch_ = 0;
  std::vector<double> base_lrs_, last_lr_;

 private:
  void check_rebound(bool copied, const AnyOptimizer& optimizer) const;
};

}  // namespace levin::inline v0::optim

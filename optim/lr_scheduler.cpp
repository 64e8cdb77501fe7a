#include "lr_scheduler.h"

#include "../kernels/check.h"
#include "../kernels/type_name.h"

namespace levin::inline v0::optim {
namespace {

class Saved : public Fields {
 public:
  using Fields::operator();
  void operator()(const std::string& name, double& number) override {
    state.emplace_back(name, number);
  }
  SchedulerState state;
};

// Finds every number; `set` also takes it over.
class Loaded : public Fields {
 public:
  Loaded(const std::string& type, const SchedulerState& state, bool set)
      : type_(type), state_(state), set_(set) {}
  using Fields::operator();
  void operator()(const std::string& name, double& number) override {
    ++count;
    for (const auto& [own, value] : state_) {
      if (own != name) continue;
      if (set_) number = value;
      return;
    }
    fail({type_, ".load_state_dict: '", name, "' is missing: the state is of another scheduler"});
  }
  std::size_t count = 0;

 private:
  const std::string& type_;
  const SchedulerState& state_;
  bool set_;
};

// Names under those of another.
class Part : public Fields {
 public:
  Part(std::string prefix, Fields& whole) : prefix_(std::move(prefix)), whole_(whole) {}
  using Fields::operator();
  void operator()(const std::string& name, double& number) override {
    whole_(prefix_ + name, number);
  }

 private:
  std::string prefix_;
  Fields& whole_;
};

}  // namespace

void Fields::part(const std::string& name, LRScheduler& scheduler) {
  Part part(name + ".", *this);
  scheduler.fields(part);
}

LRScheduler::LRScheduler(AnyOptimizer optimizer) : optimizer_(std::move(optimizer)) {
  check(static_cast<bool>(optimizer_), {"a learning-rate scheduler got an empty optimizer handle"});
  for (int group = 0; group < optimizer_->group_count(); ++group) {
    base_lrs_.push_back(optimizer_->initial_lr(group));
    optimizer_->set_initial_lr(group, base_lrs_.back());
  }
  note_rates();
}

void LRScheduler::step(std::optional<double>) {
  ++last_epoch_;
  set_rates();
}

void LRScheduler::set_rates() {
  for (int group = 0; group < group_count(); ++group) {
    optimizer_->set_lr(group, next_lr(group));
    if (const std::optional<double> momentum = next_momentum(group))
      optimizer_->set_momentum(group, *momentum);
  }
  note_rates();
}

void LRScheduler::note_rates() {
  last_lr_.resize(base_lrs_.size());
  for (int group = 0; group < group_count(); ++group) last_lr_[group] = lr(group);
}

void LRScheduler::restart() {
  last_epoch_ = 0;
  set_rates();
}

std::string LRScheduler::type_name() const { return class_name(typeid(*this)); }

void LRScheduler::fields(Fields& fields) {
  fields("last_epoch", last_epoch_);
  fields("base_lrs", base_lrs_);
  fields("_last_lr", last_lr_);
}

// fields() changes nothing when numbers are only read.
SchedulerState LRScheduler::state_dict() const {
  Saved saved;
  const_cast<LRScheduler*>(this)->fields(saved);
  return std::move(saved.state);
}

void LRScheduler::load_state_dict(const SchedulerState& state) {
  const std::string type = type_name();
  Loaded trial(type, state, false);
  fields(trial);
  check(trial.count == state.size(),
        {type, ".load_state_dict: the state has ", state.size(), " numbers, this one ", trial.count,
         ": it is of another scheduler or number of parameter groups"});
  Loaded loaded(type, state, true);
  fields(loaded);
}

AnyScheduler LRScheduler::rebound(const AnyOptimizer& optimizer) const {
  check_rebound(false, optimizer);
  return {};
}

void LRScheduler::check_rebound(bool copied, const AnyOptimizer& optimizer) const {
  if (!copied)
    fail(Fault::order,
         {type_name(), ": has no rebound(): it cannot be copied to another optimizer"});
  check(optimizer && optimizer->group_count() == optimizer_->group_count(),
        {type_name(), ".rebound: the other optimizer must have ", optimizer_->group_count(),
         " parameter groups"});
}

}  // namespace levin::inline v0::optim

#include "sequential_lr.h"

#include <algorithm>

#include "../../kernels/check.h"
#include "reduce_lr_on_plateau.h"

namespace levin::inline v0::optim {

static void check_parts(const char* name, const AnyOptimizer& optimizer,
                        const std::vector<AnyScheduler>& schedulers) {
  for (std::size_t i = 0; i < schedulers.size(); ++i)
    check(schedulers[i]->optimizer()->is_same(*optimizer),
          {name, " expects all schedulers to belong to the same optimizer, but got scheduler ",
           schedulers[i]->type_name(), " at index ", i, " of another"});
}

static void rebind_parts(const AnyOptimizer& optimizer, std::vector<AnyScheduler>* schedulers) {
  for (AnyScheduler& scheduler : *schedulers) scheduler = scheduler->rebound(optimizer);
}

static void name_parts(Fields& fields, const std::vector<AnyScheduler>& schedulers) {
  for (std::size_t i = 0; i < schedulers.size(); ++i)
    fields.part("_schedulers." + std::to_string(i), *schedulers[i]);
}

SequentialLR::SequentialLR(AnyOptimizer optimizer, std::vector<AnyScheduler> schedulers,
                           std::vector<int64_t> milestones)
    : LRScheduler(std::move(optimizer)),
      schedulers_(std::move(schedulers)),
      milestones_(std::move(milestones)) {
  check(!schedulers_.empty(),
        {"SequentialLR expects at least one scheduler to be chained, but got no scheduler."});
  for (std::size_t i = 0; i < schedulers_.size(); ++i) {
    check(static_cast<bool>(schedulers_[i]), {"SequentialLR: an empty handle at index ", i});
    check(!schedulers_[i]->needs_metric() &&
              !dynamic_cast<const ReduceLROnPlateau*>(schedulers_[i].get()),
          {"SequentialLR does not support `ReduceLROnPlateau` scheduler as it requires additional "
           "kwargs to be specified when calling `step`, but got one at index ",
           i, " in the given schedulers sequence."});
  }
  check_parts("SequentialLR", optimizer_, schedulers_);
  check(
      milestones_.size() + 1 == schedulers_.size(),
      {"Sequential Schedulers expects number of schedulers provided to be one more than the number "
       "of milestone points, but got number of schedulers ",
       schedulers_.size(), " and the number of milestones to be equal to ", milestones_.size()});
  check(std::is_sorted(milestones_.begin(), milestones_.end()),
        {"SequentialLR: milestones must not decrease"});
  begin(0);
}

void SequentialLR::begin(std::size_t number) {
  for (int group = 0; group < group_count(); ++group)
    optimizer_->set_lr(group, optimizer_->initial_lr(group));
  schedulers_[number]->restart();
  note_rates();
}

void SequentialLR::step(std::optional<double>) {
  ++last_epoch_;
  const auto next = std::upper_bound(milestones_.begin(), milestones_.end(), last_epoch_);
  const auto number = static_cast<std::size_t>(next - milestones_.begin());
  if (number > 0 && milestones_[number - 1] == last_epoch_) return begin(number);
  schedulers_[number]->step();
  note_rates();
}

void SequentialLR::restart() {
  last_epoch_ = 0;
  begin(0);
}

void SequentialLR::attach(const AnyOptimizer& optimizer) {
  LRScheduler::attach(optimizer);
  rebind_parts(optimizer, &schedulers_);
}

void SequentialLR::fields(Fields& fields) {
  LRScheduler::fields(fields);
  fields("_milestones", milestones_);
  name_parts(fields, schedulers_);
}

static AnyOptimizer optimizer_of(const std::vector<AnyScheduler>& schedulers) {
  check(!schedulers.empty(),
        {"ChainedScheduler expects at least one scheduler to be chained, but got no scheduler."});
  for (std::size_t i = 0; i < schedulers.size(); ++i)
    check(static_cast<bool>(schedulers[i]), {"ChainedScheduler: an empty handle at index ", i});
  check_parts("ChainedScheduler", schedulers[0]->optimizer(), schedulers);
  return schedulers[0]->optimizer();
}

ChainedScheduler::ChainedScheduler(std::vector<AnyScheduler> schedulers)
    : LRScheduler(optimizer_of(schedulers)), schedulers_(std::move(schedulers)) {}

void ChainedScheduler::step(std::optional<double> metric) {
  ++last_epoch_;
  for (const AnyScheduler& scheduler : schedulers_) scheduler->step(metric);
  note_rates();
}

bool ChainedScheduler::needs_metric() const {
  return std::any_of(schedulers_.begin(), schedulers_.end(),
                     [](const AnyScheduler& scheduler) { return scheduler->needs_metric(); });
}

void ChainedScheduler::restart() {
  last_epoch_ = 0;
  for (const AnyScheduler& scheduler : schedulers_) scheduler->restart();
  note_rates();
}

void ChainedScheduler::attach(const AnyOptimizer& optimizer) {
  LRScheduler::attach(optimizer);
  rebind_parts(optimizer, &schedulers_);
}

void ChainedScheduler::fields(Fields& fields) {
  LRScheduler::fields(fields);
  name_parts(fields, schedulers_);
}

}  // namespace levin::inline v0::optim

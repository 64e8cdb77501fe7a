#include "min_max_lr.h"

#include "../../kernels/check.h"
#include "rates.h"

namespace levin::inline v0::optim {

MinMaxLR::MinMaxLR(AnyOptimizer optimizer, const MinMaxLROptions& o)
    : LRScheduler(std::move(optimizer)), warmup_steps_(o.warmup_steps) {
  const double initial = lr(0);
  for (int group = 0; group < group_count(); ++group)
    check(lr(group) == initial, {"MinMaxLR: the parameter groups must have one learning rate, got ",
                                 initial, " and ", lr(group)});
  check(o.n_steps >= 2, {"MinMaxLR: n_steps must be at least 2, got ", o.n_steps});
  check(o.warmup_steps >= 0, {"MinMaxLR: warmup_steps must not be negative"});
  check(0 < o.min_lr && o.min_lr < initial && initial < o.max_lr && o.max_lr < 1,
        {"MinMaxLR: needs 0 < min_lr < learning rate < max_lr < 1, got ", o.min_lr, ", ", initial,
         " and ", o.max_lr});
  const double ends[] = {initial, o.min_lr, initial, o.max_lr, initial};
  for (int leg = 0; leg < 4; ++leg)
    for (int64_t i = 1; i <= o.n_steps; ++i)
      cycle_.push_back(rounded_rate(ends[leg], ends[leg + 1], i, o.n_steps));
  start();
}

double MinMaxLR::next_lr(int group) const {
  if (last_epoch_ < warmup_steps_) return base_lr(group);
  return cycle_[(last_epoch_ - warmup_steps_) % static_cast<int64_t>(cycle_.size())];
}

void MinMaxLR::fields(Fields& fields) {
  LRScheduler::fields(fields);
  fields("warmup_steps", warmup_steps_);
  fields("cycle", cycle_);
}

}  // namespace levin::inline v0::optim

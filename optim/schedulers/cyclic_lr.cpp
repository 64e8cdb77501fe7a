#include "cyclic_lr.h"

#include <cmath>

#include "../../kernels/check.h"

namespace levin::inline v0::optim {

CyclicLR::CyclicLR(AnyOptimizer optimizer, const CyclicLROptions& o)
    : LRScheduler(std::move(optimizer)),
      up_(static_cast<double>(o.step_size_up)),
      down_(static_cast<double>(o.step_size_down ? o.step_size_down : o.step_size_up)),
      scales_by_cycle_(o.scale_fn ? o.scale_mode == "cycle" : o.mode != "exp_range"),
      cycle_momentum_(o.cycle_momentum),
      scale_(o.scale_fn),
      max_lrs_(o.max_lr.of(group_count(), "max_lr")),
      base_momenta_(o.base_momentum.of(group_count(), "base_momentum")),
      max_momenta_(o.max_momentum.of(group_count(), "max_momentum")) {
  check(up_ > 0 && down_ > 0, {"CyclicLR: step_size_up and step_size_down must be positive"});
  const bool halves = o.mode == "triangular2", shrinks = o.mode == "exp_range";
  check(o.scale_fn || halves || shrinks || o.mode == "triangular",
        {"CyclicLR: mode is invalid and scale_fn is None"});
  if (!scale_)
    scale_ = [halves, shrinks, gamma = o.gamma](double x) {
      return halves ? 1 / std::pow(2., x - 1) : shrinks ? std::pow(gamma, x) : 1.0;
    };
  for (int group = 0; group < group_count(); ++group)
    check(!o.cycle_momentum || optimizer_->momentum(group),
          {"CyclicLR: optimizer must support momentum or beta1 with `cycle_momentum` option "
           "enabled"});
  base_lrs_ = o.base_lr.of(group_count(), "base_lr");
  start();
}

double CyclicLR::height() const {
  const double total = up_ + down_, turn = up_ / total;
  const auto now = static_cast<double>(last_epoch_);
  const double cycle = std::floor(1 + now / total), x = 1 + now / total - cycle;
  const double height = x <= turn ? x / turn : (x - 1) / (turn - 1);
  return height * scale_(scales_by_cycle_ ? cycle : now);
}

double CyclicLR::next_lr(int group) const {
  return base_lr(group) + (max_lrs_[group] - base_lr(group)) * height();
}

std::optional<double> CyclicLR::next_momentum(int group) const {
  if (!cycle_momentum_) return {};
  return max_momenta_[group] - (max_momenta_[group] - base_momenta_[group]) * height();
}

void CyclicLR::fields(Fields& fields) {
  LRScheduler::fields(fields);
  fields("step_size_up", up_);
  fields("step_size_down", down_);
  fields("max_lrs", max_lrs_);
  fields("cycle_momentum", cycle_momentum_);
  fields("base_momentums", base_momenta_);
  fields("max_momentums", max_momenta_);
}

}  // namespace levin::inline v0::optim

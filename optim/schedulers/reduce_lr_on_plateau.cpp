#include "reduce_lr_on_plateau.h"

#include <cmath>

#include "../../kernels/check.h"

namespace levin::inline v0::optim {

static double worst(bool is_max) { return is_max ? -INFINITY : INFINITY; }

ReduceLROnPlateau::ReduceLROnPlateau(AnyOptimizer optimizer, const ReduceLROnPlateauOptions& o)
    : LRScheduler(std::move(optimizer)),
      is_max_(o.mode == "max"),
      is_relative_(o.threshold_mode == "rel"),
      factor_(o.factor),
      threshold_(o.threshold),
      eps_(o.eps),
      best_(worst(is_max_)),
      patience_(o.patience),
      cooldown_(o.cooldown),
      min_lrs_(o.min_lr.of(group_count(), "min_lr")) {
  check(o.factor < 1, {"ReduceLROnPlateau: Factor should be < 1.0."});
  check(is_max_ || o.mode == "min", {"ReduceLROnPlateau: mode ", o.mode, " is unknown!"});
  check(is_relative_ || o.threshold_mode == "abs",
        {"ReduceLROnPlateau: threshold mode ", o.threshold_mode, " is unknown!"});
}

void ReduceLROnPlateau::step(std::optional<double> metric) {
  check(metric.has_value(), {type_name(), ".step: needs the value of the metric that it watches"});
  ++last_epoch_;
  if (is_better(*metric)) {
    best_ = *metric;
    num_bad_epochs_ = 0;
  } else {
    ++num_bad_epochs_;
  }
  if (cooldown_counter_ > 0) {
    --cooldown_counter_;
    num_bad_epochs_ = 0;
  }
  if (num_bad_epochs_ > patience_) {
    reduce_lr();
    cooldown_counter_ = cooldown_;
    num_bad_epochs_ = 0;
  }
  note_rates();
}

bool ReduceLROnPlateau::is_better(double metric) const {
  const double sign = is_max_ ? 1 : -1;
  const double bar = is_relative_ ? best_ * (1 + sign * threshold_) : best_ + sign * threshold_;
  return is_max_ ? metric > bar : metric < bar;
}

void ReduceLROnPlateau::reduce_lr() {
  for (int group = 0; group < group_count(); ++group) {
    const double reduced = std::max(lr(group) * factor_, min_lrs_[group]);
    if (lr(group) - reduced > eps_) optimizer_->set_lr(group, reduced);
  }
  note_rates();
}

void ReduceLROnPlateau::restart() {
  last_epoch_ = num_bad_epochs_ = cooldown_counter_ = 0;
  best_ = worst(is_max_);
  note_rates();
}

void ReduceLROnPlateau::fields(Fields& fields) {
  LRScheduler::fields(fields);
  fields("mode_max", is_max_);
  fields("threshold_mode_rel", is_relative_);
  fields("factor", factor_);
  fields("patience", patience_);
  fields("threshold", threshold_);
  fields("cooldown", cooldown_);
  fields("min_lrs", min_lrs_);
  fields("eps", eps_);
  fields("best", best_);
  fields("num_bad_epochs", num_bad_epochs_);
  fields("cooldown_counter", cooldown_counter_);
}

}  // namespace levin::inline v0::optim

#include "cosine_lr.h"

#include <cmath>
#include <numbers>

#include "../../kernels/check.h"

namespace levin::inline v0::optim {

static double cosine(double part) { return std::cos(std::numbers::pi * part); }

CosineAnnealingLR::CosineAnnealingLR(AnyOptimizer optimizer,
                                     const CosineAnnealingLROptions& options)
    : LRScheduler(std::move(optimizer)), options_(options) {
  check(options.T_max > 0, {"CosineAnnealingLR: T_max must be positive, got ", options.T_max});
  start();
}

double CosineAnnealingLR::next_lr(int group) const {
  if (last_epoch_ == 0) return lr(group);
  const double least = options_.eta_min;
  const auto period = static_cast<double>(options_.T_max);
  const auto epoch = static_cast<double>(last_epoch_);
  if ((last_epoch_ - 1 - options_.T_max) % (2 * options_.T_max) == 0)  // it was eta_min
    return lr(group) + (base_lr(group) - least) * (1 - cosine(1 / period)) / 2;
  return (1 + cosine(epoch / period)) / (1 + cosine((epoch - 1) / period)) * (lr(group) - least) +
         least;
}

void CosineAnnealingLR::fields(Fields& fields) {
  LRScheduler::fields(fields);
  fields("T_max", options_.T_max);
  fields("eta_min", options_.eta_min);
}

CosineAnnealingWarmRestarts::CosineAnnealingWarmRestarts(
    AnyOptimizer optimizer, const CosineAnnealingWarmRestartsOptions& options)
    : LRScheduler(std::move(optimizer)), options_(options), period_(options.T_0) {
  check(options.T_0 > 0,
        {"CosineAnnealingWarmRestarts: Expected positive integer T_0, but got ", options.T_0});
  check(options.T_mult >= 1,
        {"CosineAnnealingWarmRestarts: Expected integer T_mult >= 1, but got ", options.T_mult});
  start();
}

void CosineAnnealingWarmRestarts::step(std::optional<double> metric) {
  if (++since_restart_ >= period_) {
    since_restart_ = 0;
    period_ *= options_.T_mult;
  }
  LRScheduler::step(metric);
}

void CosineAnnealingWarmRestarts::restart() {
  since_restart_ = 0;
  period_ = options_.T_0;
  LRScheduler::restart();
}

double CosineAnnealingWarmRestarts::next_lr(int group) const {
  const double part = static_cast<double>(since_restart_) / static_cast<double>(period_);
  return options_.eta_min + (base_lr(group) - options_.eta_min) * (1 + cosine(part)) / 2;
}

void CosineAnnealingWarmRestarts::fields(Fields& fields) {
  LRScheduler::fields(fields);
  fields("T_0", options_.T_0);
  fields("T_mult", options_.T_mult);
  fields("eta_min", options_.eta_min);
  fields("T_cur", since_restart_);
  fields("T_i", period_);
}

}  // namespace levin::inline v0::optim

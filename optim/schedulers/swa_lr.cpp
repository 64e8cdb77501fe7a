#include "swa_lr.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "../../kernels/check.h"

namespace levin::inline v0::optim {

SWALR::SWALR(AnyOptimizer optimizer, const SWALROptions& o)
    : LRScheduler(std::move(optimizer)),
      swa_lrs_(o.swa_lr.of(group_count(), "swa_lr")),
      anneal_epochs_(o.anneal_epochs),
      linear_(o.anneal_strategy == "linear") {
  check(
      linear_ || o.anneal_strategy == "cos",
      {"SWALR: anneal_strategy must be one of 'cos' or 'linear', instead got ", o.anneal_strategy});
  check(o.anneal_epochs >= 0,
        {"SWALR: anneal_epochs must be equal or greater than 0, got ", o.anneal_epochs});
  start();
}

// How much of the way to swa_lr is made.
double SWALR::progress(int64_t epoch) const {
  if (anneal_epochs_ == 0) return 1;
  const double part =
      std::clamp(static_cast<double>(epoch) / static_cast<double>(anneal_epochs_), 0., 1.);
  return linear_ ? part : (1 - std::cos(std::numbers::pi * part)) / 2;
}

double SWALR::next_lr(int group) const {
  const double goal = swa_lrs_[group], now = progress(last_epoch_),
               before = progress(last_epoch_ - 1);
  if (before == 1) return goal;
  const double initial = (lr(group) - before * goal) / (1 - before);
  return goal * now + initial * (1 - now);
}

void SWALR::fields(Fields& fields) {
  LRScheduler::fields(fields);
  fields("swa_lrs", swa_lrs_);
  fields("anneal_epochs", anneal_epochs_);
  fields("linear", linear_);
}

}  // namespace levin::inline v0::optim

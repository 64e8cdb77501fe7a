// MinMaxLR: from the initial rate down to one and up to another, again and again.
#pragma once

#include "../lr_scheduler.h"

namespace levin::inline v0::optim {

struct MinMaxLROptions {
  double min_lr = 0, max_lr = 0;  ///< must be given: min_lr < the initial rate < max_lr
  int64_t n_steps = 0;            ///< epochs of each leg, at least 2
  int64_t warmup_steps = 0;       ///< epochs at the initial rate, the first one counted
};

/// LME's scheduler: after the warmup, straight legs of n_steps epochs: initial rate, min_lr, initial
/// rate, max_lr, initial rate, and again. Rates are rounded to 6 decimals.
class MinMaxLR : public LRScheduler {
 public:
  /// Throws std::invalid_argument unless all rates are in (0, 1) and the groups have one rate.
  MinMaxLR(AnyOptimizer optimizer, const MinMaxLROptions& options);
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }
  void fields(Fields& fields) override;

 protected:
  double next_lr(int group) const override;

 private:
  int64_t warmup_steps_;
  std::vector<double> cycle_;
};

}  // namespace levin::inline v0::optim

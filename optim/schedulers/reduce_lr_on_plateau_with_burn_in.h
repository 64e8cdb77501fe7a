// ReduceLROnPlateauWithBurnIn: a ReduceLROnPlateau that looks away at first.
#pragma once

#include "reduce_lr_on_plateau.h"

namespace levin::inline v0::optim {

/// LME's scheduler: the first burn_in_epochs steps only count, and need no metric.
class ReduceLROnPlateauWithBurnIn : public ReduceLROnPlateau {
 public:
  /// Throws std::invalid_argument where burn_in_epochs is below 1.
  ReduceLROnPlateauWithBurnIn(AnyOptimizer optimizer, const ReduceLROnPlateauOptions& options,
                              int64_t burn_in_epochs);
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }
  void fields(Fields& fields) override;
  void step(std::optional<double> metric = {}) override;
  bool needs_metric() const override { return last_epoch_ >= burn_in_epochs_; }

 private:
  int64_t burn_in_epochs_;
};

}  // namespace levin::inline v0::optim

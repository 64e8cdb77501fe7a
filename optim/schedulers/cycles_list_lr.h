// CyclesListLR: straight legs between given rates, again and again.
#pragma once

#include "../lr_scheduler.h"

namespace levin::inline v0::optim {

/// LME's scheduler: for each leg {from, to, steps} its rates, both ends among them, one an epoch,
/// rounded to 6 decimals; then from the first leg again.
class CyclesListLR : public LRScheduler {
 public:
  struct Leg {
    double from, to;
    int64_t steps;
  };
  /// Throws std::invalid_argument for rates outside (0, 1), legs without steps, and no legs.
  CyclesListLR(AnyOptimizer optimizer, const std::vector<Leg>& legs);
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }
  void fields(Fields& fields) override;

 protected:
  double next_lr(int group) const override;

 private:
  std::vector<double> rates_;
};

}  // namespace levin::inline v0::optim

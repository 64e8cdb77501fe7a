// CosineAnnealingLR, CosineAnnealingWarmRestarts: half a period of a cosine, down to eta_min.
#pragma once

#include "../lr_scheduler.h"

namespace levin::inline v0::optim {

struct CosineAnnealingLROptions {
  int64_t T_max = 0;  ///< epochs from the initial lr to eta_min; must be given
  double eta_min = 0;
};

/// lr = eta_min + (initial lr - eta_min) (1 + cos(pi epoch / T_max)) / 2; it rises again after T_max
/// (https://arxiv.org/abs/1608.03983).
class CosineAnnealingLR : public LRScheduler {
 public:
  CosineAnnealingLR(AnyOptimizer optimizer, const CosineAnnealingLROptions& options);
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }
  void fields(Fields& fields) override;

 protected:
  double next_lr(int group) const override;

 private:
  CosineAnnealingLROptions options_;
};

struct CosineAnnealingWarmRestartsOptions {
  int64_t T_0 = 0;     ///< epochs of the first period; must be given
  int64_t T_mult = 1;  ///< each period is so many times as long as the one before
  double eta_min = 0;
};

/// CosineAnnealingLR's formula with the epochs since the last restart and the length of the present
/// period (https://arxiv.org/abs/1608.03983).
class CosineAnnealingWarmRestarts : public LRScheduler {
 public:
  CosineAnnealingWarmRestarts(AnyOptimizer optimizer,
                              const CosineAnnealingWarmRestartsOptions& options);
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }
  void fields(Fields& fields) override;
  void step(std::optional<double> metric = {}) override;
  void restart() override;

 protected:
  double next_lr(int group) const override;

 private:
  CosineAnnealingWarmRestartsOptions options_;
  int64_t since_restart_ = 0, period_;
};

}  // namespace levin::inline v0::optim

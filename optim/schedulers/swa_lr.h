// SWALR: to a constant rate, at which weights are averaged.
#pragma once

#include "../lr_scheduler.h"
#include "per_group.h"

namespace levin::inline v0::optim {

/// torch.optim.swa_utils.SWALR's options and defaults.
struct SWALROptions {
  PerGroup swa_lr = 0.0;  ///< must be given
  int64_t anneal_epochs = 10;
  std::string anneal_strategy = "cos";  ///< or "linear"
};

/// From the present rate to swa_lr in anneal_epochs; then it stays there
/// (https://arxiv.org/abs/1803.05407).
class SWALR : public LRScheduler {
 public:
  SWALR(AnyOptimizer optimizer, const SWALROptions& options);
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }
  void fields(Fields& fields) override;

 protected:
  double next_lr(int group) const override;

 private:
  double progress(int64_t epoch) const;

  std::vector<double> swa_lrs_;
  int64_t anneal_epochs_;
  bool linear_;
};

}  // namespace levin::inline v0::optim

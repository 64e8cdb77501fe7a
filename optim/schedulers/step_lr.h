// StepLR, MultiStepLR, ExponentialLR: the rate is multiplied by gamma, at once or in every epoch.
#pragma once

#include "../lr_scheduler.h"

namespace levin::inline v0::optim {

struct StepLROptions {
  int64_t step_size = 0;  ///< epochs; must be given
  double gamma = 0.1;
};

/// lr = initial lr * gamma^floor(epoch / step_size)
class StepLR : public LRScheduler {
 public:
  StepLR(AnyOptimizer optimizer, const StepLROptions& options);
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }
  void fields(Fields& fields) override;

 protected:
  double next_lr(int group) const override;

 private:
  StepLROptions options_;
};

struct MultiStepLROptions {
  std::vector<int64_t> milestones;  ///< epochs, in any order; one that comes twice counts twice
  double gamma = 0.1;
};

/// lr = initial lr * gamma^(milestones <= epoch)
class MultiStepLR : public LRScheduler {
 public:
  MultiStepLR(AnyOptimizer optimizer, const MultiStepLROptions& options);
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }
  void fields(Fields& fields) override;

 protected:
  double next_lr(int group) const override;

 private:
  MultiStepLROptions options_;
};

/// lr = initial lr * gamma^epoch
class ExponentialLR : public LRScheduler {
 public:
  ExponentialLR(AnyOptimizer optimizer, double gamma);
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }
  void fields(Fields& fields) override;

 protected:
  double next_lr(int group) const override;

 private:
  double gamma_;
};

}  // namespace levin::inline v0::optim

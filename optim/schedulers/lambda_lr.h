// LambdaLR, MultiplicativeLR: a factor that a function gives for each epoch.
#pragma once

#include "../lr_scheduler.h"

namespace levin::inline v0::optim {

/// A factor for an epoch.
using LRFunction = std::function<double(int64_t epoch)>;

/// lr = initial lr * function(epoch): one function for all groups, or one for each. State has no
/// functions.
class LambdaLR : public LRScheduler {
 public:
  LambdaLR(AnyOptimizer optimizer, LRFunction lr_lambda);
  LambdaLR(AnyOptimizer optimizer, std::vector<LRFunction> lr_lambdas);
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }

 protected:
  double next_lr(int group) const override;

 private:
  std::vector<LRFunction> functions_;
};

/// lr = lr of the epoch before * function(epoch).
class MultiplicativeLR : public LRScheduler {
 public:
  MultiplicativeLR(AnyOptimizer optimizer, LRFunction lr_lambda);
  MultiplicativeLR(AnyOptimizer optimizer, std::vector<LRFunction> lr_lambdas);
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }

 protected:
  double next_lr(int group) const override;

 private:
  std::vector<LRFunction> functions_;
};

}  // namespace levin::inline v0::optim

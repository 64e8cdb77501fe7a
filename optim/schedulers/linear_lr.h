// ConstantLR, LinearLR, PolynomialLR: from one factor to another in total_iters epochs, then no more.
#pragma once

#include "../lr_scheduler.h"

namespace levin::inline v0::optim {

/// torch's options and defaults.
struct ConstantLROptions {
  double factor = 1.0 / 3;  ///< from 0 to 1
  int64_t total_iters = 5;
};

/// lr = initial lr * factor before epoch total_iters, the initial one from then on.
class ConstantLR : public LRScheduler {
 public:
  explicit ConstantLR(AnyOptimizer optimizer, const ConstantLROptions& options = {});
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }
  void fields(Fields& fields) override;

 protected:
  double next_lr(int group) const override;

 private:
  ConstantLROptions options_;
};

/// torch's options and defaults.
struct LinearLROptions {
  double start_factor = 1.0 / 3;  ///< above 0, to 1
  double end_factor = 1;          ///< from 0 to 1
  int64_t total_iters = 5;
};

/// lr = initial lr * (start + (end - start) min(epoch, total_iters) / total_iters)
class LinearLR : public LRScheduler {
 public:
  explicit LinearLR(AnyOptimizer optimizer, const LinearLROptions& options = {});
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }
  void fields(Fields& fields) override;

 protected:
  double next_lr(int group) const override;

 private:
  LinearLROptions options_;
};

/// torch's options and defaults.
struct PolynomialLROptions {
  int64_t total_iters = 5;
  double power = 1;
};

/// lr = initial lr * (1 - min(epoch, total_iters) / total_iters)^power
class PolynomialLR : public LRScheduler {
 public:
  explicit PolynomialLR(AnyOptimizer optimizer, const PolynomialLROptions& options = {});
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }
  void fields(Fields& fields) override;

 protected:
  double next_lr(int group) const override;

 private:
  PolynomialLROptions options_;
};

}  // namespace levin::inline v0::optim

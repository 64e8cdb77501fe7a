// CyclicLR: up and down between two rates, again and again.
#pragma once

#include "../lr_scheduler.h"
#include "per_group.h"

namespace levin::inline v0::optim {

/// torch's options and defaults.
struct CyclicLROptions {
  PerGroup base_lr = 0.0, max_lr = 0.0;  ///< must be given
  int64_t step_size_up = 2000;
  int64_t step_size_down = 0;  ///< 0: as up
  /// "triangular", "triangular2" (half the height in each cycle), "exp_range" (gamma^step)
  std::string mode = "triangular";
  double gamma = 1;
  /// In place of mode: the height in a cycle (1, 2, ..), or in a step where scale_mode is
  /// "iterations".
  std::function<double(double)> scale_fn = {};
  std::string scale_mode = "cycle";
  bool cycle_momentum = true;
  PerGroup base_momentum = 0.8, max_momentum = 0.9;
};

/// To be stepped after each batch. lr = base_lr + (max_lr - base_lr) * height * scale, with height
/// going from 0 to 1 and back; momentum (or Adam's beta1) falls while the rate rises
/// (https://arxiv.org/abs/1506.01186).
class CyclicLR : public LRScheduler {
 public:
  CyclicLR(AnyOptimizer optimizer, const CyclicLROptions& options);
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }
  void fields(Fields& fields) override;

 protected:
  double next_lr(int group) const override;
  std::optional<double> next_momentum(int group) const override;

 private:
  double height() const;  // with its scale

  double up_, down_;
  bool scales_by_cycle_, cycle_momentum_;
  std::function<double(double)> scale_;
  std::vector<double> max_lrs_, base_momenta_, max_momenta_;
};

}  // namespace levin::inline v0::optim

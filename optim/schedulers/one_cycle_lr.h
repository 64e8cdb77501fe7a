// OneCycleLR: up to max_lr and down to almost nothing, once.
#pragma once

#include "../lr_scheduler.h"
#include "per_group.h"

namespace levin::inline v0::optim {

/// torch's options and defaults. The length is total_steps, or epochs * steps_per_epoch.
struct OneCycleLROptions {
  PerGroup max_lr = 0.0;  ///< must be given
  int64_t total_steps = 0, epochs = 0, steps_per_epoch = 0;
  double pct_start = 0.3;               ///< the part of the steps in which the rate rises
  std::string anneal_strategy = "cos";  ///< or "linear"
  bool cycle_momentum = true;
  PerGroup base_momentum = 0.85, max_momentum = 0.95;
  double div_factor = 25;         ///< the first rate is max_lr / div_factor
  double final_div_factor = 1e4;  ///< the last one is the first / final_div_factor
  bool three_phase = false;       ///< down to the first rate as fast as up, then to the last
};

/// To be stepped after each batch. Momentum (or Adam's beta1) falls while the rate rises
/// (https://arxiv.org/abs/1708.07120). Throws std::invalid_argument when it is stepped more than
/// total_steps times.
class OneCycleLR : public LRScheduler {
 public:
  OneCycleLR(AnyOptimizer optimizer, const OneCycleLROptions& options);
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }
  void fields(Fields& fields) override;
  void step(std::optional<double> metric = {}) override;

 protected:
  double next_lr(int group) const override;
  std::optional<double> next_momentum(int group) const override;

 private:
  // The rate and the momentum go from one of these to the next until step `end`.
  struct Phase {
    double end;
    std::vector<double> lrs[2], momenta[2];
  };
  void check_options(const OneCycleLROptions& options) const;
  double value(int group, std::vector<double> (Phase::*numbers)[2]) const;

  int64_t total_steps_;
  bool linear_, cycle_momentum_;
  std::vector<Phase> phases_;
};

}  // namespace levin::inline v0::optim

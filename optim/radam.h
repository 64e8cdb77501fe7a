// RAdam.
#pragma once

#include "span_optimizer.h"

namespace levin::inline v0::optim {

/// torch.optim.RAdam's options and defaults.
struct RAdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool decoupled_weight_decay = false;
  bool maximize = false;
};
Settings settings_of(const RAdamOptions& options);

/// Adam that divides by sqrt(v) only once v is known well enough, and less at first; until then a
/// step is p -= lr m / (1 - beta1^t) (https://arxiv.org/abs/1908.03265).
using RAdam = OptimizerOf<RAdamOptions>;

}  // namespace levin::inline v0::optim

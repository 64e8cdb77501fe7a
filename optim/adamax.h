// Adamax.
#pragma once

#include "span_optimizer.h"

namespace levin::inline v0::optim {

/// torch.optim.Adamax's options and defaults.
struct AdamaxOptions {
  double lr = 2e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool maximize = false;
};
Settings settings_of(const AdamaxOptions& options);

/// Adam by the largest gradient instead of the mean square: u = max(beta2 u, |g| + eps);
/// p -= lr m / ((1 - beta1^t) u) (https://arxiv.org/abs/1412.6980).
using Adamax = OptimizerOf<AdamaxOptions>;

}  // namespace levin::inline v0::optim

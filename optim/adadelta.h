// Adadelta.
#pragma once

#include "span_optimizer.h"

namespace levin::inline v0::optim {

/// torch.optim.Adadelta's options and defaults.
struct AdadeltaOptions {
  double lr = 1.0;
  double rho = 0.9;
  double eps = 1e-6;
  double weight_decay = 0;
  bool maximize = false;
};
Settings settings_of(const AdadeltaOptions& options);

/// v = rho v + (1 - rho) g^2; d = sqrt(u + eps) / sqrt(v + eps) g; u = rho u + (1 - rho) d^2;
/// p -= lr d (https://arxiv.org/abs/1212.5701).
using Adadelta = OptimizerOf<AdadeltaOptions>;

}  // namespace levin::inline v0::optim

// RMSprop.
#pragma once

#include "span_optimizer.h"

namespace levin::inline v0::optim {

/// torch.optim.RMSprop's options and defaults.
struct RMSpropOptions {
  double lr = 1e-2;
  double alpha = 0.99;
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum = 0;
  bool centered = false;
  bool maximize = false;
};
Settings settings_of(const RMSpropOptions& options);

/// v = alpha v + (1 - alpha) g^2; d = g / (sqrt(v) + eps), centered: with the variance instead of v;
/// b = momentum b + d; p -= lr b (G. Hinton, Neural Networks for Machine Learning, lecture 6e).
using RMSprop = OptimizerOf<RMSpropOptions>;

}  // namespace levin::inline v0::optim

// Adagrad.
#pragma once

#include "span_optimizer.h"

namespace levin::inline v0::optim {

/// torch.optim.Adagrad's options and defaults.
struct AdagradOptions {
  double lr = 1e-2;
  double lr_decay = 0;
  double weight_decay = 0;
  double initial_accumulator_value = 0;
  double eps = 1e-10;
  bool maximize = false;
};
Settings settings_of(const AdagradOptions& options);

/// sum += g^2; p -= lr / (1 + (t - 1) lr_decay) g / (sqrt(sum) + eps)
/// (https://jmlr.org/papers/v12/duchi11a.html). The sums start at initial_accumulator_value.
using Adagrad = OptimizerOf<AdagradOptions>;

}  // namespace levin::inline v0::optim

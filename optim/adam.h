// Adam and AdamW.
#pragma once

#include "span_optimizer.h"

namespace levin::inline v0::optim {

/// torch.optim.Adam's options and defaults.
struct AdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  bool amsgrad = false;
  bool maximize = false;
  bool decoupled_weight_decay = false;
};
Settings settings_of(const AdamOptions& options);

/// torch.optim.AdamW's options and defaults.
struct AdamWOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 1e-2;
  bool amsgrad = false;
  bool maximize = false;
};
Settings settings_of(const AdamWOptions& options);

/// g += weight_decay p; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
/// p -= lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) in step t = 1, 2, ..; with amsgrad by
/// the largest v so far (https://arxiv.org/abs/1412.6980, https://arxiv.org/abs/1904.09237).
using Adam = OptimizerOf<AdamOptions>;

/// Adam whose weight decay is no part of the gradient: p shrinks by lr weight_decay p first
/// (https://arxiv.org/abs/1711.05101).
using AdamW = OptimizerOf<AdamWOptions>;

}  // namespace levin::inline v0::optim

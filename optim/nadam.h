// NAdam.
#pragma once

#include "span_optimizer.h"

namespace levin::inline v0::optim {

/// torch.optim.NAdam's options and defaults.
struct NAdamOptions {
  double lr = 2e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8;
  double weight_decay = 0;
  double momentum_decay = 4e-3;
  bool decoupled_weight_decay = false;
  bool maximize = false;
};
Settings settings_of(const NAdamOptions& options);

/// Adam with Nesterov's momentum: with mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2) and M = mu_1 ..
/// mu_t, p -= lr ((1 - mu_t) / (1 - M) g + mu_t+1 / (1 - M mu_t+1) m) / (sqrt(v / (1 - beta2^t)) + eps)
/// (https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ).
using NAdam = OptimizerOf<NAdamOptions>;

}  // namespace levin::inline v0::optim

// SGD with momentum.
#pragma once

#include "span_optimizer.h"

namespace levin::inline v0::optim {

/// torch.optim.SGD's options and defaults.
struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
  bool maximize = false;
};
Settings settings_of(const SGDOptions& options);

/// g += weight_decay p; m = momentum m + (1 - dampening) g (g itself the first time); p -= lr m, or
/// p -= lr (g + momentum m) with nesterov, or p -= lr g without momentum. maximize turns the
/// gradient's sign first.
using SGD = OptimizerOf<SGDOptions>;

}  // namespace levin::inline v0::optim

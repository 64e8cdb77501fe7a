// Rprop.
#pragma once

#include "span_optimizer.h"

namespace levin::inline v0::optim {

/// torch.optim.Rprop's options and defaults.
struct RpropOptions {
  double lr = 1e-2;  ///< the first step of each element
  std::array<double, 2> etas = {0.5, 1.2};
  std::array<double, 2> step_sizes = {1e-6, 50};
  bool maximize = false;
};
Settings settings_of(const RpropOptions& options);

/// Only the gradient's sign counts: an element's step grows by etas[1] while the sign stays and
/// shrinks by etas[0] where it changes, within step_sizes. For gradients of whole data sets
/// (https://doi.org/10.1109/ICNN.1993.298623).
using Rprop = OptimizerOf<RpropOptions>;

}  // namespace levin::inline v0::optim

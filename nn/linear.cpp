#include "linear.h"

#include <cmath>

namespace levin::inline v0::nn {

Linear::Linear(int64_t in_features, int64_t out_features, bool with_bias) {
  check(in_features >= 0 && out_features >= 0,
        {"Linear: ", in_features, " -> ", out_features, ": sizes must not be negative"});
  weight = empty({out_features, in_features}).requires_grad_();
  if (with_bias) bias = empty({out_features}).requires_grad_();
  reset_parameters();
}

// PyTorch: kaiming_uniform with a = sqrt(5), which comes to this bound.
void Linear::reset_parameters() {
  const double bound =
      weight.shape()[1] > 0 ? 1 / std::sqrt(static_cast<double>(weight.shape()[1])) : 0;
  uniform_(weight, -bound, bound, default_generator(), "init");
  if (bias.defined()) uniform_(bias, -bound, bound, default_generator(), "init");
}

std::string Linear::extra_text() const {
  return std::to_string(weight.shape()[1]) + " -> " + std::to_string(weight.shape()[0]);
}

}  // namespace levin::inline v0::nn

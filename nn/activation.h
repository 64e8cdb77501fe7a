// Activations as modules.
#pragma once

#include "module.h"

namespace levin::inline v0::nn {

/// max(x, 0)
struct ReLU : Module {
  Tensor forward(const Tensor& x) override { return x.relu(); }
};

struct Tanh : Module {
  Tensor forward(const Tensor& x) override { return x.tanh(); }
};

/// 1 / (1 + e^-x)
struct Sigmoid : Module {
  Tensor forward(const Tensor& x) override { return x.sigmoid(); }
};

}  // namespace levin::inline v0::nn

// gradcheck: derivatives compared with difference quotients.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "../tensor/tensor.h"

namespace levin::inline v0 {

struct GradcheckOptions {
  double eps = 1e-6;
  double atol = 1e-5;
  double rtol = 1e-3;
};

using GradcheckFunction = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;

/// Compares the whole Jacobian of f at `inputs` by backward() with central differences
/// (f(x + eps) - f(x - eps)) / (2 eps), for every input that requires a gradient: |a - n| <= atol +
/// rtol |n|. Runs backward three times and compares the bits. Inputs must be float64 and contiguous
/// (std::invalid_argument). Returns what differs, with input, output and element; empty when all is
/// right.
std::string gradcheck(const GradcheckFunction& f, const std::vector<Tensor>& inputs,
                      const GradcheckOptions& options = {});

/// The same for the gradients themselves: gradcheck of the function (inputs, upstream gradients) ->
/// input gradients. The upstream gradients are drawn from a generator of its own.
std::string gradgradcheck(const GradcheckFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {});

}  // namespace levin::inline v0

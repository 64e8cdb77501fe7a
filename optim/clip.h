// Clipping of gradients, between backward() and step().
#pragma once

#include <vector>

#include "../tensor/tensor.h"

namespace levin::inline v0::optim {

/// Scales the gradients of all parameters by max_norm / (norm + 1e-6) where that is below 1. Gives
/// the norm before, of all gradients as one vector: (sum |g|^norm_type)^(1 / norm_type), a tensor of
/// no dimensions that nothing waits for; 0 without gradients. norm_type is above 0 and may be
/// infinite.
///
/// error_if_nonfinite: waits for the norm, and throws std::logic_error before anything is changed
/// where it is not finite; otherwise a NaN goes to all gradients.
Tensor clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, double norm_type = 2,
                       bool error_if_nonfinite = false);

/// Moves each element of the gradients into [-clip_value, clip_value].
void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value);

}  // namespace levin::inline v0::optim

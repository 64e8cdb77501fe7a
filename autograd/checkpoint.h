// checkpoint: a part of the network that keeps nothing for backward but its inputs.
#pragma once

#include <functional>
#include <vector>

#include "node.h"

namespace levin::inline v0::autograd {

using CheckpointFunction = std::function<Tensor(const std::vector<Tensor>&)>;

/// function(inputs), one tensor; all that it kept for its derivative is freed at once, and backward
/// runs it again. It must do the same again: random numbers of the default generator are the same
/// ones; printing and counting happen twice. What it uses besides the inputs (parameters, also
/// results of operations) gets its gradient too. Checkpoints may stand in checkpoints, and
/// create_graph works. Inputs that were changed in place are an error in backward. PyTorch's, with
/// use_reentrant=False.
Tensor checkpoint(CheckpointFunction function, const std::vector<Tensor>& inputs);

}  // namespace levin::inline v0::autograd

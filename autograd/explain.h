// explain: the recorded program as text.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "node.h"

namespace levin::inline v0 {

/// What was recorded to make `tensor`, one line for each leaf and operation, in the order in which
/// they were made: number, operation with its operands (`constant`: a tensor that needs no
/// gradient), type and shape of the output, and what is kept for the derivative. Memory that is kept
/// twice is counted once; leaves are there anyway.
///
///     %0 = leaf  float32 [8, 5]
///     %1 = linear(constant, %0)  float32 [10, 8]  keeps a constant float32 [10, 5], 200 bytes; %0
///     %2 = tanh(%1)  float32 [10, 8]  keeps its output, 320 bytes
std::string explain(const Tensor& tensor);

/// What a node tells of itself: backward functions may have a member describe(Inspector&) const.
struct Inspector {
  struct Kept {
    const Block* block;
    const NodeBase* node;  ///< that made it; null where there is none
    Shape shape;
    DType dtype;
    bool is_output;
  };
  std::vector<Kept> kept;
  /// The arguments where some are numbers; tensors are not set. Empty: all are tensors.
  std::vector<std::optional<double>> arguments;
};

}  // namespace levin::inline v0

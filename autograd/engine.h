// The engine: runs recorded operations backwards.
#pragma once

#include <vector>

#include "node.h"

namespace levin::inline v0 {

/// The gradients of `inputs`: of sum over outputs of (output * its grad_output). Leaves collect
/// nothing. An input that the outputs do not depend on is an error (std::logic_error), or with
/// allow_unused an undefined tensor. create_graph records the gradients, so that they can be
/// differentiated again.
std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& grad_outputs = {}, bool retain_graph = false,
                         bool create_graph = false, bool allow_unused = false);

/// For checkpoint(): how `output`, whose gradient is g, depends on the different nodes `at`, each
/// held fixed where another is differentiated. Not defined: not at all.
std::vector<Tensor> partial_grad(const Tensor& output, const std::vector<Node*>& at, Tensor g,
                                 bool create_graph);

}  // namespace levin::inline v0

// Derivatives of functions: whole Jacobians and Hessians, and their products with vectors.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "../tensor/tensor.h"

namespace levin::inline v0::autograd::functional {

/// Functions of one tensor, or of several; they give one. Inputs are taken as they are, without
/// history, unless create_graph says that the result shall be differentiated again. What the output
/// does not depend on has the derivative 0. After torch.autograd.functional.
using FunctionOfOne = std::function<Tensor(const Tensor&)>;
using FunctionOfSeveral = std::function<Tensor(const std::vector<Tensor>&)>;
using Tensors = std::vector<Tensor>;

/// d f[i..] / d x[j..], of shape [i.., j..]; one for each input.
Tensor jacobian(const FunctionOfOne& f, const Tensor& x, bool create_graph = false);
Tensors jacobian(const FunctionOfSeveral& f, const Tensors& inputs, bool create_graph = false);

/// d^2 f / d x[i..] d z[j..] of a function that gives one element: [i.., j..]; hessian[x][z] for
/// several inputs.
Tensor hessian(const FunctionOfOne& f, const Tensor& x, bool create_graph = false);
std::vector<Tensors> hessian(const FunctionOfSeveral& f, const Tensors& inputs,
                             bool create_graph = false);

/// f's output, and v times its Jacobian: v is of the output's shape; for one element it may be left
/// out (1).
std::pair<Tensor, Tensor> vjp(const FunctionOfOne& f, const Tensor& x, const Tensor& v = {},
                              bool create_graph = false);
std::pair<Tensor, Tensors> vjp(const FunctionOfSeveral& f, const Tensors& inputs,
                               const Tensor& v = {}, bool create_graph = false);

/// f's output, and the Jacobian times v: v is of the inputs' shapes; for one element it may be left
/// out (1). Derivative of the vector-Jacobian product by its vector, so about three forward passes.
std::pair<Tensor, Tensor> jvp(const FunctionOfOne& f, const Tensor& x, const Tensor& v = {},
                              bool create_graph = false);
std::pair<Tensor, Tensor> jvp(const FunctionOfSeveral& f, const Tensors& inputs,
                              const Tensors& v = {}, bool create_graph = false);

}  // namespace levin::inline v0::autograd::functional

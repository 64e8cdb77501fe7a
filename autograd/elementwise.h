// elementwise(): every formula of kernels/formulas.h as a differentiable operation.
#pragma once

#include "../kernels/op.h"
#include "../tensor/tensor.h"

namespace levin::inline v0 {

/// An operand: a tensor, or a number.
struct Operand {
  const Tensor* tensor = nullptr;
  Number number = 0;
  Operand(const Tensor& t) : tensor(&t) {}
  Operand(Number n) : number(n) {}
};

/// The formula of `in`, broadcast, with `parameters` in front of its numbers. Records its
/// derivative where one is wanted. Throws std::invalid_argument where shapes do not broadcast or
/// types do not fit.
Tensor elementwise(Op op, std::initializer_list<Operand> in,
                   std::initializer_list<double> parameters = {});
/// The same written into `out`, whose shape and type must fit; records nothing.
void elementwise_into(const Tensor& out, Op op, std::initializer_list<Operand> in,
                      std::initializer_list<double> parameters = {});
/// The element type that these operands give together, by PyTorch's rules.
DType result_type(std::initializer_list<Operand> in);
/// Does the formula's derivative read its arguments?
bool needs_arguments(Op op);

}  // namespace levin::inline v0

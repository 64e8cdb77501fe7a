// elementwise(): every formula of kernels/formulas.h as a differentiable operation.
#pragma once

#include <initializer_list>
#include <span>

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
template <int count>
Tensor elementwise_of(Op op, const Operand* in, std::span<const double> parameters);
inline Tensor elementwise(Op op, std::span<const Operand> in,
                          std::span<const double> parameters = {}) {
  const auto run = in.size() == 1   ? elementwise_of<1>
                   : in.size() == 2 ? elementwise_of<2>
                                    : elementwise_of<3>;
  return run(op, in.data(), parameters);
}
inline Tensor elementwise(Op op, std::initializer_list<Operand> in,
                          std::initializer_list<double> parameters = {}) {
  return elementwise(op, std::span(in.begin(), in.size()),
                     std::span(parameters.begin(), parameters.size()));
}
/// The same of a tensor and another operand.
Tensor elementwise_of_two(Op op, const Tensor& a, const Operand& b);
/// The same written into `out`, whose shape and type must fit; records nothing.
void elementwise_into(const Tensor& out, Op op, std::span<const Operand> in,
                      std::span<const double> parameters);
/// May an in-place operation put a result of this type into a tensor of that one?
bool fits_into(DType result, DType target);
/// x becomes the formula of x and `rest`, recorded where that is wanted; x is returned. `name` is
/// the operation's, for errors.
const Tensor& elementwise_in_place(const char* name, Op op, const Tensor& x,
                                   std::initializer_list<Operand> rest,
                                   std::initializer_list<double> parameters = {});
/// The element type that these operands give together, by PyTorch's rules.
DType result_type(std::span<const Operand> in);
inline DType result_type(std::initializer_list<Operand> in) {
  return result_type(std::span(in.begin(), in.size()));
}
/// alpha * number, with Python's kind.
Number scaled(Number number, Number alpha);
/// Does the formula's derivative read its arguments?
bool needs_arguments(Op op);
/// Is it of one argument, without parameters, with a derivative?
bool is_plain_function(Op op);
/// g times the derivative of such a formula, which does not read its argument: y is the formula's
/// value. Recorded where history is.
Tensor through_value(Op op, const Tensor& g, const Tensor& y);

}  // namespace levin::inline v0

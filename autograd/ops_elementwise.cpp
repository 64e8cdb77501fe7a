// The elementwise operations: those of kernels/ops.def from the list, the others by hand.
#include <cmath>
#include <limits>

#include "elementwise.h"
#include "launch.h"
#include "ops.h"

namespace levin::inline v0 {

// A line's parameters have names only in its text; here they are a, b, c, d.
#define LEVIN_COUNT(...) LEVIN_COUNT_(__VA_OPT__(__VA_ARGS__, ) 4, 3, 2, 1, 0)
#define LEVIN_COUNT_(...) LEVIN_FIFTH(__VA_ARGS__)
#define LEVIN_FIFTH(p1, p2, p3, p4, count, ...) count
#define LEVIN_TYPED_0
#define LEVIN_TYPED_1 double a
#define LEVIN_TYPED_2 double a, double b
#define LEVIN_TYPED_3 double a, double b, double c
#define LEVIN_TYPED_4 double a, double b, double c, double d
#define LEVIN_NAMED_0
#define LEVIN_NAMED_1 a
#define LEVIN_NAMED_2 a, b
#define LEVIN_NAMED_3 a, b, c
#define LEVIN_NAMED_4 a, b, c, d
#define LEVIN_PASTE(a, b) LEVIN_PASTE_(a, b)
#define LEVIN_PASTE_(a, b) a##b
#define LEVIN_TYPED(...) (LEVIN_PASTE(LEVIN_TYPED_, LEVIN_COUNT(__VA_ARGS__)))
#define LEVIN_NAMED(...) LEVIN_PASTE(LEVIN_NAMED_, LEVIN_COUNT(__VA_ARGS__))
#define LEVIN_FREE_OPERANDS(...) __VA_ARGS__
// Expands `typed` to (double a, ..) before the signature's macro looks for its parentheses.
#define LEVIN_SIGN(signature, arguments, typed) signature arguments typed
#define LEVIN_OPERANDS(x, ...) *this __VA_OPT__(, ) __VA_ARGS__

#define OP(name, Struct, arguments, parameters)                                              \
  Tensor Tensor::name(LEVIN_SIGN(LEVIN_MEMBER_ARGUMENTS, arguments, LEVIN_TYPED parameters)) \
      const {                                                                                \
    return elementwise(Op::name, {LEVIN_OPERANDS arguments}, {LEVIN_NAMED parameters});      \
  }                                                                                          \
  Tensor name(LEVIN_SIGN(LEVIN_FREE_ARGUMENTS, arguments, LEVIN_TYPED parameters)) {         \
    return elementwise(Op::name, {LEVIN_FREE_OPERANDS arguments}, {LEVIN_NAMED parameters}); \
  }
#define FORMULA(name, Struct, arguments, parameters)
#include "../kernels/ops.def"
#undef FORMULA
#undef OP

#define LEVIN_TENSOR_OR_NUMBER(name)                                                               \
  Tensor Tensor::name(const Tensor& other) const { return elementwise(Op::name, {*this, other}); } \
  Tensor Tensor::name(Number other) const { return elementwise(Op::name, {*this, other}); }
LEVIN_TENSOR_OR_NUMBER(mul)
LEVIN_TENSOR_OR_NUMBER(div)
LEVIN_TENSOR_OR_NUMBER(eq)
LEVIN_TENSOR_OR_NUMBER(ne)
LEVIN_TENSOR_OR_NUMBER(lt)
LEVIN_TENSOR_OR_NUMBER(le)
LEVIN_TENSOR_OR_NUMBER(gt)
LEVIN_TENSOR_OR_NUMBER(ge)
#undef LEVIN_TENSOR_OR_NUMBER

Tensor Tensor::maximum(const Tensor& other) const {
  return elementwise(Op::maximum, {*this, other});
}
Tensor Tensor::minimum(const Tensor& other) const {
  return elementwise(Op::minimum, {*this, other});
}

namespace {

Number product(Number a, Number b) {
  if (b.value == 1 && b.kind != Number::real) return a;  // bool stays bool
  Number result(a.value * b.value);
  result.kind = std::max(a.kind, b.kind);
  return result;
}

}  // namespace

Tensor Tensor::add(const Tensor& other, Number alpha) const {
  if (alpha.value != 1) return elementwise(Op::add, {*this, other.mul(alpha)});
  return elementwise(Op::add, {*this, other});
}
Tensor Tensor::add(Number other, Number alpha) const {
  return elementwise(Op::add, {*this, product(other, alpha)});
}

Tensor Tensor::sub(const Tensor& other, Number alpha) const {
  if (alpha.value != 1) return elementwise(Op::sub, {*this, other.mul(alpha)});
  return elementwise(Op::sub, {*this, other});
}
Tensor Tensor::sub(Number other, Number alpha) const {
  return elementwise(Op::sub, {*this, product(other, alpha)});
}

Tensor operator-(Number a, const Tensor& b) { return elementwise(Op::sub, {a, b}); }
Tensor operator/(Number a, const Tensor& b) { return elementwise(Op::div, {a, b}); }

Tensor Tensor::pow(const Tensor& exponent) const { return elementwise(Op::pow, {*this, exponent}); }

// The common exponents have exact and cheaper formulas.
Tensor Tensor::pow(Number exponent) const {
  const bool real = is_floating(dtype());
  if (exponent.value == 2 && (real || (exponent.kind != Number::real && dtype() != kBool)))
    return square();
  if (exponent.value == 0.5 && real) return sqrt();
  if (exponent.value == -0.5 && real) return 1 / sqrt();
  if (exponent.value == 1 && real) return clone();
  check(real || exponent.kind == Number::real || exponent.value >= 0,
        {"pow: an integer tensor to the power ", exponent.value,
         ": negative powers of integers are not integers"});
  return elementwise(Op::pow, {*this, exponent});
}
Tensor pow(Number x, const Tensor& exponent) { return elementwise(Op::pow, {x, exponent}); }

Tensor Tensor::clamp(Number low, Number high) const {
  return elementwise(Op::clamp, {to(result_type({*this, low, high}))}, {low.value, high.value});
}
Tensor Tensor::clamp_min(Number low) const {
  Number none(std::numeric_limits<double>::infinity());
  none.kind = low.kind;
  return clamp(low, none);
}
Tensor Tensor::clamp_max(Number high) const {
  Number none(-std::numeric_limits<double>::infinity());
  none.kind = high.kind;
  return clamp(none, high);
}

namespace {

void check_condition(const Tensor& condition) {
  check(condition.dtype() == kBool, {"where: a ", condition.dtype(), " condition: bool is needed"});
}

}  // namespace

Tensor where(const Tensor& condition, const Tensor& x, const Tensor& other) {
  check_condition(condition);
  return elementwise(Op::where, {condition, x, other});
}
Tensor where(const Tensor& condition, const Tensor& x, Number other) {
  check_condition(condition);
  return elementwise(Op::where, {condition, x, other});
}
Tensor where(const Tensor& condition, Number x, const Tensor& other) {
  check_condition(condition);
  return elementwise(Op::where, {condition, x, other});
}
Tensor where(const Tensor& condition, Number x, Number other) {
  check_condition(condition);
  return elementwise(Op::where, {condition, x, other});
}

}  // namespace levin::inline v0

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
#define LEVIN_OTHERS(x, ...) __VA_ARGS__

#define OP(name, Struct, arguments, parameters)                                              \
  Tensor Tensor::name(LEVIN_SIGN(LEVIN_MEMBER_ARGUMENTS, arguments, LEVIN_TYPED parameters)) \
      const {                                                                                \
    return elementwise(Op::name, {LEVIN_OPERANDS arguments}, {LEVIN_NAMED parameters});      \
  }                                                                                          \
  const Tensor& Tensor::name##_(                                                             \
      LEVIN_SIGN(LEVIN_MEMBER_ARGUMENTS, arguments, LEVIN_TYPED parameters)) const {         \
    return elementwise_in_place(#name "_", Op::name, *this, {LEVIN_OTHERS arguments},        \
                                {LEVIN_NAMED parameters});                                   \
  }                                                                                          \
  Tensor name(LEVIN_SIGN(LEVIN_FREE_ARGUMENTS, arguments, LEVIN_TYPED parameters)) {         \
    return elementwise(Op::name, {LEVIN_FREE_OPERANDS arguments}, {LEVIN_NAMED parameters}); \
  }
#define FORMULA(name, Struct, arguments, parameters)
#include "../kernels/ops.def"
#undef FORMULA
#undef OP

#define LEVIN_TENSOR(name)                             \
  Tensor Tensor::name(const Tensor& other) const {     \
    return elementwise_of_two(Op::name, *this, other); \
  }
#define LEVIN_TENSOR_OR_NUMBER(name) \
  LEVIN_TENSOR(name)                 \
  Tensor Tensor::name(Number other) const { return elementwise_of_two(Op::name, *this, other); }
LEVIN_TENSOR_OR_NUMBER(mul)
LEVIN_TENSOR_OR_NUMBER(div)
LEVIN_TENSOR_OR_NUMBER(eq)
LEVIN_TENSOR_OR_NUMBER(ne)
LEVIN_TENSOR_OR_NUMBER(lt)
LEVIN_TENSOR_OR_NUMBER(le)
LEVIN_TENSOR_OR_NUMBER(gt)
LEVIN_TENSOR_OR_NUMBER(ge)
LEVIN_TENSOR(maximum)
LEVIN_TENSOR(minimum)
LEVIN_TENSOR(logical_and)
LEVIN_TENSOR(logical_or)
LEVIN_TENSOR(logical_xor)
LEVIN_TENSOR(bitwise_and)
LEVIN_TENSOR(bitwise_or)
LEVIN_TENSOR(bitwise_xor)
#undef LEVIN_TENSOR_OR_NUMBER
#undef LEVIN_TENSOR

Tensor Tensor::isnan() const { return elementwise(Op::isnan, {*this}); }
Tensor Tensor::isinf() const { return elementwise(Op::isinf, {*this}); }
Tensor Tensor::isfinite() const { return elementwise(Op::isfinite, {*this}); }
Tensor Tensor::logical_not() const { return elementwise(Op::logical_not, {*this}); }
// All bits of a bool turned over would not be a bool.
Tensor Tensor::bitwise_not() const {
  return dtype() == kBool ? logical_not() : elementwise(Op::bitwise_not, {*this});
}

namespace {

// Integers have no infinity that division by 0 could give.
Tensor divided(Op op, const Tensor& x, const Operand& other) {
  const bool zero =
      other.tensor ? !is_floating(result_type({x, other})) && other.tensor->eq(0).any().item<bool>()
                   : !is_floating(x.dtype()) && other.number.value == 0;
  check(!zero, {name_of(op), ": integers of shape ", x.shape(), " cannot be divided by 0"});
  return elementwise(op, {x, other});
}

}  // namespace

Tensor Tensor::fmod(const Tensor& other) const { return divided(Op::fmod, *this, other); }
Tensor Tensor::fmod(Number other) const { return divided(Op::fmod, *this, other); }
Tensor Tensor::remainder(const Tensor& other) const { return divided(Op::remainder, *this, other); }
Tensor Tensor::remainder(Number other) const { return divided(Op::remainder, *this, other); }
Tensor Tensor::floor_divide(const Tensor& other) const {
  return divided(Op::floor_divide, *this, other);
}
Tensor Tensor::floor_divide(Number other) const { return divided(Op::floor_divide, *this, other); }

Tensor Tensor::div(const Tensor& other, const std::string& rounding_mode) const {
  check(rounding_mode == "trunc" || rounding_mode == "floor",
        {"div: rounding_mode '", rounding_mode, "': 'trunc' or 'floor' is needed"});
  if (rounding_mode == "floor") return floor_divide(other);
  if (is_floating(result_type({*this, other}))) return div(other).trunc();
  return sub(fmod(other)).floor_divide(other);
}

Number scaled(Number number, Number alpha) {
  if (alpha.value == 1 && alpha.kind != Number::real) return number;  // bool stays bool
  return {number.value * alpha.value, std::max(number.kind, alpha.kind)};
}

Tensor Tensor::add(const Tensor& other, Number alpha) const {
  if (alpha.value == 1) return elementwise_of_two(Op::add, *this, other);
  if (is_floating(result_type({*this, other})))
    return elementwise(Op::add_scaled, {*this, other}, {alpha.value});
  return elementwise_of_two(Op::add, *this, other.mul(alpha));
}
Tensor Tensor::add(Number other, Number alpha) const {
  return elementwise_of_two(Op::add, *this, scaled(other, alpha));
}

Tensor Tensor::sub(const Tensor& other, Number alpha) const {
  if (alpha.value == 1) return elementwise_of_two(Op::sub, *this, other);
  if (is_floating(result_type({*this, other})))
    return elementwise(Op::add_scaled, {*this, other}, {-alpha.value});
  return elementwise_of_two(Op::sub, *this, other.mul(alpha));
}
Tensor Tensor::sub(Number other, Number alpha) const {
  return elementwise_of_two(Op::sub, *this, scaled(other, alpha));
}

Tensor operator-(Number a, const Tensor& b) { return elementwise(Op::sub, {a, b}); }
Tensor operator/(Number a, const Tensor& b) { return elementwise(Op::div, {a, b}); }

Tensor Tensor::pow(const Tensor& exponent) const { return elementwise(Op::pow, {*this, exponent}); }

// The common exponents have exact and cheaper formulas.
Tensor Tensor::pow(Number exponent) const {
  if (autocast_widens(*this)) return to(kFloat32).pow(exponent);
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
Tensor Tensor::clamp(const Tensor& low, const Tensor& high) const {
  return clamp_min(low).clamp_max(high);
}
Tensor Tensor::clamp_min(Number low) const {
  return clamp(low, {std::numeric_limits<double>::infinity(), low.kind});
}
Tensor Tensor::clamp_max(Number high) const {
  return clamp({-std::numeric_limits<double>::infinity(), high.kind}, high);
}
Tensor Tensor::clamp_min(const Tensor& low) const {
  return elementwise(Op::clamp_min, {*this, low});
}
Tensor Tensor::clamp_max(const Tensor& high) const {
  return elementwise(Op::clamp_max, {*this, high});
}

Tensor Tensor::addcmul(const Tensor& a, const Tensor& b, double value) const {
  return elementwise(Op::addcmul, {*this, a, b}, {value});
}
Tensor Tensor::addcdiv(const Tensor& a, const Tensor& b, double value) const {
  return elementwise(Op::addcdiv, {*this, a, b}, {value});
}

Tensor Tensor::lerp(const Tensor& end, const Tensor& weight) const {
  return elementwise(Op::lerp, {*this, end, weight});
}
Tensor Tensor::lerp(const Tensor& end, Number weight) const {
  return elementwise(Op::lerp, {*this, end, weight});
}

namespace {

double largest_of(DType dtype) {
  switch (dtype) {
    case kFloat64:
      return std::numeric_limits<double>::max();
    case kBFloat16:
      return 0x1.fep127;
    case kFloat16:
      return 65504;
    default:
      return std::numeric_limits<float>::max();
  }
}

}  // namespace

Tensor Tensor::nan_to_num(double nan, std::optional<double> posinf,
                          std::optional<double> neginf) const {
  const double most = largest_of(dtype());
  return elementwise(Op::nan_to_num, {*this}, {nan, posinf.value_or(most), neginf.value_or(-most)});
}

Tensor Tensor::gelu(const std::string& approximate) const {
  check(approximate == "none" || approximate == "tanh",
        {"gelu: approximate '", approximate, "': 'none' or 'tanh' is needed"});
  return elementwise(approximate == "tanh" ? Op::gelu_tanh : Op::gelu, {*this});
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

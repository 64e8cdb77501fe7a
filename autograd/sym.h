// Sym: a tensor or a plain number, with the operations that formulas use. A formula's derivative
// read with T = Sym gives the derivative as a recorded expression, so it can be differentiated
// again.
#pragma once

#include <cmath>

#include "../kernels/formulas.h"
#include "elementwise.h"
#include "ops.h"

namespace levin::inline v0 {

/// A number has no element type and no device: beside a tensor it takes the tensor's.
class Sym {
 public:
  Sym(Tensor tensor) : tensor_(std::move(tensor)) {}
  explicit Sym(int number) : number_(number) {}
  explicit Sym(double number) : number_(number) {}
  explicit Sym(Number number) : number_(number) {}

  bool is_number() const { return !tensor_.defined(); }
  const Tensor& tensor() const { return tensor_; }
  Number number() const { return number_; }
  Operand operand() const { return is_number() ? Operand(number_) : Operand(tensor_); }

 private:
  Tensor tensor_;
  Number number_ = 0;
};

/// The result of a comparison, and the element type of what was compared: that of numbers chosen by
/// it.
struct SymMask {
  Tensor tensor;
  DType dtype = kFloat32;
};

inline Sym apply(Op op, const Sym& a) { return elementwise(op, {a.operand()}); }
inline Sym apply(Op op, const Sym& a, const Sym& b) {
  return elementwise(op, {a.operand(), b.operand()});
}

#define LEVIN_SYM(symbol, name)                                                               \
  inline Sym operator symbol(const Sym& a, const Sym& b) {                                    \
    if (a.is_number() && b.is_number()) return Sym(a.number().value symbol b.number().value); \
    return apply(Op::name, a, b);                                                             \
  }
LEVIN_SYM(+, add)
LEVIN_SYM(-, sub)
LEVIN_SYM(*, mul)
LEVIN_SYM(/, div)
#undef LEVIN_SYM

inline Sym operator-(const Sym& a) {
  return a.is_number() ? Sym(-a.number().value) : apply(Op::neg, a);
}

#define LEVIN_SYM(symbol, name)                                                 \
  inline SymMask operator symbol(const Sym& a, const Sym& b) {                  \
    if (a.is_number() && b.is_number())                                         \
      return {levin::tensor(Number(a.number().value symbol b.number().value))}; \
    const DType dtype = (a.is_number() ? b : a).tensor().dtype();               \
    return {apply(Op::name, a, b).tensor(), dtype};                             \
  }
LEVIN_SYM(==, eq)
LEVIN_SYM(!=, ne)
LEVIN_SYM(<, lt)
LEVIN_SYM(<=, le)
LEVIN_SYM(>, gt)
LEVIN_SYM(>=, ge)
#undef LEVIN_SYM
inline SymMask operator!(const SymMask& a) { return {a.tensor.eq(Number(false)), a.dtype}; }
inline SymMask operator&(const SymMask& a, const SymMask& b) {
  return {a.tensor.mul(b.tensor), a.dtype};
}
inline SymMask operator|(const SymMask& a, const SymMask& b) {
  return {a.tensor.logical_or(b.tensor), a.dtype};
}

inline Sym select(const SymMask& mask, const Sym& a, const Sym& b) {
  if (a.is_number() && b.is_number())
    return where(mask.tensor, full({}, a.number(), mask.dtype), full({}, b.number(), mask.dtype));
  return elementwise(Op::where, {mask.tensor, a.operand(), b.operand()});
}

#define LEVIN_SYM(name)                                                           \
  inline Sym name(const Sym& x) {                                                 \
    return x.is_number() ? Sym(std::name(x.number().value)) : apply(Op::name, x); \
  }
LEVIN_SYM(abs)
LEVIN_SYM(floor)
LEVIN_SYM(trunc)
LEVIN_SYM(sqrt)
LEVIN_SYM(exp)
LEVIN_SYM(log)
LEVIN_SYM(log1p)
LEVIN_SYM(sin)
LEVIN_SYM(cos)
LEVIN_SYM(sinh)
LEVIN_SYM(cosh)
LEVIN_SYM(tanh)
LEVIN_SYM(erf)
#undef LEVIN_SYM
inline Sym sigmoid(const Sym& x) { return apply(Op::sigmoid, x); }
inline Sym softplus(const Sym& x) { return x.tensor().softplus(); }
inline Sym pow(const Sym& x, const Sym& z) { return apply(Op::pow, x, z); }

/// The gradient g times a derivative; where a mask does not hold, 0.
inline Tensor chain(const Tensor& g, const Sym& derivative) {
  return derivative.is_number() ? g.mul(derivative.number()) : g.mul(derivative.tensor());
}
inline Tensor chain(const Tensor& g, const SymMask& passes) {
  return where(passes.tensor, g, Number(0));
}
inline Tensor chain(const Tensor& g, const formula::Gated<SymMask, Sym>& derivative) {
  return where(derivative.passes.tensor, chain(g, derivative.factor), Number(0));
}

}  // namespace levin::inline v0

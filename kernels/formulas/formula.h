// Every elementwise formula with its derivative beside it. T is a vector of any width, a single
// number (One<float>), or Sym (autograd/sym.h) where the derivative itself is differentiated. So:
// `select`, not `?:`, and constants as T(0.5).
//
//   f(x..)             the value; predicates return what a comparison of T returns (a mask)
//   d0, d1, d2(x.., y) the derivative by each argument, also as a mask or Gated; y is the value.
//                      What `needs` leaves out is not passed: it is T(0)
//   kReads             for each derivative, the arguments that it reads, as bits; left out: all
//   kFloatsOnly        integers are converted to float32 first (exp, division)
//   kIntegersOnly      floating types are refused
//   kNotBool           bool is refused, as PyTorch does
//   kPredicate         f gives bool
//   kPasses0, 1        the derivative by that argument is 1: its gradient passes as it is
//
// Fields are the parameters: doubles, in the order of ops.def.
#pragma once

#include "../host_device.h"
#include "../op.h"

namespace levin::inline v0::formula {

/// A derivative that counts where `passes` holds. Elsewhere the gradient is exactly 0, also where
/// the one that comes in is infinite. A mask alone stands for the factor 1.
template <class Mask, class T>
struct Gated {
  Mask passes;
  T factor;
};
template <class Mask, class T>
Gated(Mask, T) -> Gated<Mask, T>;

/// The arguments that derivative `i` reads, as bits.
template <class F>
constexpr uint8_t arguments_read(int i) {
  if constexpr (requires { F::kReads; })
    return F::kReads[i];
  else
    return F::needs & input ? 7 : 0;
}

// Parts of several formulas. Sym has its own (autograd/sym.h): the operations, whose derivatives
// stay finite where e^x does not.
template <class T>
LEVIN_HD T sigmoid(T x) {
  return T(1) / (T(1) + exp(-x));
}
template <class T>
LEVIN_HD T softplus(T x) {
  return select(x > T(20), x, log1p(exp(x)));
}
template <class T>
LEVIN_HD T negative_part(T x) {
  return select(x < T(0), x, T(0));
}

}  // namespace levin::inline v0::formula

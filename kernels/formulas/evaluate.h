// A formula's value, or a derivative times the gradient, of operands that something loads.
#pragma once

#include "../formulas.h"

namespace levin::inline v0 {
namespace {

template <class F>
LEVIN_HD F formula_with(const double* numbers) {
  F formula{};
  if constexpr (!__is_empty(F)) __builtin_memcpy(&formula, numbers, sizeof(F));
  return formula;
}

// The gradient g times a derivative; where a mask does not hold, 0.
template <class V>
LEVIN_HD V chain(V g, V derivative) {
  return g * derivative;
}
template <class V, class Mask>
LEVIN_HD V chain(V g, Mask passes) {
  return select(passes, g, V(0));
}
template <class V, class Mask>
LEVIN_HD V chain(V g, formula::Gated<Mask, V> derivative) {
  return select(derivative.passes, g * derivative.factor, V(0));
}

// How many tensors a formula takes, by what f accepts.
template <class F, class V>
constexpr int arguments_of() {
  if constexpr (requires(F f, V v) { f.f(v); })
    return 1;
  else if constexpr (requires(F f, V v) { f.f(v, v); })
    return 2;
  else
    return 3;
}

// Does the formula have this derivative?
template <class F, class V, OpPart part>
constexpr bool has_part() {
  constexpr int n = arguments_of<F, V>();
  if constexpr (part == OpPart::f) return true;
  if constexpr (part == OpPart::d0 && n == 1) return requires(F f, V v) {
      f.d0(v, v);
    };
  if constexpr (part == OpPart::d0 && n == 2) return requires(F f, V v) {
      f.d0(v, v, v);
    };
  if constexpr (part == OpPart::d1 && n == 2) return requires(F f, V v) {
      f.d1(v, v, v);
    };
  if constexpr (part == OpPart::d0 && n == 3) return requires(F f, V v) {
      f.d0(v, v, v, v);
    };
  if constexpr (part == OpPart::d1 && n == 3) return requires(F f, V v) {
      f.d1(v, v, v, v);
    };
  if constexpr (part == OpPart::d2 && n == 3) return requires(F f, V v) {
      f.d2(v, v, v, v);
    };
  return false;
}

// Does the part read operand k? Of a derivative: arguments, behind them y, in 3 the gradient.
template <class F, OpPart part, class V>
constexpr bool reads(int k) {
  constexpr int arguments = arguments_of<F, V>();
  if constexpr (part == OpPart::f) {
    return k < arguments;
  } else {
    constexpr int derivative = int(part) - int(OpPart::d0);
    if (k == 3) return true;
    if (k == arguments) return F::needs & output;
    return k < arguments && formula::arguments_read<F>(derivative) >> k & 1;
  }
}

// The part of operands x; those that it does not read are 0.
template <class F, OpPart part, class V>
LEVIN_HD [[gnu::always_inline]] inline auto evaluate(const F& f, const V (&x)[4]) {
  constexpr int n = arguments_of<F, V>();
  if constexpr (part == OpPart::f) {
    if constexpr (n == 1)
      return f.f(x[0]);
    else if constexpr (n == 2)
      return f.f(x[0], x[1]);
    else
      return f.f(x[0], x[1], x[2]);
  } else if constexpr (n == 1) {
    return chain(x[3], f.d0(x[0], x[1]));
  } else if constexpr (n == 2) {
    if constexpr (part == OpPart::d0)
      return chain(x[3], f.d0(x[0], x[1], x[2]));
    else
      return chain(x[3], f.d1(x[0], x[1], x[2]));
  } else {
    if constexpr (part == OpPart::d0)
      return chain(x[3], f.d0(x[0], x[1], x[2], V(0)));
    else if constexpr (part == OpPart::d1)
      return chain(x[3], f.d1(x[0], x[1], x[2], V(0)));
    else
      return chain(x[3], f.d2(x[0], x[1], x[2], V(0)));
  }
}

}  // namespace
}  // namespace levin::inline v0

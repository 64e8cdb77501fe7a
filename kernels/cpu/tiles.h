// The loop of every formula over contiguous elements: whole vectors, then the rest one by one with
// the same operations.
#pragma once

#include "../formulas.h"
#include "isa.h"
#include "simd_math.h"

namespace levin::inline v0 {
namespace {

template <class F>
F formula_with(const double* numbers) {
  F formula{};
  if constexpr (!__is_empty(F)) __builtin_memcpy(&formula, numbers, sizeof(F));
  return formula;
}

template <class V>
V load_or_zero(const void* from, int64_t i) {
  using T = typename V::Element;
  return from ? V::load(static_cast<const T*>(from) + i) : V(0);
}

template <class V>
void put(V value, void* out, int64_t i) {
  value.store(static_cast<typename V::Element*>(out) + i);
}
inline void put(OneMask m, void* out, int64_t i) { store_mask(m, static_cast<bool*>(out) + i); }
#ifdef LEVIN_VECTORS
inline void put(MaskF m, void* out, int64_t i) { store_mask(m, static_cast<bool*>(out) + i); }
inline void put(MaskD m, void* out, int64_t i) { store_mask(m, static_cast<bool*>(out) + i); }
#endif

// The gradient g times a derivative; where a mask does not hold, 0.
template <class V>
V chain(V g, V derivative) {
  return g * derivative;
}
template <class V, class Mask>
V chain(V g, Mask passes) {
  return select(passes, g, V(0));
}
template <class V, class Mask>
V chain(V g, formula::Gated<Mask, V> derivative) {
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

template <class F, OpPart part, class V>
inline auto evaluate(const F& f, const void* const* in, int64_t i) {
  constexpr int n = arguments_of<F, V>();
  const auto argument = [&](int k) { return load_or_zero<V>(in[k], i); };
  if constexpr (part == OpPart::f) {
    if constexpr (n == 1)
      return f.f(argument(0));
    else if constexpr (n == 2)
      return f.f(argument(0), argument(1));
    else
      return f.f(argument(0), argument(1), argument(2));
  } else {
    const V g = argument(3);
    if constexpr (n == 1)
      return chain(g, f.d0(argument(0), argument(1)));
    else if constexpr (n == 2 && part == OpPart::d0)
      return chain(g, f.d0(argument(0), argument(1), argument(2)));
    else if constexpr (n == 2)
      return chain(g, f.d1(argument(0), argument(1), argument(2)));
    else if constexpr (part == OpPart::d0)
      return chain(g, f.d0(argument(0), argument(1), argument(2), V(0)));
    else if constexpr (part == OpPart::d1)
      return chain(g, f.d1(argument(0), argument(1), argument(2), V(0)));
    else
      return chain(g, f.d2(argument(0), argument(1), argument(2), V(0)));
  }
}

template <class F, OpPart part, class T>
void tile(const void* const* in, void* out, const double* numbers, int64_t n) {
  const F formula = formula_with<F>(numbers);
  const void* const operands[4] = {in[0], in[1], in[2], in[3]};
  int64_t i = 0;
  for (; i + Vec<T>::kWidth <= n; i += Vec<T>::kWidth)
    put(evaluate<F, part, Vec<T>>(formula, operands, i), out, i);
  for (; i < n; ++i) put(evaluate<F, part, One<T>>(formula, operands, i), out, i);
}

// Integers run number by number, also where floats have vectors.
template <class F>
void integer_tile(const void* const* in, void* out, const double* numbers, int64_t n) {
  const F formula = formula_with<F>(numbers);
  for (int64_t i = 0; i < n; ++i) put(evaluate<F, OpPart::f, I64>(formula, in, i), out, i);
}

template <class F, OpPart part>
void fill_part(Isa* isa, Op op) {
  auto& row = isa->tiles[int(op)][int(part)];
  if constexpr (requires { F::kIntegersOnly; }) {
    if constexpr (part == OpPart::f) row[kComputeI64] = integer_tile<F>;
  } else if constexpr (has_part<F, One<float>, part>()) {
    row[kComputeF32] = tile<F, part, float>;
    row[kComputeF64] = tile<F, part, double>;
    if constexpr (part == OpPart::f && !requires { F::kFloatsOnly; })
      row[kComputeI64] = integer_tile<F>;
  }
}

inline void fill_tiles(Isa* isa) {
#define OP(name, Struct, arguments, parameters)          \
  fill_part<formula::Struct, OpPart::f>(isa, Op::name);  \
  fill_part<formula::Struct, OpPart::d0>(isa, Op::name); \
  fill_part<formula::Struct, OpPart::d1>(isa, Op::name); \
  fill_part<formula::Struct, OpPart::d2>(isa, Op::name);
#define FORMULA OP
#include "../ops.def"
#undef FORMULA
#undef OP
}

}  // namespace
}  // namespace levin::inline v0

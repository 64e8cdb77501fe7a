// The loop of every formula over contiguous elements: whole vectors, then the first elements of one
// more, whose others are computed from zeros and left.
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

// The first `count` elements of a vector.
template <class V>
void put(V value, void* out, int64_t i, int64_t count) {
  value.store_first(static_cast<typename V::Element*>(out) + i, count);
}
inline void put(OneMask m, void* out, int64_t i, int64_t) {
  store_mask(m, static_cast<bool*>(out) + i);
}
#ifdef LEVIN_VECTORS
inline void put(MaskF m, void* out, int64_t i, int64_t count) {
  store_mask_first(m, static_cast<bool*>(out) + i, count);
}
inline void put(MaskD m, void* out, int64_t i, int64_t count) {
  store_mask_first(m, static_cast<bool*>(out) + i, count);
}
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

// Is operand k given? Of a derivative, what it reads: arguments, behind them y, in 3 the gradient.
template <class F, int arguments, OpPart part>
constexpr bool is_given(int k) {
  if constexpr (part == OpPart::f) {
    return true;
  } else {
    constexpr int derivative = int(part) - int(OpPart::d0);
    if (k == 3) return true;
    if (k == arguments) return F::needs & output;
    return formula::arguments_read<F>(derivative) >> k & 1;
  }
}

template <class F, OpPart part, class V>
[[gnu::always_inline]] inline auto evaluate(const F& f, const void* const* in, int64_t i,
                                            int64_t count) {
  constexpr int n = arguments_of<F, V>();
  const auto argument = [&]<int k>() __attribute__((always_inline)) {
    using T = typename V::Element;
    if constexpr (is_given<F, n, part>(k))
      return V::load_first(static_cast<const T*>(in[k]) + i, count);
    else
      return V(0);
  };
  if constexpr (part == OpPart::f) {
    if constexpr (n == 1)
      return f.f(argument.template operator()<0>());
    else if constexpr (n == 2)
      return f.f(argument.template operator()<0>(), argument.template operator()<1>());
    else
      return f.f(argument.template operator()<0>(), argument.template operator()<1>(),
                 argument.template operator()<2>());
  } else {
    const V g = argument.template operator()<3>();
    if constexpr (n == 1)
      return chain(g, f.d0(argument.template operator()<0>(), argument.template operator()<1>()));
    else if constexpr (n == 2 && part == OpPart::d0)
      return chain(g, f.d0(argument.template operator()<0>(), argument.template operator()<1>(),
                           argument.template operator()<2>()));
    else if constexpr (n == 2)
      return chain(g, f.d1(argument.template operator()<0>(), argument.template operator()<1>(),
                           argument.template operator()<2>()));
    else if constexpr (part == OpPart::d0)
      return chain(g, f.d0(argument.template operator()<0>(), argument.template operator()<1>(),
                           argument.template operator()<2>(), V(0)));
    else if constexpr (part == OpPart::d1)
      return chain(g, f.d1(argument.template operator()<0>(), argument.template operator()<1>(),
                           argument.template operator()<2>(), V(0)));
    else
      return chain(g, f.d2(argument.template operator()<0>(), argument.template operator()<1>(),
                           argument.template operator()<2>(), V(0)));
  }
}

template <class F, OpPart part, class T>
void tile(const void* const* in, void* out, const double* numbers, int64_t n) {
  using V = Vec<T>;
  const F formula = formula_with<F>(numbers);
  const void* const operands[4] = {in[0], in[1], in[2], in[3]};
  int64_t i = 0;
  for (; i + V::kWidth <= n; i += V::kWidth)
    put(evaluate<F, part, V>(formula, operands, i, V::kWidth), out, i, V::kWidth);
  if (i < n) put(evaluate<F, part, V>(formula, operands, i, n - i), out, i, n - i);
}

// Integers run number by number, also where floats have vectors.
template <class F>
void integer_tile(const void* const* in, void* out, const double* numbers, int64_t n) {
  const F formula = formula_with<F>(numbers);
  for (int64_t i = 0; i < n; ++i) put(evaluate<F, OpPart::f, I64>(formula, in, i, 1), out, i, 1);
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

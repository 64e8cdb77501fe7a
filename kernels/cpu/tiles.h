// The loop of every formula over contiguous elements: whole vectors, then the first elements of one
// more, whose others are computed from zeros and left.
#pragma once

#include "../formulas/evaluate.h"
#include "../formulas/math.h"
#include "isa.h"
#include "simd.h"

namespace levin::inline v0 {
namespace {

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

template <class F, OpPart part, class V>
[[gnu::always_inline]] inline auto evaluate_at(const F& f, const void* const* in, int64_t i,
                                               int64_t count) {
  const auto operand = [&]<int k>() __attribute__((always_inline)) {
    using T = typename V::Element;
    if constexpr (reads<F, part, V>(k))
      return V::load_first(static_cast<const T*>(in[k]) + i, count);
    else
      return V(0);
  };
  const V x[4] = {operand.template operator()<0>(), operand.template operator()<1>(),
                  operand.template operator()<2>(), operand.template operator()<3>()};
  return evaluate<F, part>(f, x);
}

template <class F, OpPart part, class T>
void tile(const void* const* in, void* out, const double* numbers, int64_t n) {
  using V = Vec<T>;
  const F formula = formula_with<F>(numbers);
  const void* const operands[4] = {in[0], in[1], in[2], in[3]};
  int64_t i = 0;
  for (; i + V::kWidth <= n; i += V::kWidth)
    put(evaluate_at<F, part, V>(formula, operands, i, V::kWidth), out, i, V::kWidth);
  if (i < n) put(evaluate_at<F, part, V>(formula, operands, i, n - i), out, i, n - i);
}

// Integers run number by number, also where floats have vectors.
template <class F>
void integer_tile(const void* const* in, void* out, const double* numbers, int64_t n) {
  const F formula = formula_with<F>(numbers);
  for (int64_t i = 0; i < n; ++i) put(evaluate_at<F, OpPart::f, I64>(formula, in, i, 1), out, i, 1);
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

// Rows of 16-bit floats and integers to float32, and 16-bit floats back: the compiler makes vectors of
// these loops.
#pragma once

#include "isa.h"

namespace levin::inline v0 {
namespace {

inline float widen(uint8_t x) { return x; }
inline float widen(int8_t x) { return x; }
inline float widen(int32_t x) { return static_cast<float>(x); }
inline float widen(int64_t x) { return static_cast<float>(x); }

template <class S>
void widen_row(const void* from, float* to, int64_t n) {
  const auto* x = static_cast<const S*>(from);
  for (int64_t i = 0; i < n; ++i) to[i] = widen(x[i]);
}
inline void to_bfloat16_row(const float* from, void* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) static_cast<BFloat16*>(to)[i] = to_bfloat16(from[i]);
}
inline void to_float16_row(const float* from, void* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) static_cast<Float16*>(to)[i] = to_float16(from[i]);
}

inline void fill_conversions(Isa* isa) {
  const auto at = [](DType dtype) { return static_cast<int>(dtype); };
  isa->widen[at(DType::bool_)] = widen_row<uint8_t>;  // of bools compilers make no vectors
  isa->widen[at(DType::uint8)] = widen_row<uint8_t>;
  isa->widen[at(DType::int8)] = widen_row<int8_t>;
  isa->widen[at(DType::int32)] = widen_row<int32_t>;
  isa->widen[at(DType::int64)] = widen_row<int64_t>;
  isa->widen[at(DType::bfloat16)] = widen_row<BFloat16>;
  isa->widen[at(DType::float16)] = widen_row<Float16>;
  isa->narrow[at(DType::bfloat16)] = to_bfloat16_row;
  isa->narrow[at(DType::float16)] = to_float16_row;
}

}  // namespace
}  // namespace levin::inline v0

// Vec<T> of AVX2: 8 floats, 4 doubles. load_first and store_first reach the first n elements only
// (n > 0); the rest is zeros.
#pragma once

#include "simd.h"

namespace levin::inline v0 {
namespace {

// All bits set in the first n of 8 words.
inline __m256i first_words(int64_t n) {
  static constexpr int32_t bits[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bits + 8 - n));
}

template <class T>
struct Vec;

struct MaskF {
  __m256 m;
};
inline MaskF operator!(MaskF a) {
  return {_mm256_xor_ps(a.m, _mm256_castsi256_ps(_mm256_set1_epi32(-1)))};
}
inline MaskF operator&(MaskF a, MaskF b) { return {_mm256_and_ps(a.m, b.m)}; }
inline MaskF operator|(MaskF a, MaskF b) { return {_mm256_or_ps(a.m, b.m)}; }
inline MaskF operator!=(MaskF a, MaskF b) { return {_mm256_xor_ps(a.m, b.m)}; }
template <>
struct Vec<float> {
  using Element = float;
  static constexpr int kWidth = 8;
  __m256 v;

  Vec() = default;
  Vec(__m256 value) : v(value) {}
  explicit Vec(double number) : v(_mm256_set1_ps(float(number))) {}
  explicit Vec(float number) : v(_mm256_set1_ps(number)) {}
  explicit Vec(int number) : v(_mm256_set1_ps(float(number))) {}
  static Vec load(const float* from) { return _mm256_loadu_ps(from); }
  void store(float* to) const { _mm256_storeu_ps(to, v); }
  static Vec load_first(const float* from, int64_t n) {
    return n >= kWidth ? load(from) : _mm256_maskload_ps(from, first_words(n));
  }
  // Not by a masked store, which takes many times as long on some processors.
  void store_first(float* to, int64_t n) const {
    if (n >= kWidth) return store(to);
    __m128 left = _mm256_castps256_ps128(v);
    if (n & 4) {
      _mm_storeu_ps(to, left);
      left = _mm256_extractf128_ps(v, 1);
      to += 4;
    }
    if (n & 2) {
      _mm_storel_pi(reinterpret_cast<__m64*>(to), left);
      left = _mm_movehl_ps(left, left);
      to += 2;
    }
    if (n & 1) _mm_store_ss(to, left);
  }
};
using VecF = Vec<float>;
inline VecF operator+(VecF a, VecF b) { return _mm256_add_ps(a.v, b.v); }
inline VecF operator-(VecF a, VecF b) { return _mm256_sub_ps(a.v, b.v); }
inline VecF operator*(VecF a, VecF b) { return _mm256_mul_ps(a.v, b.v); }
inline VecF operator/(VecF a, VecF b) { return _mm256_div_ps(a.v, b.v); }
inline VecF operator-(VecF a) { return _mm256_xor_ps(a.v, _mm256_set1_ps(-0.0f)); }
inline MaskF operator<(VecF a, VecF b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
inline MaskF operator<=(VecF a, VecF b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ)}; }
inline MaskF operator>(VecF a, VecF b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ)}; }
inline MaskF operator>=(VecF a, VecF b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GE_OQ)}; }
inline MaskF operator==(VecF a, VecF b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)}; }
inline MaskF operator!=(VecF a, VecF b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_NEQ_UQ)}; }
inline VecF select(MaskF m, VecF a, VecF b) { return _mm256_blendv_ps(b.v, a.v, m.m); }
inline VecF abs(VecF a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v); }
inline VecF sqrt(VecF a) { return _mm256_sqrt_ps(a.v); }
inline VecF floor(VecF a) { return _mm256_floor_ps(a.v); }
inline VecF ceil(VecF a) { return _mm256_ceil_ps(a.v); }
inline VecF round(VecF a) {
  return _mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline VecF trunc(VecF a) { return _mm256_round_ps(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
inline VecF fma(VecF a, VecF b, VecF c) { return _mm256_fmadd_ps(a.v, b.v, c.v); }
inline void store_mask(MaskF m, bool* to) {
  const __m256i words = _mm256_castps_si256(m.m);
  const __m128i halves =
      _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  const __m128i bytes = _mm_and_si128(_mm_packs_epi16(halves, halves), _mm_set1_epi8(1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), bytes);
}
// Lane j + half in place of lane j; half is a power of 2.
template <int half>
VecF moved_down(VecF a) {
  if constexpr (half == 4) return _mm256_permute2f128_ps(a.v, a.v, 1);
  if constexpr (half == 2) return _mm256_permute_ps(a.v, 0b1110);
  return _mm256_permute_ps(a.v, 0b0001);
}
inline float first_lane(VecF a) { return _mm256_cvtss_f32(a.v); }
inline void store_mask_first(MaskF m, bool* to, int64_t n) {
  if (n >= VecF::kWidth) return store_mask(m, to);
  const int bits = _mm256_movemask_ps(m.m);
  for (int i = 0; i < n; ++i) to[i] = bits >> i & 1;
}
inline VecF lesser(VecF a, VecF b) { return _mm256_min_ps(a.v, b.v); }
inline VecF greater(VecF a, VecF b) { return _mm256_max_ps(a.v, b.v); }
inline VecF copy_sign(VecF size, VecF sign) {
  const __m256 mask = _mm256_set1_ps(-0.0f);
  return _mm256_or_ps(_mm256_andnot_ps(mask, size.v), _mm256_and_ps(mask, sign.v));
}
inline bool any(MaskF m) { return _mm256_movemask_ps(m.m) != 0; }
inline VecF power_of_two(VecF shifted) {
  const __m256i n = _mm256_slli_epi32(_mm256_castps_si256(shifted.v), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(n, _mm256_set1_epi32(Format<float>::kOne)));
}
inline MaskF is_odd(VecF shifted) {
  const __m256i one = _mm256_set1_epi32(1);
  const __m256i low = _mm256_and_si256(_mm256_castps_si256(shifted.v), one);
  return {_mm256_castsi256_ps(_mm256_cmpeq_epi32(low, one))};
}
inline VecF negate_if_second_bit(VecF x, VecF shifted) {
  const __m256i sign = _mm256_slli_epi32(_mm256_srli_epi32(_mm256_castps_si256(shifted.v), 1), 31);
  return _mm256_xor_ps(x.v, _mm256_castsi256_ps(sign));
}
inline VecF scale(VecF x, VecF shifted) { return scale_in_two(x, shifted); }
inline VecF split_exponent(VecF x, VecF* exponent) {
  const __m256i bits = _mm256_castps_si256(x.v);
  const __m256i e =
      _mm256_srai_epi32(_mm256_sub_epi32(bits, _mm256_set1_epi32(Format<float>::kSqrtHalf)), 23);
  *exponent = _mm256_cvtepi32_ps(e);
  return _mm256_castsi256_ps(_mm256_sub_epi32(bits, _mm256_slli_epi32(e, 23)));
}

struct MaskD {
  __m256d m;
};
inline MaskD operator!(MaskD a) {
  return {_mm256_xor_pd(a.m, _mm256_castsi256_pd(_mm256_set1_epi64x(-1)))};
}
inline MaskD operator&(MaskD a, MaskD b) { return {_mm256_and_pd(a.m, b.m)}; }
inline MaskD operator|(MaskD a, MaskD b) { return {_mm256_or_pd(a.m, b.m)}; }
inline MaskD operator!=(MaskD a, MaskD b) { return {_mm256_xor_pd(a.m, b.m)}; }
template <>
struct Vec<double> {
  using Element = double;
  static constexpr int kWidth = 4;
  __m256d v;

  Vec() = default;
  Vec(__m256d value) : v(value) {}
  explicit Vec(double number) : v(_mm256_set1_pd(number)) {}
  explicit Vec(int number) : v(_mm256_set1_pd(number)) {}
  static Vec load(const double* from) { return _mm256_loadu_pd(from); }
  void store(double* to) const { _mm256_storeu_pd(to, v); }
  static Vec load_first(const double* from, int64_t n) {
    return n >= kWidth ? load(from) : _mm256_maskload_pd(from, first_words(2 * n));
  }
  void store_first(double* to, int64_t n) const {
    if (n >= kWidth) return store(to);
    __m128d left = _mm256_castpd256_pd128(v);
    if (n & 2) {
      _mm_storeu_pd(to, left);
      left = _mm256_extractf128_pd(v, 1);
      to += 2;
    }
    if (n & 1) _mm_store_sd(to, left);
  }
};
using VecD = Vec<double>;
inline VecD operator+(VecD a, VecD b) { return _mm256_add_pd(a.v, b.v); }
inline VecD operator-(VecD a, VecD b) { return _mm256_sub_pd(a.v, b.v); }
inline VecD operator*(VecD a, VecD b) { return _mm256_mul_pd(a.v, b.v); }
inline VecD operator/(VecD a, VecD b) { return _mm256_div_pd(a.v, b.v); }
inline VecD operator-(VecD a) { return _mm256_xor_pd(a.v, _mm256_set1_pd(-0.0)); }
inline MaskD operator<(VecD a, VecD b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_LT_OQ)}; }
inline MaskD operator<=(VecD a, VecD b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_LE_OQ)}; }
inline MaskD operator>(VecD a, VecD b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_GT_OQ)}; }
inline MaskD operator>=(VecD a, VecD b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_GE_OQ)}; }
inline MaskD operator==(VecD a, VecD b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_EQ_OQ)}; }
inline MaskD operator!=(VecD a, VecD b) { return {_mm256_cmp_pd(a.v, b.v, _CMP_NEQ_UQ)}; }
inline VecD select(MaskD m, VecD a, VecD b) { return _mm256_blendv_pd(b.v, a.v, m.m); }
inline VecD abs(VecD a) { return _mm256_andnot_pd(_mm256_set1_pd(-0.0), a.v); }
inline VecD sqrt(VecD a) { return _mm256_sqrt_pd(a.v); }
inline VecD floor(VecD a) { return _mm256_floor_pd(a.v); }
inline VecD ceil(VecD a) { return _mm256_ceil_pd(a.v); }
inline VecD round(VecD a) {
  return _mm256_round_pd(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline VecD trunc(VecD a) { return _mm256_round_pd(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
inline VecD fma(VecD a, VecD b, VecD c) { return _mm256_fmadd_pd(a.v, b.v, c.v); }
inline void store_mask_first(MaskD m, bool* to, int64_t n) {
  const int bits = _mm256_movemask_pd(m.m);
  for (int i = 0; i < 4 && i < n; ++i) to[i] = bits >> i & 1;
}
inline VecD lesser(VecD a, VecD b) { return _mm256_min_pd(a.v, b.v); }
inline VecD greater(VecD a, VecD b) { return _mm256_max_pd(a.v, b.v); }
inline VecD copy_sign(VecD size, VecD sign) {
  const __m256d mask = _mm256_set1_pd(-0.0);
  return _mm256_or_pd(_mm256_andnot_pd(mask, size.v), _mm256_and_pd(mask, sign.v));
}
inline bool any(MaskD m) { return _mm256_movemask_pd(m.m) != 0; }
inline VecD power_of_two(VecD shifted) {
  const __m256i n = _mm256_slli_epi64(_mm256_castpd_si256(shifted.v), 52);
  return _mm256_castsi256_pd(_mm256_add_epi64(n, _mm256_set1_epi64x(Format<double>::kOne)));
}
inline MaskD is_odd(VecD shifted) {
  const __m256i one = _mm256_set1_epi64x(1);
  const __m256i low = _mm256_and_si256(_mm256_castpd_si256(shifted.v), one);
  return {_mm256_castsi256_pd(_mm256_cmpeq_epi64(low, one))};
}
inline VecD negate_if_second_bit(VecD x, VecD shifted) {
  const __m256i sign = _mm256_slli_epi64(_mm256_srli_epi64(_mm256_castpd_si256(shifted.v), 1), 63);
  return _mm256_xor_pd(x.v, _mm256_castsi256_pd(sign));
}
inline VecD scale(VecD x, VecD shifted) { return scale_in_two(x, shifted); }
// AVX2 has no conversion of 64-bit integers: the exponent, made positive, becomes the fraction of a
// number from 2^52 on.
inline VecD split_exponent(VecD x, VecD* exponent) {
  const __m256i bits = _mm256_castpd_si256(x.v), bias = _mm256_set1_epi64x(int64_t{1024} << 52);
  const __m256i from_root = _mm256_sub_epi64(bits, _mm256_set1_epi64x(Format<double>::kSqrtHalf));
  const __m256i e = _mm256_srli_epi64(_mm256_add_epi64(from_root, bias), 52);
  const __m256d start = _mm256_set1_pd(4503599627370496.0);
  *exponent = VecD(_mm256_or_pd(_mm256_castsi256_pd(e), start)) - VecD(4503599627370496.0 + 1024);
  const __m256i whole = _mm256_slli_epi64(e, 52);  // its bias, 2^62, is subtracted again
  return _mm256_castsi256_pd(_mm256_add_epi64(_mm256_sub_epi64(bits, whole), bias));
}
template <int half>
VecD moved_down(VecD a) {
  if constexpr (half == 2) return _mm256_permute2f128_pd(a.v, a.v, 1);
  return _mm256_permute_pd(a.v, 0b0101);
}
inline double first_lane(VecD a) { return _mm256_cvtsd_f64(a.v); }

}  // namespace
}  // namespace levin::inline v0

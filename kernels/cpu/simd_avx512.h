// Vec<T> of AVX-512 (F, BW, DQ, VL): 16 floats, 8 doubles. load_first and store_first reach the first
// n elements only (n > 0); the rest is zeros.
#pragma once

#include "simd.h"

namespace levin::inline v0 {
namespace {

template <class T>
struct Vec;

struct MaskF {
  __mmask16 m;
};
inline MaskF operator!(MaskF a) { return {static_cast<__mmask16>(~a.m)}; }
inline MaskF operator&(MaskF a, MaskF b) { return {static_cast<__mmask16>(a.m & b.m)}; }
inline MaskF operator|(MaskF a, MaskF b) { return {static_cast<__mmask16>(a.m | b.m)}; }
inline MaskF operator!=(MaskF a, MaskF b) { return {static_cast<__mmask16>(a.m ^ b.m)}; }
template <>
struct Vec<float> {
  using Element = float;
  static constexpr int kWidth = 16;
  __m512 v;

  Vec() = default;
  Vec(__m512 value) : v(value) {}
  explicit Vec(double number) : v(_mm512_set1_ps(float(number))) {}
  explicit Vec(float number) : v(_mm512_set1_ps(number)) {}
  explicit Vec(int number) : v(_mm512_set1_ps(float(number))) {}
  static Vec load(const float* from) { return _mm512_loadu_ps(from); }
  void store(float* to) const { _mm512_storeu_ps(to, v); }
  static Vec load_first(const float* from, int64_t n) {
    return n >= kWidth ? load(from) : _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), from);
  }
  void store_first(float* to, int64_t n) const {
    if (n >= kWidth) return store(to);
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << n) - 1), v);
  }
};
using VecF = Vec<float>;
inline VecF operator+(VecF a, VecF b) { return _mm512_add_ps(a.v, b.v); }
inline VecF operator-(VecF a, VecF b) { return _mm512_sub_ps(a.v, b.v); }
inline VecF operator*(VecF a, VecF b) { return _mm512_mul_ps(a.v, b.v); }
inline VecF operator/(VecF a, VecF b) { return _mm512_div_ps(a.v, b.v); }
inline VecF operator-(VecF a) { return _mm512_xor_ps(a.v, _mm512_set1_ps(-0.0f)); }
inline MaskF operator<(VecF a, VecF b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
inline MaskF operator<=(VecF a, VecF b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ)}; }
inline MaskF operator>(VecF a, VecF b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ)}; }
inline MaskF operator>=(VecF a, VecF b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GE_OQ)}; }
inline MaskF operator==(VecF a, VecF b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
inline MaskF operator!=(VecF a, VecF b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_NEQ_UQ)}; }
inline VecF select(MaskF m, VecF a, VecF b) { return _mm512_mask_blend_ps(m.m, b.v, a.v); }
inline VecF abs(VecF a) { return _mm512_abs_ps(a.v); }
inline VecF sqrt(VecF a) { return _mm512_sqrt_ps(a.v); }
inline VecF floor(VecF a) {
  return _mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
inline VecF ceil(VecF a) {
  return _mm512_roundscale_ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
}
inline VecF round(VecF a) {
  return _mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline VecF trunc(VecF a) {
  return _mm512_roundscale_ps(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}
inline VecF fma(VecF a, VecF b, VecF c) { return _mm512_fmadd_ps(a.v, b.v, c.v); }
inline void store_mask(MaskF m, bool* to) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_maskz_set1_epi8(m.m, 1));
}
// Lane j + half in place of lane j; half is a power of 2.
template <int half>
VecF moved_down(VecF a) {
  if constexpr (half == 8) return _mm512_shuffle_f32x4(a.v, a.v, 0b1110);
  if constexpr (half == 4) return _mm512_shuffle_f32x4(a.v, a.v, 0b0001);
  if constexpr (half == 2) return _mm512_permute_ps(a.v, 0b1110);
  return _mm512_permute_ps(a.v, 0b0001);
}
inline float first_lane(VecF a) { return _mm512_cvtss_f32(a.v); }
inline void store_mask_first(MaskF m, bool* to, int64_t n) {
  if (n >= VecF::kWidth) return store_mask(m, to);
  _mm_mask_storeu_epi8(to, (__mmask16)((1u << n) - 1), _mm_maskz_set1_epi8(m.m, 1));
}
inline VecF lesser(VecF a, VecF b) { return _mm512_min_ps(a.v, b.v); }
inline VecF greater(VecF a, VecF b) { return _mm512_max_ps(a.v, b.v); }
inline VecF copy_sign(VecF size, VecF sign) {
  const __m512 mask = _mm512_set1_ps(-0.0f);
  return _mm512_or_ps(_mm512_andnot_ps(mask, size.v), _mm512_and_ps(mask, sign.v));
}
inline bool any(MaskF m) { return m.m != 0; }
inline VecF power_of_two(VecF shifted) {
  const __m512i n = _mm512_slli_epi32(_mm512_castps_si512(shifted.v), 23);
  return _mm512_castsi512_ps(_mm512_add_epi32(n, _mm512_set1_epi32(Format<float>::kOne)));
}
inline MaskF is_odd(VecF shifted) {
  return {_mm512_test_epi32_mask(_mm512_castps_si512(shifted.v), _mm512_set1_epi32(1))};
}
inline VecF negate_if_second_bit(VecF x, VecF shifted) {
  const __m512i sign = _mm512_slli_epi32(_mm512_srli_epi32(_mm512_castps_si512(shifted.v), 1), 31);
  return _mm512_xor_ps(x.v, _mm512_castsi512_ps(sign));
}
inline VecF scale(VecF x, VecF shifted) {
  return _mm512_scalef_ps(x.v, (shifted - shift<VecF>()).v);
}
inline VecF split_exponent(VecF x, VecF* exponent) {
  const __m512i bits = _mm512_castps_si512(x.v);
  const __m512i e =
      _mm512_srai_epi32(_mm512_sub_epi32(bits, _mm512_set1_epi32(Format<float>::kSqrtHalf)), 23);
  *exponent = _mm512_cvtepi32_ps(e);
  return _mm512_castsi512_ps(_mm512_sub_epi32(bits, _mm512_slli_epi32(e, 23)));
}

struct MaskD {
  __mmask8 m;
};
inline MaskD operator!(MaskD a) { return {static_cast<__mmask8>(~a.m)}; }
inline MaskD operator&(MaskD a, MaskD b) { return {static_cast<__mmask8>(a.m & b.m)}; }
inline MaskD operator|(MaskD a, MaskD b) { return {static_cast<__mmask8>(a.m | b.m)}; }
inline MaskD operator!=(MaskD a, MaskD b) { return {static_cast<__mmask8>(a.m ^ b.m)}; }
template <>
struct Vec<double> {
  using Element = double;
  static constexpr int kWidth = 8;
  __m512d v;

  Vec() = default;
  Vec(__m512d value) : v(value) {}
  explicit Vec(double number) : v(_mm512_set1_pd(number)) {}
  explicit Vec(int number) : v(_mm512_set1_pd(number)) {}
  static Vec load(const double* from) { return _mm512_loadu_pd(from); }
  void store(double* to) const { _mm512_storeu_pd(to, v); }
  static Vec load_first(const double* from, int64_t n) {
    return n >= kWidth ? load(from) : _mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1), from);
  }
  void store_first(double* to, int64_t n) const {
    if (n >= kWidth) return store(to);
    _mm512_mask_storeu_pd(to, (__mmask8)((1u << n) - 1), v);
  }
};
using VecD = Vec<double>;
inline VecD operator+(VecD a, VecD b) { return _mm512_add_pd(a.v, b.v); }
inline VecD operator-(VecD a, VecD b) { return _mm512_sub_pd(a.v, b.v); }
inline VecD operator*(VecD a, VecD b) { return _mm512_mul_pd(a.v, b.v); }
inline VecD operator/(VecD a, VecD b) { return _mm512_div_pd(a.v, b.v); }
inline VecD operator-(VecD a) { return _mm512_xor_pd(a.v, _mm512_set1_pd(-0.0)); }
inline MaskD operator<(VecD a, VecD b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_LT_OQ)}; }
inline MaskD operator<=(VecD a, VecD b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_LE_OQ)}; }
inline MaskD operator>(VecD a, VecD b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_GT_OQ)}; }
inline MaskD operator>=(VecD a, VecD b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_GE_OQ)}; }
inline MaskD operator==(VecD a, VecD b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_EQ_OQ)}; }
inline MaskD operator!=(VecD a, VecD b) { return {_mm512_cmp_pd_mask(a.v, b.v, _CMP_NEQ_UQ)}; }
inline VecD select(MaskD m, VecD a, VecD b) { return _mm512_mask_blend_pd(m.m, b.v, a.v); }
inline VecD abs(VecD a) { return _mm512_abs_pd(a.v); }
inline VecD sqrt(VecD a) { return _mm512_sqrt_pd(a.v); }
inline VecD floor(VecD a) {
  return _mm512_roundscale_pd(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
inline VecD ceil(VecD a) {
  return _mm512_roundscale_pd(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
}
inline VecD round(VecD a) {
  return _mm512_roundscale_pd(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
inline VecD trunc(VecD a) {
  return _mm512_roundscale_pd(a.v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}
inline VecD fma(VecD a, VecD b, VecD c) { return _mm512_fmadd_pd(a.v, b.v, c.v); }
inline void store_mask(MaskD m, bool* to) {
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_maskz_set1_epi8(m.m, 1));
}
template <int half>
VecD moved_down(VecD a) {
  if constexpr (half == 4) return _mm512_shuffle_f64x2(a.v, a.v, 0b1110);
  if constexpr (half == 2) return _mm512_shuffle_f64x2(a.v, a.v, 0b0001);
  return _mm512_permute_pd(a.v, 0b01010101);
}
inline double first_lane(VecD a) { return _mm512_cvtsd_f64(a.v); }
inline void store_mask_first(MaskD m, bool* to, int64_t n) {
  if (n >= VecD::kWidth) return store_mask(m, to);
  _mm_mask_storeu_epi8(to, (__mmask16)((1u << n) - 1), _mm_maskz_set1_epi8(m.m, 1));
}
inline VecD lesser(VecD a, VecD b) { return _mm512_min_pd(a.v, b.v); }
inline VecD greater(VecD a, VecD b) { return _mm512_max_pd(a.v, b.v); }
inline VecD copy_sign(VecD size, VecD sign) {
  const __m512d mask = _mm512_set1_pd(-0.0);
  return _mm512_or_pd(_mm512_andnot_pd(mask, size.v), _mm512_and_pd(mask, sign.v));
}
inline bool any(MaskD m) { return m.m != 0; }
inline VecD power_of_two(VecD shifted) {
  const __m512i n = _mm512_slli_epi64(_mm512_castpd_si512(shifted.v), 52);
  return _mm512_castsi512_pd(_mm512_add_epi64(n, _mm512_set1_epi64(Format<double>::kOne)));
}
inline MaskD is_odd(VecD shifted) {
  return {_mm512_test_epi64_mask(_mm512_castpd_si512(shifted.v), _mm512_set1_epi64(1))};
}
inline VecD negate_if_second_bit(VecD x, VecD shifted) {
  const __m512i sign = _mm512_slli_epi64(_mm512_srli_epi64(_mm512_castpd_si512(shifted.v), 1), 63);
  return _mm512_xor_pd(x.v, _mm512_castsi512_pd(sign));
}
inline VecD scale(VecD x, VecD shifted) {
  return _mm512_scalef_pd(x.v, (shifted - shift<VecD>()).v);
}
inline VecD split_exponent(VecD x, VecD* exponent) {
  const __m512i bits = _mm512_castpd_si512(x.v);
  const __m512i e =
      _mm512_srai_epi64(_mm512_sub_epi64(bits, _mm512_set1_epi64(Format<double>::kSqrtHalf)), 52);
  *exponent = _mm512_cvtepi64_pd(e);
  return _mm512_castsi512_pd(_mm512_sub_epi64(bits, _mm512_slli_epi64(e, 52)));
}

}  // namespace
}  // namespace levin::inline v0

// One<T>: a number with the operations of a vector. Vec<T>: the vector of the instruction set this
// file is compiled for. Everything is in an anonymous namespace and calls nothing inline from
// elsewhere: the linker must not keep one instruction set's copy for all.
#pragma once

#include <stdint.h>

#ifdef LEVIN_AVX2
#include <immintrin.h>
#endif

namespace levin::inline v0 {
namespace {

// ---- One

struct OneMask {
  bool m;
};

inline OneMask operator!(OneMask a) { return {!a.m}; }
inline OneMask operator&(OneMask a, OneMask b) { return {a.m && b.m}; }
inline OneMask operator|(OneMask a, OneMask b) { return {a.m || b.m}; }
inline OneMask operator!=(OneMask a, OneMask b) { return {a.m != b.m}; }

template <class T>
struct One {
  using Element = T;
  static constexpr int kWidth = 1;
  T v;

  One() = default;
  explicit One(double number) : v(static_cast<T>(number)) {}
  explicit One(float number) : v(static_cast<T>(number)) {}
  explicit One(int number) : v(static_cast<T>(number)) {}
  static One raw(T value) {
    One one;
    one.v = value;
    return one;
  }
  static One load(const T* from) { return raw(*from); }
  void store(T* to) const { *to = v; }
  static One load_first(const T* from, int64_t) { return load(from); }
  void store_first(T* to, int64_t) const { store(to); }
};

// A double that int64 cannot hold (a clamp's infinite bound) becomes the nearest value.
template <>
inline One<int64_t>::One(double number)
    : v(number >= 9223372036854775808.0   ? INT64_MAX
        : number < -9223372036854775808.0 ? INT64_MIN
                                          : static_cast<int64_t>(number)) {}

template <class T>
One<T> operator+(One<T> a, One<T> b) {
  return One<T>::raw(a.v + b.v);
}
template <class T>
One<T> operator-(One<T> a, One<T> b) {
  return One<T>::raw(a.v - b.v);
}
template <class T>
One<T> operator*(One<T> a, One<T> b) {
  return One<T>::raw(a.v * b.v);
}
template <class T>
One<T> operator/(One<T> a, One<T> b) {
  return One<T>::raw(a.v / b.v);
}
template <class T>
One<T> operator-(One<T> a) {
  return One<T>::raw(-a.v);
}
template <class T>
OneMask operator<(One<T> a, One<T> b) {
  return {a.v < b.v};
}
template <class T>
OneMask operator<=(One<T> a, One<T> b) {
  return {a.v <= b.v};
}
template <class T>
OneMask operator>(One<T> a, One<T> b) {
  return {a.v > b.v};
}
template <class T>
OneMask operator>=(One<T> a, One<T> b) {
  return {a.v >= b.v};
}
template <class T>
OneMask operator==(One<T> a, One<T> b) {
  return {a.v == b.v};
}
template <class T>
OneMask operator!=(One<T> a, One<T> b) {
  return {a.v != b.v};
}
template <class T>
One<T> select(OneMask m, One<T> a, One<T> b) {
  return m.m ? a : b;
}

// Integers wrap around, as PyTorch's do; signed overflow would be undefined.
using I64 = One<int64_t>;
inline I64 operator+(I64 a, I64 b) { return I64::raw(int64_t(uint64_t(a.v) + uint64_t(b.v))); }
inline I64 operator-(I64 a, I64 b) { return I64::raw(int64_t(uint64_t(a.v) - uint64_t(b.v))); }
inline I64 operator*(I64 a, I64 b) { return I64::raw(int64_t(uint64_t(a.v) * uint64_t(b.v))); }
inline I64 operator-(I64 a) { return I64::raw(int64_t(-uint64_t(a.v))); }
inline I64 operator~(I64 a) { return I64::raw(~a.v); }
inline I64 operator&(I64 a, I64 b) { return I64::raw(a.v & b.v); }
inline I64 operator|(I64 a, I64 b) { return I64::raw(a.v | b.v); }
inline I64 operator^(I64 a, I64 b) { return I64::raw(a.v ^ b.v); }
inline I64 abs(I64 a) { return a.v < 0 ? -a : a; }
inline I64 floor(I64 a) { return a; }
inline I64 ceil(I64 a) { return a; }
inline I64 round(I64 a) { return a; }
inline I64 trunc(I64 a) { return a; }
// Division by 0 is refused before it comes here; by -1 the smallest number has no quotient.
inline I64 fmod(I64 a, I64 b) { return I64::raw(b.v == 0 || b.v == -1 ? 0 : a.v % b.v); }
inline I64 floor_divide(I64 a, I64 b) {
  if (b.v == 0) return b;
  if (b.v == -1) return -a;
  return I64::raw(a.v / b.v - (a.v % b.v != 0 && (a.v < 0) != (b.v < 0)));
}
inline I64 pow(I64 x, I64 z) {
  if (z.v < 0) return I64::raw(x.v == 1 ? 1 : x.v == -1 ? (z.v % 2 ? -1 : 1) : 0);
  uint64_t result = 1, power = uint64_t(x.v);
  for (int64_t left = z.v; left; left >>= 1, power *= power)
    if (left & 1) result *= power;
  return I64::raw(int64_t(result));
}

inline One<float> abs(One<float> a) { return One<float>::raw(__builtin_fabsf(a.v)); }
inline One<double> abs(One<double> a) { return One<double>::raw(__builtin_fabs(a.v)); }
inline One<float> sqrt(One<float> a) { return One<float>::raw(__builtin_sqrtf(a.v)); }
inline One<double> sqrt(One<double> a) { return One<double>::raw(__builtin_sqrt(a.v)); }

#define LEVIN_ROUND(name, function)                                                              \
  inline One<float> name(One<float> a) { return One<float>::raw(__builtin_##function##f(a.v)); } \
  inline One<double> name(One<double> a) { return One<double>::raw(__builtin_##function(a.v)); }
LEVIN_ROUND(floor, floor)
LEVIN_ROUND(ceil, ceil)
LEVIN_ROUND(round, nearbyint)
LEVIN_ROUND(trunc, trunc)
#undef LEVIN_ROUND

// a * b + c: one rounding where the instruction set has it. A processor without it is repeatable in
// itself.
#ifdef LEVIN_AVX2
inline One<float> fma(One<float> a, One<float> b, One<float> c) {
  return One<float>::raw(__builtin_fmaf(a.v, b.v, c.v));
}
inline One<double> fma(One<double> a, One<double> b, One<double> c) {
  return One<double>::raw(__builtin_fma(a.v, b.v, c.v));
}
#else
template <class T>
One<T> fma(One<T> a, One<T> b, One<T> c) {
  return a * b + c;
}
#endif

inline void store_mask(OneMask m, bool* to) { *to = m.m; }

// To the nearest whole number, ties to even; |a| < 2^22.
inline One<float> round_small(One<float> a) {
  const float magic = 12582912.0f;  // 1.5 * 2^23
  return One<float>::raw((a.v + magic) - magic);
}
// 2^n for whole n in [-126, 127].
inline One<float> exp2_of_whole(One<float> n) {
  const uint32_t bits = uint32_t(int32_t(n.v) + 127) << 23;
  float result;
  __builtin_memcpy(&result, &bits, 4);
  return One<float>::raw(result);
}
// x = mantissa * 2^exponent with mantissa in [sqrt(1/2), sqrt(2)), for normal positive x.
inline One<float> split_exponent(One<float> x, One<float>* exponent) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x.v, 4);
  const uint32_t shifted = bits - 0x3f3504f3u;  // sqrt(1/2)
  const int32_t e = int32_t(shifted) >> 23;
  const uint32_t mantissa = bits - (uint32_t(e) << 23);
  exponent->v = float(e);
  One<float> result;
  __builtin_memcpy(&result.v, &mantissa, 4);
  return result;
}

#ifndef LEVIN_AVX2
template <class T>
using Vec = One<T>;
#else

// ---- AVX2
//
// load_first and store_first reach the first n elements only (n > 0); the rest is zeros.

// All bits set in the first n of 8 words.
inline __m256i first_words(int64_t n) {
  static constexpr int32_t bits[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bits + 8 - n));
}

template <class T>
struct Vec : One<T> {  // integers: one at a time
  using One<T>::One;
};

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
inline VecF round_small(VecF a) {
  const VecF magic(12582912.0f);
  return (a + magic) - magic;
}
inline VecF exp2_of_whole(VecF n) {
  const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(n.v), _mm256_set1_epi32(127));
  return _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23));
}
inline VecF split_exponent(VecF x, VecF* exponent) {
  const __m256i bits = _mm256_castps_si256(x.v);
  const __m256i e = _mm256_srai_epi32(_mm256_sub_epi32(bits, _mm256_set1_epi32(0x3f3504f3)), 23);
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
inline void store_mask(MaskD m, bool* to) {
  const int bits = _mm256_movemask_pd(m.m);
  for (int i = 0; i < 4; ++i) to[i] = bits >> i & 1;
}
#endif

}  // namespace
}  // namespace levin::inline v0

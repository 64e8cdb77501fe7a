// One<T>: a number with the operations of a vector. Everything is in an anonymous namespace and calls
// nothing inline from elsewhere: each instruction set has a copy of its own, and the linker must not
// keep one for all.
#pragma once

#include <stdint.h>

#include "../host_device.h"

// One of them is defined by the file that is compiled for it; none for the baseline.
#if defined(LEVIN_AVX2) || defined(LEVIN_AVX512)
#define LEVIN_VECTORS
#endif
// Are there fused multiply-adds?
#if defined(LEVIN_VECTORS) || defined(LEVIN_GPU)
#define LEVIN_FMA
#endif

namespace levin::inline v0 {
namespace {

struct OneMask {
  bool m;
};

LEVIN_HD inline OneMask operator!(OneMask a) { return {!a.m}; }
LEVIN_HD inline OneMask operator&(OneMask a, OneMask b) { return {a.m && b.m}; }
LEVIN_HD inline OneMask operator|(OneMask a, OneMask b) { return {a.m || b.m}; }
LEVIN_HD inline OneMask operator!=(OneMask a, OneMask b) { return {a.m != b.m}; }

template <class T>
struct One {
  using Element = T;
  static constexpr int kWidth = 1;
  T v;

  One() = default;
  LEVIN_HD explicit One(double number) : v(static_cast<T>(number)) {}
  LEVIN_HD explicit One(float number) : v(static_cast<T>(number)) {}
  LEVIN_HD explicit One(int number) : v(static_cast<T>(number)) {}
  LEVIN_HD static One raw(T value) {
    One one;
    one.v = value;
    return one;
  }
  LEVIN_HD static One load(const T* from) { return raw(*from); }
  LEVIN_HD void store(T* to) const { *to = v; }
  LEVIN_HD static One load_first(const T* from, int64_t) { return load(from); }
  LEVIN_HD void store_first(T* to, int64_t) const { store(to); }
};

// A double that int64 cannot hold (a clamp's infinite bound) becomes the nearest value.
template <>
LEVIN_HD inline One<int64_t>::One(double number)
    : v(number >= 9223372036854775808.0   ? INT64_MAX
        : number < -9223372036854775808.0 ? INT64_MIN
                                          : static_cast<int64_t>(number)) {}

template <class T>
LEVIN_HD One<T> operator+(One<T> a, One<T> b) {
  return One<T>::raw(a.v + b.v);
}
template <class T>
LEVIN_HD One<T> operator-(One<T> a, One<T> b) {
  return One<T>::raw(a.v - b.v);
}
template <class T>
LEVIN_HD One<T> operator*(One<T> a, One<T> b) {
  return One<T>::raw(a.v * b.v);
}
template <class T>
LEVIN_HD One<T> operator/(One<T> a, One<T> b) {
  return One<T>::raw(a.v / b.v);
}
template <class T>
LEVIN_HD One<T> operator-(One<T> a) {
  return One<T>::raw(-a.v);
}
template <class T>
LEVIN_HD OneMask operator<(One<T> a, One<T> b) {
  return OneMask{a.v < b.v};
}
template <class T>
LEVIN_HD OneMask operator<=(One<T> a, One<T> b) {
  return OneMask{a.v <= b.v};
}
template <class T>
LEVIN_HD OneMask operator>(One<T> a, One<T> b) {
  return OneMask{a.v > b.v};
}
template <class T>
LEVIN_HD OneMask operator>=(One<T> a, One<T> b) {
  return OneMask{a.v >= b.v};
}
template <class T>
LEVIN_HD OneMask operator==(One<T> a, One<T> b) {
  return OneMask{a.v == b.v};
}
template <class T>
LEVIN_HD OneMask operator!=(One<T> a, One<T> b) {
  return OneMask{a.v != b.v};
}
template <class T>
LEVIN_HD One<T> select(OneMask m, One<T> a, One<T> b) {
  return m.m ? a : b;
}

template <class T>
LEVIN_HD T first_lane(One<T> a) {
  return a.v;
}

// Integers wrap around, as PyTorch's do; signed overflow would be undefined.
using I64 = One<int64_t>;
LEVIN_HD inline I64 operator+(I64 a, I64 b) {
  return I64::raw(int64_t(uint64_t(a.v) + uint64_t(b.v)));
}
LEVIN_HD inline I64 operator-(I64 a, I64 b) {
  return I64::raw(int64_t(uint64_t(a.v) - uint64_t(b.v)));
}
LEVIN_HD inline I64 operator*(I64 a, I64 b) {
  return I64::raw(int64_t(uint64_t(a.v) * uint64_t(b.v)));
}
LEVIN_HD inline I64 operator-(I64 a) { return I64::raw(int64_t(-uint64_t(a.v))); }
LEVIN_HD inline I64 operator~(I64 a) { return I64::raw(~a.v); }
LEVIN_HD inline I64 operator&(I64 a, I64 b) { return I64::raw(a.v & b.v); }
LEVIN_HD inline I64 operator|(I64 a, I64 b) { return I64::raw(a.v | b.v); }
LEVIN_HD inline I64 operator^(I64 a, I64 b) { return I64::raw(a.v ^ b.v); }
LEVIN_HD inline I64 abs(I64 a) { return a.v < 0 ? -a : a; }
LEVIN_HD inline I64 floor(I64 a) { return a; }
LEVIN_HD inline I64 ceil(I64 a) { return a; }
LEVIN_HD inline I64 round(I64 a) { return a; }
LEVIN_HD inline I64 trunc(I64 a) { return a; }
// Division by 0 is refused before it comes here; by -1 the smallest number has no quotient.
LEVIN_HD inline I64 fmod(I64 a, I64 b) { return I64::raw(b.v == 0 || b.v == -1 ? 0 : a.v % b.v); }
LEVIN_HD inline I64 floor_divide(I64 a, I64 b) {
  if (b.v == 0) return b;
  if (b.v == -1) return -a;
  return I64::raw(a.v / b.v - (a.v % b.v != 0 && (a.v < 0) != (b.v < 0)));
}
LEVIN_HD inline I64 pow(I64 x, I64 z) {
  if (z.v < 0) return I64::raw(x.v == 1 ? 1 : x.v == -1 ? (z.v % 2 ? -1 : 1) : 0);
  uint64_t result = 1, power = uint64_t(x.v);
  for (int64_t left = z.v; left; left >>= 1, power *= power)
    if (left & 1) result *= power;
  return I64::raw(int64_t(result));
}

LEVIN_HD inline One<float> abs(One<float> a) { return One<float>::raw(__builtin_fabsf(a.v)); }
LEVIN_HD inline One<double> abs(One<double> a) { return One<double>::raw(__builtin_fabs(a.v)); }
LEVIN_HD inline One<float> sqrt(One<float> a) { return One<float>::raw(__builtin_sqrtf(a.v)); }
LEVIN_HD inline One<double> sqrt(One<double> a) { return One<double>::raw(__builtin_sqrt(a.v)); }

#define LEVIN_ROUND(name, function)                       \
  LEVIN_HD inline One<float> name(One<float> a) {         \
    return One<float>::raw(__builtin_##function##f(a.v)); \
  }                                                       \
  LEVIN_HD inline One<double> name(One<double> a) {       \
    return One<double>::raw(__builtin_##function(a.v));   \
  }
LEVIN_ROUND(floor, floor)
LEVIN_ROUND(ceil, ceil)
LEVIN_ROUND(round, nearbyint)
LEVIN_ROUND(trunc, trunc)
#undef LEVIN_ROUND

// a * b + c: one rounding where the instruction set has it. A processor without it is repeatable in
// itself.
#ifdef LEVIN_FMA
LEVIN_HD inline One<float> fma(One<float> a, One<float> b, One<float> c) {
  return One<float>::raw(__builtin_fmaf(a.v, b.v, c.v));
}
LEVIN_HD inline One<double> fma(One<double> a, One<double> b, One<double> c) {
  return One<double>::raw(__builtin_fma(a.v, b.v, c.v));
}
#else
template <class T>
LEVIN_HD One<T> fma(One<T> a, One<T> b, One<T> c) {
  return a * b + c;
}
#endif

LEVIN_HD inline void store_mask(OneMask m, bool* to) { *to = m.m; }

// The processor's minimum and maximum: b where one of them is NaN.
template <class T>
LEVIN_HD One<T> lesser(One<T> a, One<T> b) {
  return a.v < b.v ? a : b;
}
template <class T>
LEVIN_HD One<T> greater(One<T> a, One<T> b) {
  return a.v > b.v ? a : b;
}
LEVIN_HD inline One<float> copy_sign(One<float> size, One<float> sign) {
  return One<float>::raw(__builtin_copysignf(size.v, sign.v));
}
LEVIN_HD inline One<double> copy_sign(One<double> size, One<double> sign) {
  return One<double>::raw(__builtin_copysign(size.v, sign.v));
}
LEVIN_HD inline bool any(OneMask m) { return m.m; }

// ---- Parts of functions, on the bits of numbers

template <class T>
struct Format;
template <>
struct Format<float> {
  using Bits = uint32_t;
  using SignedBits = int32_t;
  static constexpr int kFraction = 23;
  static constexpr Bits kOne = 0x3f800000, kSqrtHalf = 0x3f3504f3;
  static constexpr float kShift = 12582912.0f;
};
template <>
struct Format<double> {
  using Bits = uint64_t;
  using SignedBits = int64_t;
  static constexpr int kFraction = 52;
  static constexpr Bits kOne = 0x3ff0000000000000, kSqrtHalf = 0x3fe6a09e667f3bcd;
  static constexpr double kShift = 6755399441055744.0;
};
// A number n shifted by this, 1.5 * 2^kFraction, is rounded to a whole one, ties to even, and its
// lowest bits are those of n as an integer.
template <class V>
LEVIN_HD V shift() {
  return V(Format<typename V::Element>::kShift);
}

template <class T>
LEVIN_HD typename Format<T>::Bits bits_of(One<T> x) {
  typename Format<T>::Bits bits;
  __builtin_memcpy(&bits, &x.v, sizeof bits);
  return bits;
}
template <class T>
LEVIN_HD One<T> one_of_bits(typename Format<T>::Bits bits) {
  One<T> x;
  __builtin_memcpy(&x.v, &bits, sizeof bits);
  return x;
}

// 2^n for n + shift(), if that is a normal number.
template <class T>
LEVIN_HD One<T> power_of_two(One<T> shifted) {
  return one_of_bits<T>((bits_of(shifted) << Format<T>::kFraction) + Format<T>::kOne);
}
// Of n + shift(): is n odd; x, or -x where the second bit of n is set.
template <class T>
LEVIN_HD OneMask is_odd(One<T> shifted) {
  return OneMask{(bits_of(shifted) & 1) != 0};
}
template <class T>
LEVIN_HD One<T> negate_if_second_bit(One<T> x, One<T> shifted) {
  return one_of_bits<T>(bits_of(x) ^ bits_of(shifted) >> 1 << (8 * sizeof(T) - 1));
}
// x 2^n for n + shift(), rounded once; in two factors, since 2^n alone may be too large or small.
template <class V>
LEVIN_HD V scale_in_two(V x, V shifted) {
  const V half = fma(shifted - shift<V>(), V(0.5), shift<V>());
  return x * power_of_two(half) * power_of_two(shifted - (half - shift<V>()));
}
template <class T>
LEVIN_HD One<T> scale(One<T> x, One<T> shifted) {
  return scale_in_two(x, shifted);
}
// x = mantissa * 2^exponent with mantissa in [sqrt(1/2), sqrt(2)), for normal positive x.
template <class T>
LEVIN_HD One<T> split_exponent(One<T> x, One<T>* exponent) {
  using F = Format<T>;
  const auto e = typename F::SignedBits(bits_of(x) - F::kSqrtHalf) >> F::kFraction;
  exponent->v = T(e);
  return one_of_bits<T>(bits_of(x) - (typename F::Bits(e) << F::kFraction));
}

}  // namespace
}  // namespace levin::inline v0

// Elements of any type to and from the three compute types.
#pragma once

#include <cstdint>
#include <type_traits>

#include "dtype.h"
#include "host_device.h"

namespace levin::inline v0 {

struct BFloat16 {
  uint16_t bits;
};
struct Float16 {
  uint16_t bits;
};

// Static, and without the standard library's functions: each instruction set has its own copy.
LEVIN_HD static inline uint32_t bits_of(float x) { return __builtin_bit_cast(uint32_t, x); }
LEVIN_HD static inline float float_of(uint32_t bits) { return __builtin_bit_cast(float, bits); }

LEVIN_HD static inline float widen(BFloat16 x) { return float_of(uint32_t{x.bits} << 16); }

LEVIN_HD static inline float widen(Float16 x) {
  const uint32_t sign = uint32_t{x.bits} >> 15 << 31, rest = x.bits & 0x7fff;
  // 2^112 rebiases the exponent and makes denormals right.
  const uint32_t number = bits_of(float_of(rest << 13) * 0x1p112f);
  return float_of(sign | (rest < 0x7c00 ? number : 0x7f800000 | rest << 13));
}

// Both round to nearest, ties to even; without branches, for the compiler to make vectors of.
LEVIN_HD static inline BFloat16 to_bfloat16(float x) {
  const uint32_t bits = bits_of(x), rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return {static_cast<uint16_t>(x != x ? bits >> 16 | 0x40 : rounded)};
}

LEVIN_HD static inline Float16 to_float16(float x) {
  const uint32_t bits = bits_of(x), sign = bits >> 31 << 15, size = bits & 0x7fffffff;
  const uint32_t normal = (size - 0x38000000 + 0xfff + (size >> 13 & 1)) >> 13;
  const uint32_t denormal = bits_of(float_of(size) + 0.5f) - 0x3f000000;  // at its smallest step
  uint32_t result = size < 0x38800000 ? denormal : normal;
  result = size < 0x477ff000 ? result : 0x7c00;
  result = size <= 0x7f800000 ? result : 0x7e00;
  return {static_cast<uint16_t>(sign | result)};
}

/// A value of one compute type as an element of type S. Floats that S's integers cannot hold become
/// the nearest one, NaN becomes 0.
template <class S, class T>
LEVIN_HD S convert_to(T value) {
  if constexpr (std::is_same_v<S, BFloat16>) {
    return to_bfloat16(static_cast<float>(value));
  } else if constexpr (std::is_same_v<S, Float16>) {
    return to_float16(static_cast<float>(value));
  } else if constexpr (std::is_same_v<S, bool>) {
    return value != T(0);
  } else if constexpr (std::is_floating_point_v<T> && std::is_integral_v<S>) {
    if (value != value) return 0;
    if (value >= T(0x1p63)) return static_cast<S>(INT64_MAX);
    if (value < T(-0x1p63)) return static_cast<S>(INT64_MIN);
    return static_cast<S>(static_cast<int64_t>(value));
  } else {
    return static_cast<S>(value);
  }
}

template <class T, class S>
LEVIN_HD T convert_from(S element) {
  if constexpr (std::is_same_v<S, BFloat16> || std::is_same_v<S, Float16>)
    return convert_to<T>(widen(element));
  else
    return convert_to<T>(element);
}

/// Calls f with a value of the C++ type that holds `dtype`.
template <class F>
decltype(auto) with_type(DType dtype, F&& f) {
  switch (dtype) {
    case DType::float32:
      return f(float{});
    case DType::float64:
      return f(double{});
    case DType::bfloat16:
      return f(BFloat16{});
    case DType::float16:
      return f(Float16{});
    case DType::int64:
      return f(int64_t{});
    case DType::int32:
      return f(int32_t{});
    case DType::int8:
      return f(int8_t{});
    case DType::uint8:
      return f(uint8_t{});
    case DType::bool_:
      break;
  }
  return f(bool{});
}

/// Calls f with a float, double or int64_t: the compute type of `dtype`.
template <class F>
decltype(auto) with_compute_type(DType dtype, F&& f) {
  switch (compute_type(dtype)) {
    case DType::float32:
      return f(float{});
    case DType::float64:
      return f(double{});
    default:
      return f(int64_t{});
  }
}

}  // namespace levin::inline v0

// Elements of any type to and from the three compute types.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "../dtype.h"

namespace levin::inline v0 {

struct BFloat16 {
  uint16_t bits;
};
struct Float16 {
  uint16_t bits;
};

inline float widen(BFloat16 x) { return std::bit_cast<float>(static_cast<uint32_t>(x.bits) << 16); }

inline float widen(Float16 x) {
  const uint32_t sign = static_cast<uint32_t>(x.bits & 0x8000) << 16;
  const uint32_t rest = x.bits & 0x7fff;
  if (rest >= 0x7c00) return std::bit_cast<float>(sign | 0x7f800000 | (rest & 0x3ff) << 13);
  // 2^112 rebiases the exponent and makes denormals right.
  const float size = std::bit_cast<float>(rest << 13) * 0x1p112f;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(size) | sign);
}

// Both round to nearest, ties to even.
inline BFloat16 to_bfloat16(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  if (x != x) return {static_cast<uint16_t>(bits >> 16 | 0x40)};
  return {static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

inline Float16 to_float16(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t size = bits & 0x7fffffff;
  if (size > 0x7f800000) return {static_cast<uint16_t>(sign | 0x7e00)};
  if (size >= 0x477ff000) return {static_cast<uint16_t>(sign | 0x7c00)};
  if (size < 0x38800000) {  // denormal: adding 0.5 rounds at float16's smallest step
    const float shifted = std::bit_cast<float>(size) + 0.5f;
    return {static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000))};
  }
  return {static_cast<uint16_t>(sign | (size - 0x38000000 + 0xfff + (size >> 13 & 1)) >> 13)};
}

/// A value of one compute type as an element of type S. Floats that S's integers cannot hold become
/// the nearest one, NaN becomes 0.
template <class S, class T>
S convert_to(T value) {
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
T convert_from(S element) {
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

// The element types: names, sizes, and the rule by which two of them combine.
#pragma once

#include <cstddef>
#include <cstdint>

namespace levin::inline v0 {

/// The nine element types. bfloat16 and float16 are storage types: arithmetic on them runs in
/// float32.
enum class DType : uint8_t {
  float32,
  float64,
  bfloat16,
  float16,
  int64,
  int32,
  int8,
  uint8,
  bool_
};

inline constexpr int kDTypes = 9;
inline constexpr DType kFloat32 = DType::float32;
inline constexpr DType kFloat64 = DType::float64;
inline constexpr DType kBFloat16 = DType::bfloat16;
inline constexpr DType kFloat16 = DType::float16;
inline constexpr DType kInt64 = DType::int64;
inline constexpr DType kInt32 = DType::int32;
inline constexpr DType kInt8 = DType::int8;
inline constexpr DType kUInt8 = DType::uint8;
inline constexpr DType kBool = DType::bool_;

// Outside of item_size(), which would build it on the stack at every call.
inline constexpr uint8_t kItemSizes[kDTypes] = {4, 8, 2, 2, 8, 4, 1, 1, 1};

/// Bytes of one element.
constexpr std::size_t item_size(DType dtype) { return kItemSizes[static_cast<int>(dtype)]; }

/// float32, float64, bfloat16 or float16.
constexpr bool is_floating(DType dtype) { return dtype <= DType::float16; }

/// What arithmetic on it runs in: float32 for the 16-bit types, int64 for integers and bool.
constexpr DType compute_type(DType dtype) {
  if (dtype == DType::float64) return DType::float64;
  return is_floating(dtype) ? DType::float32 : DType::int64;
}

/// "float32", ..., "bool".
constexpr const char* name_of(DType dtype) {
  constexpr const char* names[kDTypes] = {"float32", "float64", "bfloat16", "float16", "int64",
                                          "int32",   "int8",    "uint8",    "bool"};
  return names[static_cast<int>(dtype)];
}

/// The smallest type that holds both, by PyTorch's table. int8 with uint8 gives int32 (PyTorch:
/// int16, which levin does not have).
constexpr DType promote(DType a, DType b) {
  if (a == b) return a;
  if (a > b) {
    const DType t = a;
    a = b;
    b = t;
  }
  // a comes before b in the enum: floats before integers before bool, wide before narrow.
  if (a == kFloat32 && b == kFloat64) return kFloat64;
  if (a == kBFloat16 && b == kFloat16) return kFloat32;
  if (a == kInt8 && b == kUInt8) return kInt32;
  return a;
}

template <class T>
struct DTypeOf;  // the DType of a C++ type; no bfloat16 and float16, which have none
template <>
struct DTypeOf<float> {
  static constexpr DType value = kFloat32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = kFloat64;
};
template <>
struct DTypeOf<int64_t> {
  static constexpr DType value = kInt64;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType value = kInt32;
};
template <>
struct DTypeOf<int8_t> {
  static constexpr DType value = kInt8;
};
template <>
struct DTypeOf<uint8_t> {
  static constexpr DType value = kUInt8;
};
template <>
struct DTypeOf<bool> {
  static constexpr DType value = kBool;
};

}  // namespace levin::inline v0

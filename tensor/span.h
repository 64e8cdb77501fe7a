// A tensor's memory for code that knows no tensors: std::span, and what eigen.h builds on.
#pragma once

#include <span>
#include <type_traits>

#include "tensor.h"

namespace levin::inline v0 {

/// The elements to write to, or to read only; valid as long as the tensor's memory. As data<T>() and
/// const_data<T>(): T must be the element type, the tensor contiguous and on the CPU
/// (std::invalid_argument); as_span counts as a write.
template <class T>
std::span<T> as_span(const Tensor& tensor) {
  return {tensor.data<T>(), static_cast<std::size_t>(tensor.numel())};
}
template <class T>
std::span<const T> as_const_span(const Tensor& tensor) {
  return {tensor.const_data<T>(), static_cast<std::size_t>(tensor.numel())};
}

/// What from_span calls.
Tensor from_bytes(const void* elements, std::size_t count, DType dtype, const Shape& shape);
/// A copy of the elements; without a shape a vector. Their count must be the shape's
/// (std::invalid_argument). To view them without a copy: from_blob.
template <class T, std::size_t count>
Tensor from_span(std::span<T, count> elements, const Shape& shape) {
  return from_bytes(elements.data(), elements.size(), DTypeOf<std::remove_const_t<T>>::value,
                    shape);
}
template <class T, std::size_t count>
Tensor from_span(std::span<T, count> elements) {
  return from_span(elements, {static_cast<int64_t>(elements.size())});
}

enum class Access : uint8_t { read, write };

/// The first element of any layout; `dtype` must be the tensor's, the tensor on the CPU, and to
/// write no two of its elements in one place (std::invalid_argument, beginning with `operation`).
void* strided_data(const char* operation, const Tensor& tensor, DType dtype, Access access);

}  // namespace levin::inline v0

// Elements of any type and layout, as kernels read and write them.
#pragma once

#include "../convert.h"
#include "gpu.h"

namespace levin::inline v0::cuda {

/// One element as T. Other types than T pass through a call: it is compiled once.
template <class T>
__device__ __noinline__ T load_converted(const void* data, DType type, int64_t at) {
  switch (type) {
    case DType::float32:
      return convert_from<T>(static_cast<const float*>(data)[at]);
    case DType::float64:
      return convert_from<T>(static_cast<const double*>(data)[at]);
    case DType::bfloat16:
      return convert_from<T>(static_cast<const BFloat16*>(data)[at]);
    case DType::float16:
      return convert_from<T>(static_cast<const Float16*>(data)[at]);
    case DType::int64:
      return convert_from<T>(static_cast<const int64_t*>(data)[at]);
    case DType::int32:
      return convert_from<T>(static_cast<const int32_t*>(data)[at]);
    case DType::int8:
      return convert_from<T>(static_cast<const int8_t*>(data)[at]);
    case DType::uint8:
      return convert_from<T>(static_cast<const uint8_t*>(data)[at]);
    case DType::bool_:
      break;
  }
  return convert_from<T>(static_cast<const bool*>(data)[at]);
}

template <class T>
__device__ __noinline__ void store_converted(void* data, DType type, int64_t at, T value) {
  switch (type) {
    case DType::float32:
      static_cast<float*>(data)[at] = convert_to<float>(value);
      return;
    case DType::float64:
      static_cast<double*>(data)[at] = convert_to<double>(value);
      return;
    case DType::bfloat16:
      static_cast<BFloat16*>(data)[at] = convert_to<BFloat16>(value);
      return;
    case DType::float16:
      static_cast<Float16*>(data)[at] = convert_to<Float16>(value);
      return;
    case DType::int64:
      static_cast<int64_t*>(data)[at] = convert_to<int64_t>(value);
      return;
    case DType::int32:
      static_cast<int32_t*>(data)[at] = convert_to<int32_t>(value);
      return;
    case DType::int8:
      static_cast<int8_t*>(data)[at] = convert_to<int8_t>(value);
      return;
    case DType::uint8:
      static_cast<uint8_t*>(data)[at] = convert_to<uint8_t>(value);
      return;
    case DType::bool_:
      static_cast<bool*>(data)[at] = convert_to<bool>(value);
      return;
  }
}

template <class T>
__device__ inline T load_as(const void* data, DType type, int64_t at) {
  return type == DTypeOf<T>::value ? static_cast<const T*>(data)[at]
                                   : load_converted<T>(data, type, at);
}
template <class T>
__device__ inline void store_as(void* data, DType type, int64_t at, T value) {
  if (type == DTypeOf<T>::value)
    static_cast<T*>(data)[at] = value;
  else
    store_converted<T>(data, type, at, value);
}

/// Where the elements of up to 5 operands of one shape lie, counted in row-major order. Dimensions that
/// lie behind each other in all of them are one.
template <int operands>
struct Indexer {
  int dims = 0;
  int64_t sizes[kMaxDims];
  int64_t strides[operands][kMaxDims];
  int64_t offsets[operands];

  /// A null layout stands for an operand that is left out.
  explicit Indexer(const Layout* const (&layouts)[operands]) {
    const Layout* shape = nullptr;
    for (int k = 0; k < operands; ++k) {
      offsets[k] = layouts[k] ? layouts[k]->offset : 0;
      if (layouts[k]) shape = layouts[k];
    }
    for (int d = 0; d < shape->dim(); ++d) {
      const int64_t size = shape->shape[d];
      if (size == 1) continue;
      const auto stride = [&](int k) { return layouts[k] ? layouts[k]->strides[d] : 0; };
      bool joins = dims > 0;
      for (int k = 0; joins && k < operands; ++k) joins = strides[k][dims - 1] == stride(k) * size;
      if (!joins) sizes[dims++] = 1;
      sizes[dims - 1] *= size;
      for (int k = 0; k < operands; ++k) strides[k][dims - 1] = stride(k);
    }
  }

  __device__ void find(int64_t index, int64_t (&at)[operands]) const {
    for (int k = 0; k < operands; ++k) at[k] = offsets[k];
    for (int d = dims - 1; d >= 0; --d) {
      int64_t outer, here;
      if (index <= UINT32_MAX && sizes[d] <= UINT32_MAX) {  // a division of 64 bits takes long
        const auto quotient = static_cast<uint32_t>(index) / static_cast<uint32_t>(sizes[d]);
        outer = quotient;
        here = index - quotient * sizes[d];
      } else {
        outer = index / sizes[d];
        here = index - outer * sizes[d];
      }
      for (int k = 0; k < operands; ++k) at[k] += here * strides[k][d];
      index = outer;
    }
  }
};

/// The number of the thread in its grid of one dimension.
__device__ inline int64_t thread_number() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

inline constexpr int kThreads = 256;

}  // namespace levin::inline v0::cuda

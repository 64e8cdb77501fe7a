// Walk: the elements of any layout in row-major order, as a few runs of equal stride. Gathers them
// into contiguous buffers of a compute type, and scatters them back: so loops are written for
// contiguous memory only.
#pragma once

#include "../backend.h"
#include "convert.h"

namespace levin::inline v0 {

class Walk {
 public:
  Walk() {}
  explicit Walk(const Layout& layout) : offset_(layout.offset) {
    // Neighbouring dimensions that lie behind each other become one.
    for (int d = 0; d < layout.dim(); ++d) {
      const int64_t size = layout.shape[d], stride = layout.strides[d];
      if (size == 1) continue;
      if (dims_ > 0 && strides_[dims_ - 1] == stride * size) {
        sizes_[dims_ - 1] *= size;
        strides_[dims_ - 1] = stride;
      } else {
        sizes_[dims_] = size;
        strides_[dims_++] = stride;
      }
    }
    if (dims_ == 0) {
      sizes_[0] = 1;
      strides_[0] = 1;
      dims_ = 1;
    }
  }

  bool contiguous() const { return dims_ == 1 && strides_[0] == 1; }
  int64_t offset() const { return offset_; }

  /// Calls f(element offset, stride, count) for the runs that make up elements [start, start + n).
  template <class F>
  void runs(int64_t start, int64_t n, F&& f) const {
    if (n == 0) return;  // sizes may be 0, by which one cannot divide
    int64_t index[kMaxDims];
    int64_t at = offset_;
    for (int d = dims_ - 1; d >= 0; --d) {
      index[d] = start % sizes_[d];
      start /= sizes_[d];
      at += index[d] * strides_[d];
    }
    const int last = dims_ - 1;
    while (n > 0) {
      const int64_t count = sizes_[last] - index[last] < n ? sizes_[last] - index[last] : n;
      f(at, strides_[last], count);
      n -= count;
      at -= index[last] * strides_[last];
      index[last] = 0;
      for (int d = last - 1; d >= 0; --d) {
        at += strides_[d];
        if (++index[d] < sizes_[d]) break;
        at -= sizes_[d] * strides_[d];
        index[d] = 0;
      }
    }
  }

 private:
  int64_t sizes_[kMaxDims], strides_[kMaxDims];
  int dims_ = 0;
  int64_t offset_;
};

/// buffer[i] = element start + i of the operand.
template <class T>
void gather_tile(const Walk& walk, DType dtype, const void* data, int64_t start, int64_t n,
                 T* buffer) {
  with_type(dtype, [&](auto element) {
    using S = decltype(element);
    const auto* from = static_cast<const S*>(data);
    walk.runs(start, n, [&](int64_t at, int64_t stride, int64_t count) {
      for (int64_t i = 0; i < count; ++i) *buffer++ = convert_from<T>(from[at + i * stride]);
    });
  });
}

template <class T>
void scatter_tile(const Walk& walk, DType dtype, void* data, int64_t start, int64_t n,
                  const T* buffer) {
  with_type(dtype, [&](auto element) {
    using S = decltype(element);
    auto* to = static_cast<S*>(data);
    walk.runs(start, n, [&](int64_t at, int64_t stride, int64_t count) {
      for (int64_t i = 0; i < count; ++i) to[at + i * stride] = convert_to<S>(*buffer++);
    });
  });
}

/// One element of a block, `at` elements from its start.
template <class T>
T element_as(const void* data, int64_t at, DType dtype) {
  return with_type(dtype, [&](auto element) {
    return convert_from<T>(static_cast<const decltype(element)*>(data)[at]);
  });
}

/// The first element of an operand whose type is T.
template <class T>
T* data_of(const Arg& arg) {
  return static_cast<T*>(arg.block->data) + arg.layout->offset;
}

}  // namespace levin::inline v0

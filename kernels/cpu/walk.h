// Walk: the elements of any layout in row-major order, as a few runs of equal stride. Gathers them
// into contiguous buffers of a compute type, and scatters them back: so loops are written for
// contiguous memory only.
#pragma once

#include <cstring>

#include "../backend.h"
#include "../convert.h"
#include "isa.h"

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

  /// Elements of one run.
  int64_t row() const { return sizes_[dims_ - 1]; }
  /// After how many elements the same ones come again; 0: not at all.
  int64_t period() const {
    int64_t inner = strides_[0] == 0 ? 1 : 0;
    for (int d = 1; d < dims_; ++d) inner *= sizes_[d];
    return inner;
  }

  /// The last two dimensions, where neighbours in the first of them lie closer: row after row would
  /// read from a cache line one element at a time.
  struct Plane {
    int64_t rows, columns, row_stride, column_stride;
  };
  bool transposed() const {
    const auto size = [](int64_t stride) { return stride < 0 ? -stride : stride; };
    return dims_ > 1 && strides_[dims_ - 2] != 0 && sizes_[dims_ - 1] >= 32 &&
           size(strides_[dims_ - 2]) < size(strides_[dims_ - 1]);
  }
  Plane plane() const {
    const int row = dims_ - 2, column = dims_ - 1;
    return {sizes_[row], sizes_[column], strides_[row], strides_[column]};
  }

  /// Where element `index` lies, and how its run goes on from there.
  struct Run {
    int64_t at, stride, count;
  };
  Run run_at(int64_t index) const {
    Run run{offset_, strides_[dims_ - 1], 0};
    for (int d = dims_ - 1; d >= 0; --d) {
      const int64_t outer = index / sizes_[d], here = index - outer * sizes_[d];
      if (d == dims_ - 1) run.count = sizes_[d] - here;
      run.at += here * strides_[d];
      index = outer;
    }
    return run;
  }

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

/// to[i] = from[i], converted; `narrow` is the type of the one that is not float, if one is.
template <class From, class To>
void convert_row(const From* from, int64_t n, To* to, DType narrow) {
  constexpr bool is_half = std::is_same_v<To, BFloat16> || std::is_same_v<To, Float16>;
  if constexpr (std::is_same_v<From, To>)
    std::memcpy(to, from, n * sizeof(To));
  else if constexpr (std::is_same_v<To, float> && !std::is_same_v<From, double>)
    isa().widen[static_cast<int>(narrow)](from, to, n);
  else if constexpr (std::is_same_v<From, float> && is_half)
    isa().narrow[static_cast<int>(narrow)](from, to, n);
  else
    for (int64_t i = 0; i < n; ++i) to[i] = convert_from<To>(from[i]);
}

/// buffer[i] = element start + i of the operand.
template <class T>
void gather_tile(const Walk& walk, DType dtype, const void* data, int64_t start, int64_t n,
                 T* buffer) {
  with_type(dtype, [&](auto element) {
    using S = decltype(element);
    const auto* from = static_cast<const S*>(data);
    walk.runs(start, n, [&](int64_t at, int64_t stride, int64_t count) {
      if (stride == 1) {
        convert_row(from + at, count, buffer, dtype);
      } else if (stride == 0) {
        const T number = convert_from<T>(from[at]);
        for (int64_t i = 0; i < count; ++i) buffer[i] = number;
      } else {
        for (int64_t i = 0; i < count; ++i) buffer[i] = convert_from<T>(from[at + i * stride]);
      }
      buffer += count;
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
      if (stride == 1)
        convert_row(buffer, count, to + at, dtype);
      else
        for (int64_t i = 0; i < count; ++i) to[at + i * stride] = convert_to<S>(buffer[i]);
      buffer += count;
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

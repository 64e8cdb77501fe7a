// copy: any layout and element type to any other. fill.
#include <algorithm>
#include <cstring>

#include "../pool.h"
#include "cpu_backend.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {
constexpr int64_t kTile = 512;
constexpr int64_t kGrain = 65536;
constexpr int64_t kBlock = 32;  // rows and columns of a transposed one that are copied together

template <int kBytes>
void move_row(const char* from, int64_t from_stride, char* to, int64_t to_stride, int64_t n) {
  if (from_stride == 1 && to_stride == 1) {
    std::memcpy(to, from, n * kBytes);
    return;
  }
  for (int64_t i = 0; i < n; ++i)
    std::memcpy(to + i * to_stride * kBytes, from + i * from_stride * kBytes, kBytes);
}

// Between two layouts of one element type, as bits: a float NaN keeps its payload.
template <int kBytes>
void move_elements(const Walk& from, const Walk& to, const Arg& in, const Arg& out, int64_t n) {
  const auto* source = static_cast<const char*>(in.block->data);
  auto* target = static_cast<char*>(out.block->data);
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    char buffer[kTile * kBytes];
    for (int64_t start = begin; start < end; start += kTile) {
      const int64_t count = end - start < kTile ? end - start : kTile;
      char* next = buffer;
      from.runs(start, count, [&](int64_t at, int64_t stride, int64_t run) {
        move_row<kBytes>(source + at * kBytes, stride, next, 1, run);
        next += run * kBytes;
      });
      next = buffer;
      to.runs(start, count, [&](int64_t at, int64_t stride, int64_t run) {
        move_row<kBytes>(next, 1, target + at * kBytes, stride, run);
        next += run * kBytes;
      });
    }
  });
}

// Block by block, so that a cache line is read at once.
template <int kBytes>
void move_transposed(const Walk& from, const Walk& to, const Arg& in, const Arg& out, int64_t n) {
  const Walk::Plane plane = from.plane();
  const int64_t down = (plane.rows + kBlock - 1) / kBlock,
                across = (plane.columns + kBlock - 1) / kBlock;
  const auto* source = static_cast<const char*>(in.block->data);
  auto* target = static_cast<char*>(out.block->data) + to.offset() * kBytes;
  const int64_t blocks = n / (plane.rows * plane.columns) * down * across;
  parallel_for(blocks, kGrain / (kBlock * kBlock), [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t row = block / across % down * kBlock, column = block % across * kBlock;
      const int64_t start = (block / across / down * plane.rows + row) * plane.columns + column;
      const int64_t rows = std::min(kBlock, plane.rows - row);
      const int64_t columns = std::min(kBlock, plane.columns - column);
      const char* first = source + from.run_at(start).at * kBytes;
      for (int64_t c = 0; c < columns; ++c)
        move_row<kBytes>(first + c * plane.column_stride * kBytes, plane.row_stride,
                         target + (start + c) * kBytes, plane.columns, rows);
    }
  });
}

template <int kBytes>
void move(const Walk& from, const Walk& to, const Arg& in, const Arg& out, int64_t n) {
  if (from.transposed() && to.contiguous())
    move_transposed<kBytes>(from, to, in, out, n);
  else
    move_elements<kBytes>(from, to, in, out, n);
}

void move(const Walk& from, const Walk& to, const Arg& in, const Arg& out, int64_t n) {
  switch (item_size(in.layout->dtype)) {
    case 1:
      return move<1>(from, to, in, out, n);
    case 2:
      return move<2>(from, to, in, out, n);
    case 4:
      return move<4>(from, to, in, out, n);
    default:
      return move<8>(from, to, in, out, n);
  }
}

// What a conversion runs in: the compute type of the source, or of a floating target. So none rounds
// twice.
DType type_between(DType source, DType target) {
  return compute_type(is_floating(target) ? target : source);
}

// Between contiguous operands, into the type that the conversion runs in.
void convert_rows(const Arg& in, const Arg& out, int64_t n) {
  const DType source = in.layout->dtype;
  with_compute_type(out.layout->dtype, [&](auto zero) {
    with_type(source, [&](auto element) {
      const auto* x = data_of<decltype(element)>(in);
      auto* y = data_of<decltype(zero)>(out);
      parallel_for(n, kGrain, [=](int64_t begin, int64_t end) {
        convert_row(x + begin, end - begin, y + begin, source);
      });
    });
  });
}

void convert(const Walk& from, const Walk& to, const Arg& in, const Arg& out, int64_t n) {
  const DType source = in.layout->dtype, target = out.layout->dtype;
  with_compute_type(type_between(source, target), [&](auto zero) {
    using T = decltype(zero);
    const bool into_target = target == DTypeOf<T>::value && to.contiguous();
    const bool from_source = source == DTypeOf<T>::value && from.contiguous();
    parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
      T buffer[kTile];
      for (int64_t at = begin; at < end; at += kTile) {
        const int64_t count = std::min(kTile, end - at);
        if (into_target) {
          gather_tile(from, source, in.block->data, at, count,
                      static_cast<T*>(out.block->data) + to.offset() + at);
        } else if (from_source) {
          scatter_tile(to, target, out.block->data, at, count,
                       static_cast<const T*>(in.block->data) + from.offset() + at);
        } else {
          gather_tile(from, source, in.block->data, at, count, buffer);
          scatter_tile(to, target, out.block->data, at, count, buffer);
        }
      }
    });
  });
}

}  // namespace

const char* copy(Arg in, Arg out) {
  const Layout &source = *in.layout, &target = *out.layout;
  const int64_t n = target.numel();
  const bool same = source.dtype == target.dtype;
  if (source.contiguous() && target.contiguous()) {
    if (same) {
      const std::size_t size = item_size(source.dtype);
      auto* to = static_cast<char*>(out.block->data) + target.offset * size;
      const auto* from = static_cast<const char*>(in.block->data) + source.offset * size;
      if (n) std::memmove(to, from, n * size);
      return nullptr;
    }
    if (target.dtype == type_between(source.dtype, target.dtype)) {
      convert_rows(in, out, n);
      return nullptr;
    }
  }
  const Walk from(source), to(target);
  if (same)
    move(from, to, in, out, n);
  else
    convert(from, to, in, out, n);
  return nullptr;
}

const char* fill(double value, Arg out) {
  const Layout& layout = *out.layout;
  with_type(layout.dtype, [&](auto element) {
    using S = decltype(element);
    const S converted = convert_to<S>(value);
    const int64_t n = layout.numel();
    if (layout.contiguous()) {
      std::fill_n(data_of<S>(out), n, converted);
      return;
    }
    auto* data = static_cast<S*>(out.block->data);
    Walk(layout).runs(0, n, [&](int64_t at, int64_t stride, int64_t count) {
      for (int64_t i = 0; i < count; ++i) data[at + i * stride] = converted;
    });
  });
  return nullptr;
}

}  // namespace levin::inline v0::cpu

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
        for (int64_t i = 0; i < run; ++i, next += kBytes)
          std::memcpy(next, source + (at + i * stride) * kBytes, kBytes);
      });
      next = buffer;
      to.runs(start, count, [&](int64_t at, int64_t stride, int64_t run) {
        for (int64_t i = 0; i < run; ++i, next += kBytes)
          std::memcpy(target + (at + i * stride) * kBytes, next, kBytes);
      });
    }
  });
}

void move_elements(const Walk& from, const Walk& to, const Arg& in, const Arg& out, int64_t n) {
  switch (item_size(in.layout->dtype)) {
    case 1:
      return move_elements<1>(from, to, in, out, n);
    case 2:
      return move_elements<2>(from, to, in, out, n);
    case 4:
      return move_elements<4>(from, to, in, out, n);
    default:
      return move_elements<8>(from, to, in, out, n);
  }
}

}  // namespace

const char* copy(Arg in, Arg out) {
  const int64_t n = out.layout->numel();
  const Walk from(*in.layout), to(*out.layout);
  const bool same = in.layout->dtype == out.layout->dtype;
  if (same && from.contiguous() && to.contiguous()) {
    const std::size_t size = item_size(in.layout->dtype);
    auto* target = static_cast<char*>(out.block->data) + to.offset() * size;
    const auto* source = static_cast<const char*>(in.block->data) + from.offset() * size;
    if (n) std::memmove(target, source, n * size);
    return nullptr;
  }
  if (same) {
    move_elements(from, to, in, out, n);
    return nullptr;
  }
  with_compute_type(in.layout->dtype, [&](auto zero) {
    using T = decltype(zero);
    parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
      T buffer[kTile];
      for (int64_t at = begin; at < end; at += kTile) {
        const int64_t count = end - at < kTile ? end - at : kTile;
        gather_tile(from, in.layout->dtype, in.block->data, at, count, buffer);
        scatter_tile(to, out.layout->dtype, out.block->data, at, count, buffer);
      }
    });
  });
  return nullptr;
}

const char* fill(double value, Arg out) {
  const Walk to(*out.layout);
  with_type(out.layout->dtype, [&](auto element) {
    using S = decltype(element);
    const S converted = convert_to<S>(value);
    auto* data = static_cast<S*>(out.block->data);
    const int64_t n = out.layout->numel();
    if (n == 0) return;
    if (to.contiguous()) {
      std::fill_n(data + to.offset(), n, converted);
      return;
    }
    to.runs(0, n, [&](int64_t at, int64_t stride, int64_t count) {
      for (int64_t i = 0; i < count; ++i) data[at + i * stride] = converted;
    });
  });
  return nullptr;
}

}  // namespace levin::inline v0::cpu

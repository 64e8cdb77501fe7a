// copy: any layout and element type to any other. fill.
#include <cstring>

#include "../pool.h"
#include "cpu_backend.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {
constexpr int64_t kTile = 512;
constexpr int64_t kGrain = 65536;
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
    to.runs(0, n, [&](int64_t at, int64_t stride, int64_t count) {
      for (int64_t i = 0; i < count; ++i) data[at + i * stride] = converted;
    });
  });
  return nullptr;
}

}  // namespace levin::inline v0::cpu

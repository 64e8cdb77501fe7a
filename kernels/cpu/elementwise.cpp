// One driver for every formula: the tile function runs over contiguous memory of the compute type,
// here where all operands are that or one number, else by buffered.cpp.
#include <algorithm>

#include "../formulas.h"
#include "../pool.h"
#include "buffered.h"
#include "cpu_backend.h"
#include "tile_of.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

constexpr int64_t kTile = 512;  // stays in the first-level cache

// The operands that are one number, as bits: given so, or an element that is repeated. -1 where
// another one, or the result, does not lie as the tile function wants it.
int constants_of(const ElementwiseCall& call, DType result) {
  if (call.out.layout->dtype != result || !call.out.layout->contiguous()) return -1;
  int constants = call.number_mask;
  for (int i = 0; i < 4; ++i) {
    if (!call.in[i].block) continue;
    const Layout& layout = *call.in[i].layout;
    if (layout.dtype == call.compute && layout.contiguous()) continue;
    if (!layout.repeats_one()) return -1;
    constants |= 1 << i;
  }
  return constants;
}

char* address(const Arg& arg, int64_t size) {
  return static_cast<char*>(arg.block->data) + arg.layout->offset * size;
}

[[gnu::noinline]] const char* run_pieces(const void* const* in, char* out, int64_t size,
                                         int64_t out_size, const double* numbers, TileFunction tile,
                                         int64_t n) {
  parallel_for(n, kElementGrain, [=](int64_t begin, int64_t end) {
    const void* part[4];
    for (int i = 0; i < 4; ++i)
      part[i] = in[i] ? static_cast<const char*>(in[i]) + begin * size : nullptr;
    tile(part, out + begin * out_size, numbers, end - begin);
  });
  return nullptr;
}

// Inline, since it is all that small operations need.
inline const char* run_in_place(const ElementwiseCall& call, TileFunction tile, int64_t n) {
  const int64_t size = call.compute == kFloat32 ? 4 : 8;
  const void* in[4];
  for (int i = 0; i < 4; ++i) in[i] = call.in[i].block ? address(call.in[i], size) : nullptr;
  const auto out_size = static_cast<int64_t>(item_size(call.out.layout->dtype));
  char* const out = address(call.out, out_size);
  if (n > kElementGrain) [[unlikely]]
    return run_pieces(in, out, size, out_size, call.numbers, tile, n);
  tile(in, out, call.numbers, n);
  return nullptr;
}

// The first n elements of a tile, or some more: by whole cache lines, for which the compiler needs no
// loop over the rest.
template <class T>
void fill_tile(T number, int64_t n, T* tile) {
  constexpr int64_t kLine = 64 / sizeof(T);
  for (int64_t i = 0; i < n; i += kLine)
    for (int64_t j = 0; j < kLine; ++j) tile[i + j] = number;
}

// Tile by tile, with a tile of each operand that is one number.
template <class T>
void run_with_constants(const ElementwiseCall& call, TileFunction tile, int constants, int64_t n) {
  const auto out_size = static_cast<int64_t>(item_size(call.out.layout->dtype));
  char* const out = address(call.out, out_size);
  parallel_for(n, kElementGrain, [&](int64_t begin, int64_t end) {
    alignas(64) T tiles[4][kTile];
    const void* in[4] = {};
    for (int i = 0; i < 4; ++i) {
      if (!(constants >> i & 1)) continue;
      const Arg& arg = call.in[i];
      const T number = arg.block
                           ? element_as<T>(arg.block->data, arg.layout->offset, arg.layout->dtype)
                           : convert_to<T>(call.numbers[3 - i]);
      fill_tile(number, std::min(end - begin, kTile), tiles[i]);
      in[i] = tiles[i];
    }
    for (int64_t at = begin; at < end; at += kTile) {
      for (int i = 0; i < 4; ++i)
        if (call.in[i].block && !(constants >> i & 1))
          in[i] = address(call.in[i], sizeof(T)) + at * static_cast<int64_t>(sizeof(T));
      tile(in, out + at * out_size, call.numbers, std::min(end - at, kTile));
    }
  });
}

[[gnu::noinline]] const char* run_with_constants(const ElementwiseCall& call, TileFunction tile,
                                                 int constants, int64_t n) {
  with_compute_type(call.compute, [&](auto zero) {
    run_with_constants<decltype(zero)>(call, tile, constants, n);
  });
  return nullptr;
}

// Where the caller does not know how the operands lie.
[[gnu::noinline]] const char* run_any(const ElementwiseCall& call, TileFunction tile) {
  const int64_t n = call.out.layout->numel();
  if (n == 0) return nullptr;  // an operand that is repeated may have no element to read
  const Layout& out = *call.out.layout;
  if (const TileFunction compare = byte_comparison(call);
      compare && out.dtype == kBool && out.contiguous()) {
    const void* in[4] = {address(call.in[0], 1), address(call.in[1], 1), nullptr, nullptr};
    return run_pieces(in, address(call.out, 1), 1, 1, call.numbers, compare, n);
  }
  const DType result = is_predicate(call.op) ? kBool : call.compute;
  const int constants = constants_of(call, result);
  if (constants == 0) return run_in_place(call, tile, n);
  if (constants > 0) return run_with_constants(call, tile, constants, n);
  run_buffered(call, tile, result, n);
  return nullptr;
}

}  // namespace

const char* elementwise(const ElementwiseCall& call) {
  const TileFunction tile = tile_of(call);
  if (!tile) [[unlikely]]
    return "is not possible with this element type";
  if (call.packed < 0) return run_any(call, tile);
  if (call.number_mask) return run_with_constants(call, tile, call.number_mask, call.packed);
  return run_in_place(call, tile, call.packed);
}

}  // namespace levin::inline v0::cpu

// One driver for every formula: the tile function runs over contiguous memory of the compute type,
// here where all operands are that, else by buffered.cpp.
#include <algorithm>

#include "../formulas.h"
#include "../pool.h"
#include "buffered.h"
#include "cpu_backend.h"
#include "tile_of.h"

namespace levin::inline v0::cpu {
namespace {

constexpr int64_t kTile = 512;  // stays in the first-level cache

// All operands as the tile function wants them, or left out?
bool all_in_place(const ElementwiseCall& call, DType result) {
  if (call.number_mask || call.out.layout->dtype != result || !call.out.layout->contiguous())
    return false;
  for (const Arg& arg : call.in)
    if (arg.block && (arg.layout->dtype != call.compute || !arg.layout->contiguous())) return false;
  return true;
}

char* address(const Arg& arg, int64_t size) {
  return static_cast<char*>(arg.block->data) + arg.layout->offset * size;
}

const char* run_pieces(const void* const* in, char* out, int64_t size, int64_t out_size,
                       const double* numbers, TileFunction tile, int64_t n) {
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

// Tile by tile, with a tile of each number.
template <class T>
void run_with_numbers(const ElementwiseCall& call, TileFunction tile, int64_t n) {
  const auto out_size = static_cast<int64_t>(item_size(call.out.layout->dtype));
  char* const out = address(call.out, out_size);
  parallel_for(n, kElementGrain, [&](int64_t begin, int64_t end) {
    alignas(64) T numbers[3][kTile];
    const void* in[4] = {};
    for (int i = 0; i < 3; ++i) {
      if (!(call.number_mask >> i & 1)) continue;
      std::fill_n(numbers[i], std::min(end - begin, kTile), static_cast<T>(call.numbers[3 - i]));
      in[i] = numbers[i];
    }
    for (int64_t at = begin; at < end; at += kTile) {
      for (int i = 0; i < 4; ++i)
        if (call.in[i].block)
          in[i] = address(call.in[i], sizeof(T)) + at * static_cast<int64_t>(sizeof(T));
      tile(in, out + at * out_size, call.numbers, std::min(end - at, kTile));
    }
  });
}

const char* run_with_numbers(const ElementwiseCall& call, TileFunction tile, int64_t n) {
  if (call.compute == kFloat32)
    run_with_numbers<float>(call, tile, n);
  else
    run_with_numbers<double>(call, tile, n);
  return nullptr;
}

}  // namespace

const char* elementwise(const ElementwiseCall& call) {
  const TileFunction tile = tile_of(call);
  if (!tile) [[unlikely]]
    return "is not possible with this element type";
  if (call.packed >= 0 && !call.number_mask) return run_in_place(call, tile, call.packed);
  if (call.packed >= 0 && call.compute != kInt64) return run_with_numbers(call, tile, call.packed);
  const int64_t n = call.out.layout->numel();
  if (n == 0) return nullptr;  // an operand that is repeated may have no element to read
  const DType result = is_predicate(call.op) ? kBool : call.compute;
  if (all_in_place(call, result)) return run_in_place(call, tile, n);
  const Layout& out = *call.out.layout;
  if (const TileFunction compare = byte_comparison(call);
      compare && out.dtype == kBool && out.contiguous()) {
    const void* in[4] = {address(call.in[0], 1), address(call.in[1], 1), nullptr, nullptr};
    return run_pieces(in, address(call.out, 1), 1, 1, call.numbers, compare, n);
  }
  run_buffered(call, tile, result, n);
  return nullptr;
}

}  // namespace levin::inline v0::cpu

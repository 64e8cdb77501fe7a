// One driver for every formula: the tile function runs over contiguous memory of the compute type,
// here where all operands are that, else by buffered.cpp.
#include "../formulas.h"
#include "../pool.h"
#include "buffered.h"
#include "cpu_backend.h"

namespace levin::inline v0::cpu {
namespace {

TileFunction tile_function(const ElementwiseCall& call) {
  const ComputeType type = call.compute == kFloat32   ? kComputeF32
                           : call.compute == kFloat64 ? kComputeF64
                                                      : kComputeI64;
  return isa().tiles[static_cast<int>(call.op)][static_cast<int>(call.part)][type];
}

// All operands as the tile function wants them, or left out?
bool all_in_place(const ElementwiseCall& call, DType result) {
  if (call.number_mask || call.out.layout->dtype != result || !call.out.layout->contiguous())
    return false;
  for (const Arg& arg : call.in)
    if (arg.block && (arg.layout->dtype != call.compute || !arg.layout->contiguous())) return false;
  return true;
}

char* address(const Arg& arg) {
  return static_cast<char*>(arg.block->data) +
         arg.layout->offset * static_cast<int64_t>(item_size(arg.layout->dtype));
}

const char* run_in_place(const ElementwiseCall& call, TileFunction tile, int64_t n) {
  const void* in[4];
  for (int i = 0; i < 4; ++i) in[i] = call.in[i].block ? address(call.in[i]) : nullptr;
  char* const out = address(call.out);
  if (n <= kElementGrain) {
    tile(in, out, call.numbers, n);
    return nullptr;
  }
  const auto in_size = static_cast<int64_t>(item_size(call.compute)),
             out_size = static_cast<int64_t>(item_size(call.out.layout->dtype));
  parallel_for(n, kElementGrain, [&](int64_t begin, int64_t end) {
    const void* part[4];
    for (int i = 0; i < 4; ++i)
      part[i] = in[i] ? static_cast<const char*>(in[i]) + begin * in_size : nullptr;
    tile(part, out + begin * out_size, call.numbers, end - begin);
  });
  return nullptr;
}

void compare(const char* x, const char* y, char* equal, char if_equal, int64_t n) {
  for (int64_t i = 0; i < n; ++i) equal[i] = static_cast<char>((x[i] != y[i]) ^ if_equal);
}

// Whether two bools (or other bytes) are equal shows without a wider type. False for other calls.
bool compare_bytes(const ElementwiseCall& call, int64_t n) {
  if ((call.op != Op::eq && call.op != Op::ne) || call.number_mask) return false;
  const Layout &a = *call.in[0].layout, &b = *call.in[1].layout, &out = *call.out.layout;
  if (a.dtype != b.dtype || item_size(a.dtype) != 1 || out.dtype != kBool || !a.contiguous() ||
      !b.contiguous() || !out.contiguous())
    return false;
  const char *x = address(call.in[0]), *y = address(call.in[1]);
  char* equal = address(call.out);
  parallel_for(n, kElementGrain, [=, &call](int64_t begin, int64_t end) {
    compare(x + begin, y + begin, equal + begin, call.op == Op::eq, end - begin);
  });
  return true;
}

}  // namespace

const char* elementwise(const ElementwiseCall& call) {
  const TileFunction tile = tile_function(call);
  if (!tile) [[unlikely]]
    return "is not possible with this element type";
  if (call.packed >= 0) return run_in_place(call, tile, call.packed);
  const int64_t n = call.out.layout->numel();
  if (n == 0) return nullptr;  // an operand that is repeated may have no element to read
  const DType result = is_predicate(call.op) ? kBool : call.compute;
  if (all_in_place(call, result)) return run_in_place(call, tile, n);
  if (compare_bytes(call, n)) return nullptr;
  run_buffered(call, tile, result, n);
  return nullptr;
}

}  // namespace levin::inline v0::cpu

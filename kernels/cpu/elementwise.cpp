// One driver for every formula: the tile function runs over contiguous memory of the compute type,
// in place where an operand already is that, else through buffers of 512 elements that stay in the
// first-level cache.
#include "../formulas.h"
#include "../pool.h"
#include "cpu_backend.h"
#include "isa.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

constexpr int64_t kTile = 512;
constexpr int64_t kGrain = 32768;  // a multiple of kTile; below, threads cost more than they give

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
  if (n <= kGrain) {
    tile(in, out, call.numbers, n);
    return nullptr;
  }
  const auto in_size = static_cast<int64_t>(item_size(call.compute)),
             out_size = static_cast<int64_t>(item_size(call.out.layout->dtype));
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
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
  parallel_for(n, kGrain, [=, &call](int64_t begin, int64_t end) {
    compare(x + begin, y + begin, equal + begin, call.op == Op::eq, end - begin);
  });
  return true;
}

// Results that the tile function could not write where they belong; those of predicates are bools.
template <class T>
void put_results(const Layout& out, void* data, DType result, int64_t at, int64_t count,
                 const T* results) {
  const Walk to(out);
  if (result != kBool) return scatter_tile(to, out.dtype, data, at, count, results);
  int64_t widened[kTile];
  for (int64_t j = 0; j < count; ++j) widened[j] = reinterpret_cast<const bool*>(results)[j];
  scatter_tile(to, out.dtype, data, at, count, widened);
}

// How one operand comes to the tile function: where it lies, or through a buffer.
struct Source {
  enum Kind { absent, in_place, constant, gathered } kind = absent;
  DType dtype;
  const char* data;  // the block's
  int64_t offset;
  Walk walk;  // of gathered ones

  Source() {}
  void find(const Arg& arg, DType compute) {
    if (!arg.block) return;
    const Layout& layout = *arg.layout;
    dtype = layout.dtype;
    data = static_cast<const char*>(arg.block->data);
    offset = layout.offset;
    kind = gathered;
    if (dtype == compute && layout.contiguous())
      kind = in_place;
    else if (layout.repeats_one())
      kind = constant;
    else
      walk = Walk(layout);
  }
};

template <class T>
void run_buffered(const ElementwiseCall& call, TileFunction tile, DType result, int64_t n) {
  Source sources[4];
  T constants[4];
  for (int i = 0; i < 4; ++i) {
    Source& source = sources[i];
    source.find(call.in[i], call.compute);
    if (call.number_mask >> i & 1) {
      source.kind = Source::constant;
      constants[i] = convert_to<T>(call.numbers[3 - i]);
    } else if (source.kind == Source::constant) {
      constants[i] = element_as<T>(source.data, source.offset, source.dtype);
    }
  }
  const Layout& out = *call.out.layout;
  const bool out_in_place = out.dtype == result && out.contiguous();
  auto* out_data = static_cast<char*>(call.out.block->data);
  parallel_for(n, kGrain, [&](int64_t begin, int64_t end) {
    alignas(64) T buffers[4][kTile];
    alignas(64) T results[kTile];
    const void* in[4];
    const int64_t longest = end - begin < kTile ? end - begin : kTile;
    for (int i = 0; i < 4; ++i) {
      in[i] = sources[i].kind == Source::absent ? nullptr : buffers[i];
      if (sources[i].kind == Source::constant)
        for (int64_t j = 0; j < longest; ++j) buffers[i][j] = constants[i];
    }
    for (int64_t at = begin; at < end; at += kTile) {
      const int64_t count = end - at < kTile ? end - at : kTile;
      for (int i = 0; i < 4; ++i) {
        const Source& source = sources[i];
        if (source.kind == Source::in_place) in[i] = source.data + (source.offset + at) * sizeof(T);
        if (source.kind == Source::gathered)
          gather_tile(source.walk, source.dtype, source.data, at, count, buffers[i]);
      }
      void* to = out_in_place ? out_data + (out.offset + at) * item_size(result)
                              : static_cast<void*>(results);
      tile(in, to, call.numbers, count);
      if (!out_in_place) put_results(out, out_data, result, at, count, results);
    }
  });
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
  with_compute_type(call.compute,
                    [&](auto zero) { run_buffered<decltype(zero)>(call, tile, result, n); });
  return nullptr;
}

}  // namespace levin::inline v0::cpu

// Philox numbers in element order.
#include "../formulas/random.h"

#include "../pool.h"
#include "cpu_backend.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

using formula::Random;

// Numbers at a time, and for one thread at a time: whole blocks.
constexpr int64_t kTile = 512, kGrain = 8192;

// x = the `count` numbers from element `first` on, which begins a block, and the rest of the last one.
template <bool wide>
void make_tile(const Random& random, const RandomCall& call, int64_t first, int64_t count,
               double* x) {
  constexpr int per_block = wide ? 2 : 4;
  for (int64_t j = 0; j < count; j += per_block)
    random.make<wide>(philox_block(call.seed, call.stream, *call.counter,
                                   static_cast<uint32_t>((first + j) / per_block)),
                      x + j);
}

}  // namespace

const char* random(const RandomCall& call) {
  const Layout& layout = *call.out.layout;
  const Random random(call);
  const Walk walk(layout);
  parallel_for(layout.numel(), kGrain, [&](int64_t begin, int64_t stop) {
    double x[kTile];
    for (int64_t i = begin; i < stop; i += kTile) {
      const int64_t count = stop - i < kTile ? stop - i : kTile;
      random.wide ? make_tile<true>(random, call, i, count, x)
                  : make_tile<false>(random, call, i, count, x);
      scatter_tile(walk, layout.dtype, call.out.block->data, i, count, x);
    }
  });
  ++*call.counter;
  return nullptr;
}

}  // namespace levin::inline v0::cpu

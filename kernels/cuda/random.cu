// Random numbers: a thread makes those of one block of words.
#include "../formulas/random.h"
#include "calls.h"
#include "elements.h"

namespace levin::inline v0::cuda {
namespace {

using formula::Random;

template <class S, int n>
struct alignas(sizeof(S) * n) Neighbours {
  S x[n];
};

// packed: out is contiguous, and each thread's elements lie at a multiple of their size.
template <class S, bool wide>
__global__ void random_kernel(Random random, uint64_t seed, uint32_t stream,
                              Gpu::Fresh<uint64_t> counter, Indexer<1> indexer, bool packed, S* out,
                              int64_t n) {
  constexpr int count = wide ? 2 : 4;
  const int64_t block = thread_number(), first = block * count;
  if (first >= n) return;
  double x[count];
  random.make<wide>(philox_block(seed, stream, counter.get(), static_cast<uint32_t>(block)), x);
  if (packed && first + count <= n) {
    Neighbours<S, count> numbers;
    for (int i = 0; i < count; ++i) numbers.x[i] = convert_to<S>(x[i]);
    *reinterpret_cast<Neighbours<S, count>*>(out + indexer.offsets[0] + first) = numbers;
    return;
  }
  for (int i = 0; i < count && first + i < n; ++i) {
    int64_t at[1];
    indexer.find(first + i, at);
    out[at[0]] = convert_to<S>(x[i]);
  }
}

template <class S>
const char* run(Gpu& gpu, const RandomCall& call, const Random& random,
                const Gpu::Fresh<uint64_t>& counter) {
  const Layout& layout = *call.out.layout;
  const int64_t n = layout.numel();
  const bool packed =
      layout.contiguous() &&
      reinterpret_cast<uintptr_t>(data_of<S>(call.out)) % (random.per_block() * sizeof(S)) == 0;
  return gpu.launch(random.wide ? random_kernel<S, true> : random_kernel<S, false>,
                    blocks_for(n, int64_t{kThreads} * random.per_block()), kThreads, random,
                    call.seed, call.stream, counter, Indexer<1>({&layout}), packed,
                    static_cast<S*>(call.out.block->data), n);
}

}  // namespace

const char* random(Gpu& gpu, const RandomCall& call) {
  Gpu::Fresh<uint64_t> counter;
  LEVIN_TRY(gpu.fresh<uint64_t>([counter = call.counter] { return (*counter)++; }, &counter));
  if (call.out.layout->numel() == 0) return nullptr;
  const Random random(call);
  return with_type(call.out.layout->dtype, [&](auto element) {
    return run<decltype(element)>(gpu, call, random, counter);
  });
}

}  // namespace levin::inline v0::cuda

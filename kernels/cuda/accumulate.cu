// Running sums of metrics.
#include "calls.h"
#include "elements.h"

namespace levin::inline v0::cuda {
namespace {

__device__ void count(double weight, double* counts) {
  counts[0] += weight;
  counts[1] += 1;
}

__global__ void count_kernel(double weight, double* counts) { count(weight, counts); }

// Threads that find a value which is not finite write the same number. A block that is alone counts
// too, behind them all.
__global__ void add_kernel(Indexer<1> indexer, const void* values, DType type, double weight,
                           double* sums, double* counts, int64_t n) {
  const int64_t i = thread_number();
  if (i < n) {
    int64_t at[1];
    indexer.find(i, at);
    const double value = load_as<double>(values, type, at[0]);
    const bool finite = value - value == 0;
    if (!finite && counts[2] < 0) counts[2] = counts[1];
    sums[i] += weight * value;
  }
  if (gridDim.x > 1) return;
  __syncthreads();
  if (threadIdx.x == 0) count(weight, counts);
}

}  // namespace

const char* accumulate(Gpu& gpu, const AccumulateCall& call) {
  const int64_t n = call.value.layout->numel(), blocks = blocks_for(n, kThreads);
  double* counts = data_of<double>(call.counts);
  if (n > 0)
    LEVIN_TRY(gpu.launch_together(add_kernel, blocks, kThreads, Indexer<1>({call.value.layout}),
                                  call.value.block->data, call.value.layout->dtype, call.weight,
                                  data_of<double>(call.sums), counts, n));
  if (blocks == 1) return nullptr;
  return gpu.launch(count_kernel, 1, 1, call.weight, counts);
}

}  // namespace levin::inline v0::cuda

// Mean squared error, forward and backward.
#include "calls.h"
#include "lines.h"

namespace levin::inline v0::cuda {
namespace {

template <class T>
struct SquareDistance : SumKind<T> {
  const T *x, *target;
  template <int width>
  __device__ T block(int64_t, int64_t start, int64_t n) const {
    return sum_block<width, T>(n, [from = x + start, to = target + start](int i) {
      const T d = from[i] - to[i];
      return d * d;
    });
  }
};

template <class T>
const char* mse_of(Gpu& gpu, const MseCall& call) {
  const int64_t n = call.x.layout->numel();
  const T divisor = call.mean ? static_cast<T>(n) : T(1);
  return reduce_line(
      gpu,
      SquareDistance<T>{
          {data_of<T>(call.out), divisor}, data_of<T>(call.x), data_of<T>(call.target)},
      n);
}

constexpr int kPerThread = 4;

// out = g (scale (x - target))
template <class T>
__global__ void slope_kernel(const T* x, const T* target, const T* g, T scale, T* out, int64_t n) {
  const T factor = *g;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * kPerThread * kThreads + threadIdx.x;
  T d[kPerThread];
  LEVIN_UNROLL(kPerThread)
  for (int k = 0; k < kPerThread; ++k)
    if (const int64_t i = first + k * kThreads; i < n) d[k] = x[i] - target[i];
  LEVIN_UNROLL(kPerThread)
  for (int k = 0; k < kPerThread; ++k)
    if (const int64_t i = first + k * kThreads; i < n) out[i] = factor * (scale * d[k]);
}

template <class T>
const char* slope_of(Gpu& gpu, const MseBackwardCall& call) {
  const int64_t n = call.x.layout->numel();
  if (n == 0) return nullptr;
  const T scale = static_cast<T>(call.mean ? 2 / static_cast<double>(n) : 2);
  return gpu.launch(slope_kernel<T>, blocks_for(n, kPerThread * kThreads), kThreads,
                    data_of<T>(call.x), data_of<T>(call.target), data_of<T>(call.g), scale,
                    data_of<T>(call.out), n);
}

}  // namespace

const char* mse(Gpu& gpu, const MseCall& call) {
  return call.x.layout->dtype == kFloat64 ? mse_of<double>(gpu, call) : mse_of<float>(gpu, call);
}

const char* mse_backward(Gpu& gpu, const MseBackwardCall& call) {
  return call.x.layout->dtype == kFloat64 ? slope_of<double>(gpu, call)
                                          : slope_of<float>(gpu, call);
}

}  // namespace levin::inline v0::cuda

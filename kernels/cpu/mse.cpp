// Mean squared error, forward and backward.
#include "blocks.h"
#include "cpu_backend.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

template <class T>
void mse_of(const MseCall& call) {
  const int64_t n = call.x.layout->numel();
  const T *x = data_of<T>(call.x), *target = data_of<T>(call.target);
  const auto distance = row_loops<T>().square_distance_block;
  const T sum = over_blocks<T>(
      n, [](T a, T b) { return a + b; },
      [=](int64_t start, int64_t count) { return distance(x + start, target + start, count); });
  *data_of<T>(call.out) = call.mean ? sum / static_cast<T>(n) : sum;
}

template <class T>
void slope_of(const MseBackwardCall& call) {
  const int64_t n = call.x.layout->numel();
  const T *x = data_of<T>(call.x), *target = data_of<T>(call.target);
  const T g = *data_of<T>(call.g);
  const auto scale = static_cast<T>(call.mean ? 2 / static_cast<double>(n) : 2);
  T* out = data_of<T>(call.out);
  const auto slope = row_loops<T>().square_slope;
  parallel_for(n, kGrain, [=](int64_t begin, int64_t end) {
    slope(x + begin, target + begin, g, scale, end - begin, out + begin);
  });
}

}  // namespace

const char* mse(const MseCall& call) {
  call.x.layout->dtype == kFloat64 ? mse_of<double>(call) : mse_of<float>(call);
  return nullptr;
}

const char* mse_backward(const MseBackwardCall& call) {
  call.x.layout->dtype == kFloat64 ? slope_of<double>(call) : slope_of<float>(call);
  return nullptr;
}

}  // namespace levin::inline v0::cpu

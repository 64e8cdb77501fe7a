// Mean squared error, forward and backward.
#include "blocks.h"
#include "command.h"
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
T scale_of(const MseBackwardCall& call) {
  return static_cast<T>(call.mean ? 2 / static_cast<double>(call.x.layout->numel()) : 2);
}

template <class T>
void slope_of(const MseBackwardCall& call) {
  const int64_t n = call.x.layout->numel();
  const T *x = data_of<T>(call.x), *target = data_of<T>(call.target);
  const T g = *data_of<T>(call.g);
  const T scale = scale_of<T>(call);
  T* out = data_of<T>(call.out);
  const auto slope = row_loops<T>().square_slope;
  parallel_for(n, kGrain, [=](int64_t begin, int64_t end) {
    slope(x + begin, target + begin, g, scale, end - begin, out + begin);
  });
}

template <class T>
std::unique_ptr<Command> prepare_mse(const MseCall& call) {
  const int64_t n = call.x.layout->numel();
  if (n > kSumBlock) return nullptr;
  return command([n, divisor = call.mean ? static_cast<T>(n) : T(1), x = Place<T>(call.x),
                  target = Place<T>(call.target), out = Place<T>(call.out),
                  distance = row_loops<T>().square_distance_block] {
    *out.get() = distance(x.get(), target.get(), n) / divisor;
    return nullptr;
  });
}

template <class T>
std::unique_ptr<Command> prepare_slope(const MseBackwardCall& call) {
  const int64_t n = call.x.layout->numel();
  if (n > kGrain) return nullptr;
  return command([n, scale = scale_of<T>(call), x = Place<T>(call.x),
                  target = Place<T>(call.target), g = Place<T>(call.g), out = Place<T>(call.out),
                  slope = row_loops<T>().square_slope] {
    slope(x.get(), target.get(), *g.get(), scale, n, out.get());
    return nullptr;
  });
}

}  // namespace

std::unique_ptr<Command> prepare(const MseCall& call) {
  return call.x.layout->dtype == kFloat64 ? prepare_mse<double>(call) : prepare_mse<float>(call);
}

std::unique_ptr<Command> prepare(const MseBackwardCall& call) {
  return call.x.layout->dtype == kFloat64 ? prepare_slope<double>(call)
                                          : prepare_slope<float>(call);
}

const char* mse(const MseCall& call) {
  call.x.layout->dtype == kFloat64 ? mse_of<double>(call) : mse_of<float>(call);
  return nullptr;
}

const char* mse_backward(const MseBackwardCall& call) {
  call.x.layout->dtype == kFloat64 ? slope_of<double>(call) : slope_of<float>(call);
  return nullptr;
}

}  // namespace levin::inline v0::cpu

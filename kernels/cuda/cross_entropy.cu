// The cross entropy of class indices, forward and backward.
#define LEVIN_GPU
#include "../formulas/math.h"
#include "calls.h"
#include "rows.h"

namespace levin::inline v0::cuda {
namespace {

// out[0] = the number of targets that count, as a divisor.
template <class T>
struct CountKind {
  using Part = int64_t;
  const int64_t* target;
  int64_t ignored;
  T* out;
  template <int width>
  __device__ int64_t block(int64_t, int64_t start, int64_t n) const {
    return sum_block<width, int64_t>(
        n, [this, start](int i) { return int64_t{target[start + i] != ignored}; });
  }
  __device__ int64_t combine(int64_t a, int64_t b) const { return a + b; }
  __device__ void finish(int64_t count, int64_t) const { *out = static_cast<T>(count); }
};

template <class T>
struct LossKind : SumKind<T> {
  const T* losses;
  template <int width>
  __device__ T block(int64_t, int64_t start, int64_t n) const {
    return sum_block<width, T>(n, [from = losses + start](int i) { return from[i]; });
  }
};

template <class T>
struct Entropy {
  const T* x;
  const int64_t* target;
  int64_t ignored;
  T *losses, *slopes;  // slopes may be null
  const T* divisor;    // null for 1
  Fault* fault;
};

// loss = -log_softmax(x)[target]; slope = (softmax(x) - onehot) / divisor, or 0 where the target is
// ignored.
template <class T, class R>
__global__ void __launch_bounds__(kMostRowThreads, 1)
    entropy_kernel(int64_t rows, int64_t n, Entropy<T> entropy) {
  const R row(rows, n);
  const T* x = entropy.x + row.number * n;
  const int64_t target = entropy.target[row.number];
  const bool ignored = target == entropy.ignored, in_range = target >= 0 && target < n;
  T kept[R::kHeld];
  T largest = -__builtin_inff();
  row.each(kept, [&](int64_t i, T& e, bool) {
    e = x[i];
    largest = R::larger(largest, e);
  });
  largest = row.largest(largest);
  const auto power = [&](int64_t i, T e, bool held) {
    return exp(One<T>::raw((held ? e : x[i]) - largest)).v;
  };
  const T sum = row.sum(kept, [&](int64_t i, T& e, bool held) { return e = power(i, e, held); });
  if (row.leads()) {
    if (!ignored && !in_range) *entropy.fault = Fault::target;
    entropy.losses[row.number] =
        ignored || !in_range ? T(0) : -((x[target] - largest) - log(One<T>::raw(sum)).v);
  }
  if (!entropy.slopes) return;
  T* slopes = entropy.slopes + row.number * n;
  const T scale = entropy.divisor ? T(1) / *entropy.divisor : T(1);
  const T factor = ignored ? T(0) : scale / sum;
  row.each(kept, [&](int64_t i, T& e, bool held) {
    const T slope = (held ? e : power(i, e, false)) * factor;
    slopes[i] = i == target && !ignored ? slope - scale : slope;
  });
}

template <class T>
const char* forward(Gpu& gpu, const CrossEntropyCall& call) {
  const int64_t rows = call.target.layout->numel(), classes = call.x.layout->shape.back();
  Entropy<T> entropy{data_of<T>(call.x),
                     data_of<int64_t>(call.target),
                     call.ignored,
                     data_of<T>(call.losses),
                     data_or_null<T>(call.slopes),
                     nullptr,
                     gpu.fault()};
  // The divisor, and behind it the parts of one sum or the other.
  constexpr std::size_t kDivisor = 16;
  char* memory = static_cast<char*>(gpu.workspace(kDivisor + bytes_for_line<CountKind<T>>(rows)));
  if (!memory) return "needs memory to work in, of which there is none";
  T* divisor = reinterpret_cast<T*>(memory);
  if (call.mean) {
    const CountKind<T> count{entropy.target, call.ignored, divisor};
    LEVIN_TRY(reduce_line(gpu, count, rows, memory + kDivisor));
    entropy.divisor = divisor;
  }
  LEVIN_TRY((with_row<T, T>(classes, [&](auto tag) {
    using R = typename decltype(tag)::Row;
    return launch_rows<R>(gpu, entropy_kernel<T, R>, rows, classes, entropy);
  })));
  if (!call.out.block) return nullptr;
  const LossKind<T> loss{{data_of<T>(call.out), T(1), entropy.divisor}, entropy.losses};
  return reduce_line(gpu, loss, rows, memory + kDivisor);
}

// A gradient of 1 leaves slopes that lie in their place already as they are.
template <class T>
__global__ void scale_kernel(const T* slopes, const T* g, int64_t step, T* dx, int64_t n,
                             int64_t classes) {
  if (step == 0 && *g == T(1) && dx == slopes) return;
  const int64_t threads = static_cast<int64_t>(gridDim.x) * blockDim.x;
  LEVIN_UNROLL(4)
  for (int64_t i = thread_number(); i < n; i += threads)
    dx[i] = slopes[i] * g[step ? i / classes * step : 0];
}

template <class T>
const char* backward(Gpu& gpu, const CrossEntropyBackwardCall& call) {
  const int64_t n = call.slopes.layout->numel();
  if (n == 0) return nullptr;
  const int64_t wanted = blocks_for(n, 4 * kThreads), most = gpu.multiprocessors() * 16;
  return gpu.launch(scale_kernel<T>, wanted < most ? wanted : most, kThreads,
                    data_of<T>(call.slopes), data_of<T>(call.g), int64_t{call.g.layout->dim()},
                    data_of<T>(call.dx), n, call.slopes.layout->shape[1]);
}

}  // namespace

const char* cross_entropy(Gpu& gpu, const CrossEntropyCall& call) {
  return call.x.layout->dtype == kFloat64 ? forward<double>(gpu, call) : forward<float>(gpu, call);
}

const char* cross_entropy_backward(Gpu& gpu, const CrossEntropyBackwardCall& call) {
  return call.slopes.layout->dtype == kFloat64 ? backward<double>(gpu, call)
                                               : backward<float>(gpu, call);
}

}  // namespace levin::inline v0::cuda

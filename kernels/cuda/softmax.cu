// softmax and log_softmax over contiguous rows, forward and backward.
#define LEVIN_GPU
#include "../formulas/math.h"
#include "calls.h"
#include "rows.h"

namespace levin::inline v0::cuda {
namespace {

// softmax: e^(x - max) / sum; log_softmax: (x - max) - log sum.
template <class T, class R, bool log_form>
__global__ void __launch_bounds__(kMostRowThreads, 1)
    softmax_kernel(int64_t rows, int64_t n, const T* x, T* out) {
  const R row(rows, n);
  x += row.number * n;
  out += row.number * n;
  T kept[R::kHeld];
  T largest = -__builtin_inff();
  row.each(kept, [&](int64_t i, T& e, bool) {
    e = x[i];
    largest = R::larger(largest, e);
  });
  largest = row.largest(largest);
  const auto centered = [&](int64_t i, T e, bool held) { return (held ? e : x[i]) - largest; };
  const auto power = [&](int64_t i, T e, bool held) {
    return exp(One<T>::raw(centered(i, e, held))).v;
  };
  if constexpr (log_form) {
    const T sum = row.sum(kept, power);
    const T log_sum = log(One<T>::raw(sum)).v;
    row.each(kept, [&](int64_t i, T& e, bool held) { out[i] = centered(i, e, held) - log_sum; });
  } else {
    const T sum = row.sum(kept, [&](int64_t i, T& e, bool held) { return e = power(i, e, held); });
    row.each(kept,
             [&](int64_t i, T& e, bool held) { out[i] = (held ? e : power(i, e, false)) / sum; });
  }
}

template <class T>
struct Slope {
  T y, g;
};

// softmax: y (g - sum(g y)); log_softmax: g - e^y sum(g).
template <class T, class R, bool log_form>
__global__ void __launch_bounds__(kMostRowThreads, 1)
    softmax_backward_kernel(int64_t rows, int64_t n, const T* y, const T* g, T* out) {
  const R row(rows, n);
  y += row.number * n;
  g += row.number * n;
  out += row.number * n;
  Slope<T> kept[R::kHeld];
  const T sum = row.sum(kept, [&](int64_t i, Slope<T>& s, bool) {
    s = {y[i], g[i]};
    return log_form ? s.g : s.g * s.y;
  });
  row.each(kept, [&](int64_t i, Slope<T>& s, bool held) {
    if (!held) s = {y[i], g[i]};
    out[i] = log_form ? s.g - exp(One<T>::raw(s.y)).v * sum : s.y * (s.g - sum);
  });
}

template <class T>
const char* softmax_of(Gpu& gpu, const SoftmaxCall& call, int64_t rows, int64_t n) {
  const T* x = data_of<T>(call.x_or_y);
  T* out = data_of<T>(call.out);
  if (!call.backward)
    return with_row<T, T>(n, [&](auto tag) {
      using R = typename decltype(tag)::Row;
      return launch_rows<R>(gpu,
                            call.log ? softmax_kernel<T, R, true> : softmax_kernel<T, R, false>,
                            rows, n, x, out);
    });
  return with_row<T, Slope<T>>(n, [&](auto tag) {
    using R = typename decltype(tag)::Row;
    return launch_rows<R>(
        gpu, call.log ? softmax_backward_kernel<T, R, true> : softmax_backward_kernel<T, R, false>,
        rows, n, x, data_of<T>(call.g), out);
  });
}

}  // namespace

const char* softmax(Gpu& gpu, const SoftmaxCall& call) {
  const Layout& layout = *call.out.layout;
  const int64_t n = layout.dim() ? layout.shape.back() : 1;
  if (n == 0) return nullptr;
  const int64_t rows = layout.numel() / n;
  if (layout.dtype == kFloat32) return softmax_of<float>(gpu, call, rows, n);
  if (layout.dtype == kFloat64) return softmax_of<double>(gpu, call, rows, n);
  return "needs float32 or float64";
}

}  // namespace levin::inline v0::cuda

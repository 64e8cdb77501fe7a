// softmax and log_softmax over contiguous rows, forward and backward.
#include "blocks.h"
#include "cpu_backend.h"
#include "walk.h"

namespace levin::inline v0::cpu {

const char* softmax(const SoftmaxCall& call) {
  const Layout& layout = *call.out.layout;
  const int64_t n = layout.dim() ? layout.shape.back() : 1;
  if (n == 0) return nullptr;
  const int64_t rows = layout.numel() / n;
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    const T* x = data_of<T>(call.x_or_y);
    const T* g = call.backward ? data_of<T>(call.g) : nullptr;
    T* out = data_of<T>(call.out);
    parallel_rows(rows, n, [&](int64_t begin, int64_t end) {
      const int64_t first = begin * n, count = end - begin;
      if (g)
        row_loops<T>().softmax_backward(x + first, g + first, out + first, count, n, call.log);
      else
        row_loops<T>().softmax(x + first, out + first, count, n, call.log);
    });
  };
  if (layout.dtype == kFloat32)
    run(float{});
  else if (layout.dtype == kFloat64)
    run(double{});
  else
    return "needs float32 or float64";
  return nullptr;
}

}  // namespace levin::inline v0::cpu

// Running sums, products and linear recurrences. Each line of elements is one sequence of steps, so
// its bits depend on nothing else; several lines are walked side by side.
#include "../pool.h"
#include "cpu_backend.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

constexpr int64_t kGrain = 32768;
constexpr int64_t kLines = 16;

// What the running result is kept in: wider than float elements, wrapping around for integers.
template <class S>
using Running = std::conditional_t<std::is_integral_v<S>, uint64_t,
                                   std::conditional_t<(sizeof(S) > 2), double, float>>;

template <class S>
struct Lines {
  const ScanCall& call;
  const S *x, *a;
  S* out;
  int64_t n, stride;

  explicit Lines(const ScanCall& scan)
      : call(scan),
        x(data_of<const S>(scan.x)),
        a(scan.a.block ? data_of<const S>(scan.a) : x),
        out(data_of<S>(scan.out)),
        n(1),
        stride(1) {
    const Shape& shape = scan.out.layout->shape;
    if (shape.empty()) return;
    n = shape[scan.dim];
    for (int d = scan.dim + 1; d < shape.size(); ++d) stride *= shape[d];
  }

  // `count` lines from number `first` on; step(running, a, x) gives the next result.
  template <class Step>
  void run(int64_t first, int64_t count, Running<S> start, Step step) const {
    using R = Running<S>;
    R running[kLines];
    int64_t at[kLines];
    for (int64_t j = 0; j < count; ++j) {
      const int64_t line = first + j;
      at[j] = line / stride * n * stride + line % stride + (call.reverse ? (n - 1) * stride : 0);
      running[j] = start;
    }
    const int64_t advance = call.reverse ? -stride : stride;
    for (int64_t k = 0; k < n; ++k) {
      for (int64_t j = 0; j < count; ++j) {
        running[j] = step(running[j], convert_from<R>(a[at[j]]), convert_from<R>(x[at[j]]));
        out[at[j]] = convert_to<S>(running[j]);
        at[j] += advance;
      }
    }
  }
};

template <class S>
void scan_typed(const ScanCall& call) {
  using R = Running<S>;
  const Lines<S> lines(call);
  const int64_t count = lines.n ? call.out.layout->numel() / lines.n : 0;
  const int64_t grain = (kGrain / (lines.n + 1) + kLines) / kLines * kLines;
  parallel_for(count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; line += kLines) {
      const int64_t together = end - line < kLines ? end - line : kLines;
      if (call.kind == ScanKind::sum)
        lines.run(line, together, R(0), [](R running, R, R x) { return running + x; });
      else if (call.kind == ScanKind::prod)
        lines.run(line, together, R(1), [](R running, R, R x) { return running * x; });
      else
        lines.run(line, together, R(0), [](R running, R a, R x) { return a * running + x; });
    }
  });
}

}  // namespace

const char* scan(const ScanCall& call) {
  return with_type(call.out.layout->dtype, [&](auto element) -> const char* {
    using S = decltype(element);
    if constexpr (std::is_integral_v<S> && !std::is_same_v<S, int64_t>) {
      return "needs a floating type or int64";
    } else {
      scan_typed<S>(call);
      return nullptr;
    }
  });
}

}  // namespace levin::inline v0::cpu

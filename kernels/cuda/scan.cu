// Running sums, products and linear recurrences. A thread walks along each line, step by step, as the
// CPU does: a result's bits depend on nothing but the line.
#include "calls.h"
#include "elements.h"

namespace levin::inline v0::cuda {
namespace {

// What the running result is kept in: wider than float elements, wrapping around for integers.
template <class S>
using Running = std::conditional_t<std::is_integral_v<S>, uint64_t,
                                   std::conditional_t<(sizeof(S) > 2), double, float>>;

/// `count` lines of n elements, `stride` apart; a may be null.
template <class S>
struct Lines {
  const S *x, *a;
  S* out;
  int64_t count, n, stride;
  bool reverse;

  /// How many elements behind the first of its line the one of step k lies.
  __device__ int64_t step(int64_t k) const { return (reverse ? n - 1 - k : k) * stride; }
};

template <class S, ScanKind kind>
constexpr Running<S> start() {
  return kind == ScanKind::prod ? 1 : 0;
}
template <class S, ScanKind kind>
__device__ Running<S> next(Running<S> running, S a, S x) {
  using R = Running<S>;
  const R step = convert_from<R>(x);
  if constexpr (kind == ScanKind::sum) return running + step;
  if constexpr (kind == ScanKind::prod) return running * step;
  return convert_from<R>(a) * running + step;
}

// Lines beside each other, a thread for each: neighbours read neighbours. Elements are read a few at a
// time, so that their ways from memory overlap.
template <class S, ScanKind kind>
__global__ void across_kernel(Lines<S> lines) {
  constexpr int kAhead = 8;
  const int64_t line = thread_number();
  if (line >= lines.count) return;
  int64_t at = line / lines.stride * lines.n * lines.stride + line % lines.stride + lines.step(0);
  const int64_t advance = lines.reverse ? -lines.stride : lines.stride;
  Running<S> running = start<S, kind>();
  for (int64_t k = 0; k < lines.n; k += kAhead) {
    const int64_t left = lines.n - k;
    S x[kAhead] = {}, a[kAhead] = {};
    for (int j = 0; j < kAhead; ++j) {
      if (j >= left) break;
      x[j] = lines.x[at + j * advance];
      if (kind == ScanKind::linear) a[j] = lines.a[at + j * advance];
    }
    for (int j = 0; j < kAhead; ++j, at += advance) {
      if (j >= left) break;
      running = next<S, kind>(running, a[j], x[j]);
      lines.out[at] = convert_to<S>(running);
    }
  }
}

// Lines whose elements are neighbours go through shared memory, tile by tile: a warp reads and writes
// them, and in between each of `together` threads walks along one. `together` is 1 or 32.
template <class S, ScanKind kind>
__global__ void along_kernel(Lines<S> lines, int together) {
  constexpr int kTile = kWarp * kWarp;
  constexpr bool linear = kind == ScanKind::linear;
  LEVIN_SHARED(S, x, kTile + kWarp);
  LEVIN_SHARED(S, a, linear ? kTile + kWarp : 1);
  const int thread = threadIdx.x, width = kTile / together;
  const int64_t first = static_cast<int64_t>(blockIdx.x) * together;
  const int64_t there = lines.count - first;
  Running<S> running = start<S, kind>();
  for (int64_t k = 0; k < lines.n; k += width) {
    const int64_t left = lines.n - k;
    // f(place in the tile, place in memory), for each element of the tile; lines of the tile lie so
    // that threads that walk side by side use different banks.
    const auto each = [&](auto f) {
      for (int e = thread; e < kTile; e += kWarp)
        if (const int line = e / width, i = e % width; line < there && i < left)
          f(line * (width + 1) + i, (first + line) * lines.n + lines.step(k + i));
    };
    each([&](int at, int64_t from) {
      x[at] = lines.x[from];
      if (linear) a[at] = lines.a[from];
    });
    __syncwarp();
    if (thread < together && thread < there) {
      const int begin = thread * (width + 1), end = begin + (left < width ? left : width);
      for (int at = begin; at < end; ++at) {
        running = next<S, kind>(running, a[linear ? at : 0], x[at]);
        x[at] = convert_to<S>(running);
      }
    }
    __syncwarp();
    each([&](int at, int64_t to) { lines.out[to] = x[at]; });
    __syncwarp();
  }
}

template <class S, ScanKind kind>
const char* scan_lines(Gpu& gpu, const Lines<S>& lines) {
  if (lines.stride > 1)
    return gpu.launch(across_kernel<S, kind>, blocks_for(lines.count, 64), 64, lines);
  const int together = lines.count < gpu.multiprocessors() * kWarp ? 1 : kWarp;
  return gpu.launch_together(along_kernel<S, kind>, blocks_for(lines.count, together), kWarp, lines,
                             together);
}

template <class S>
const char* scan_typed(Gpu& gpu, const ScanCall& call) {
  const Shape& shape = call.out.layout->shape;
  const int64_t elements = call.out.layout->numel();
  if (elements == 0) return nullptr;
  Lines<S> lines{data_of<S>(call.x), data_or_null<S>(call.a), data_of<S>(call.out), 1, 1, 1,
                 call.reverse};
  if (!shape.empty()) lines.n = shape[call.dim];
  for (int d = call.dim + 1; d < shape.size(); ++d) lines.stride *= shape[d];
  lines.count = elements / lines.n;
  if (call.kind == ScanKind::sum) return scan_lines<S, ScanKind::sum>(gpu, lines);
  if (call.kind == ScanKind::prod) return scan_lines<S, ScanKind::prod>(gpu, lines);
  return scan_lines<S, ScanKind::linear>(gpu, lines);
}

}  // namespace

const char* scan(Gpu& gpu, const ScanCall& call) {
  switch (call.out.layout->dtype) {
    case DType::float32:
      return scan_typed<float>(gpu, call);
    case DType::float64:
      return scan_typed<double>(gpu, call);
    case DType::bfloat16:
      return scan_typed<BFloat16>(gpu, call);
    case DType::float16:
      return scan_typed<Float16>(gpu, call);
    case DType::int64:
      return scan_typed<int64_t>(gpu, call);
    default:
      return "needs a floating type or int64";
  }
}

}  // namespace levin::inline v0::cuda

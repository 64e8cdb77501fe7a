// Lines of elements that become one number each, in the order of cpu/rows.h: element i is added to
// lane i mod 64 (of fewer than 256: mod 16), the lanes by halves; blocks of 4096 elements pairwise,
// neighbours first. Which threads do it changes no bit.
#pragma once

#include "../lanes.h"
#include "elements.h"

namespace levin::inline v0::cuda {
namespace {

#ifdef __CUDACC__
#define LEVIN_PRAGMA(text) _Pragma(#text)
#define LEVIN_UNROLL(count) LEVIN_PRAGMA(unroll count)
#else
#define LEVIN_UNROLL(count)
#endif

constexpr unsigned kAllLanes = ~0u;

// Integers wrap around.
template <class T>
__device__ T plus(T a, T b) {
  return a + b;
}
__device__ inline int64_t plus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

// ---- Blocks of elements

/// Lane `lane` of the sum of term(0) .. term(n - 1), to which lane + 32 has been added.
template <class T, class Term>
__device__ T sum_in_lane(int lane, int n, Term term) {
  T low = 0, high = 0;
  if (n < kFewElements) {
    if (lane >= kFewLanes) return low;
    LEVIN_UNROLL(4)
    for (int i = lane; i < n; i += kFewLanes) low = plus(low, term(i));
    return low;
  }
  int i = lane;
  LEVIN_UNROLL(8)
  for (; i + 32 < n; i += kLanes) {
    low = plus(low, term(i));
    high = plus(high, term(i + 32));
  }
  if (i < n) low = plus(low, term(i));
  return plus(low, high);
}

/// Threads 0, `width` .. of the warp get the sum of those from them on.
template <int width, class T>
__device__ T fold_lanes(T sum) {
  LEVIN_UNROLL(5)
  for (int half = width / 2; half; half /= 2)
    sum = plus(sum, __shfl_down_sync(kAllLanes, sum, half));
  return sum;
}

/// For the first of `width` threads of a warp: the sum of at most kSumBlock terms. 16 threads take
/// fewer than kFewElements.
template <int width, class T, class Term>
__device__ T sum_block(int64_t n, Term term) {
  return fold_lanes<width>(sum_in_lane<T>(threadIdx.x % width, static_cast<int>(n), term));
}

/// For thread 0: the parts of threads 0 .. count - 1, combined pairwise.
template <class Part, class Combine>
__device__ Part combine_in_block(Part part, int count, Combine combine) {
  LEVIN_SHARED(Part, parts, kThreads);
  const int thread = threadIdx.x;
  parts[thread] = part;
  for (int apart = 1; apart < count; apart *= 2) {
    __syncthreads();
    if (thread % (2 * apart) == 0 && thread + apart < count)
      parts[thread] = combine(parts[thread], parts[thread + apart]);
  }
  return parts[thread];
}

// ---- Lines. A Kind says what becomes of them:
//
//   Part                            what is known of a part of a line
//   block<width>(line, start, n)    of at most kSumBlock elements, for the first of `width` threads
//   combine(a, b)                   of neighbours
//   finish(part, line)              puts the result in its place

// Kernels take it as a __grid_constant__: it is large, and one whose address is taken would be copied to
// each thread's memory.

constexpr int kBlocksPerPiece = kThreads / kWarp;
constexpr int64_t kPiece = kBlocksPerPiece * kSumBlock;

/// `width` threads for each line.
template <int width, class Kind>
__global__ void short_lines_kernel(const __grid_constant__ Kind kind, int64_t lines, int64_t n) {
  const int64_t line = thread_number() / width;
  const bool there = line < lines;  // the others must take part in the exchange
  const auto part = kind.template block<width>(there ? line : 0, 0, there ? n : 0);
  if (there && threadIdx.x % width == 0) kind.finish(part, line);
}

/// A block for each piece of a line, a warp for each block of its elements.
template <class Kind>
__global__ void long_lines_kernel(const __grid_constant__ Kind kind, int64_t lines, int64_t n,
                                  typename Kind::Part* parts) {
  using Part = typename Kind::Part;
  LEVIN_SHARED(Part, of_warps, kBlocksPerPiece);
  const int64_t line = blockIdx.x % lines, piece = blockIdx.x / lines;
  const int warp = threadIdx.x / kWarp;
  const int64_t first = piece * kPiece, start = first + warp * kSumBlock;
  const int64_t left = n - start < 0 ? 0 : n - start;
  const Part part = kind.template block<kWarp>(line, start, left < kSumBlock ? left : kSumBlock);
  if (threadIdx.x % kWarp == 0) of_warps[warp] = part;
  __syncthreads();
  const int64_t blocks = blocks_for(n - first, kSumBlock);
  const Part whole = combine_in_block(of_warps[threadIdx.x % kBlocksPerPiece],
                                      blocks < kBlocksPerPiece ? blocks : kBlocksPerPiece,
                                      [&](Part a, Part b) { return kind.combine(a, b); });
  if (threadIdx.x != 0) return;
  if (parts)
    parts[piece * lines + line] = whole;
  else
    kind.finish(whole, line);
}

/// The next parts [.., lines], each of twice as many of `parts` [count, lines] as a block has threads.
template <class Kind>
__global__ void combine_kernel(Kind kind, int64_t lines, int64_t count,
                               const typename Kind::Part* parts, typename Kind::Part* next) {
  using Part = typename Kind::Part;
  const int64_t line = blockIdx.x % lines, group = blockIdx.x / lines;
  const int64_t first = group * 2 * blockDim.x, left = count - first;
  const int here = left < 2 * blockDim.x ? static_cast<int>(left) : 2 * blockDim.x;
  const int mine = 2 * threadIdx.x;
  Part part{};
  if (mine < here) part = parts[(first + mine) * lines + line];
  if (mine + 1 < here) part = kind.combine(part, parts[(first + mine + 1) * lines + line]);
  part = combine_in_block(part, (here + 1) / 2, [&](Part a, Part b) { return kind.combine(a, b); });
  if (threadIdx.x != 0) return;
  if (next)
    next[group * lines + line] = part;
  else
    kind.finish(part, line);
}

constexpr int kCombined = 2 * kThreads;

/// Bytes for the parts of lines that are cut into `pieces`.
template <class Kind>
std::size_t bytes_of_parts(int64_t lines, int64_t pieces) {
  if (pieces <= 1) return 0;
  return sizeof(typename Kind::Part) * lines * (pieces + blocks_for(pieces, kCombined));
}

/// Finishes lines whose `parts` lie in memory of bytes_of_parts().
template <class Kind>
const char* combine_parts(Gpu& gpu, const Kind& kind, int64_t lines, int64_t pieces,
                          typename Kind::Part* parts) {
  if (pieces <= 1) return nullptr;
  auto* next = parts + lines * pieces;
  while (pieces > 1) {
    const int threads = pieces <= 2 * kWarp ? kWarp : kThreads;
    const int64_t groups = blocks_for(pieces, 2 * threads);
    LEVIN_TRY(gpu.launch_together(combine_kernel<Kind>, lines * groups, threads, kind, lines,
                                  pieces, parts, groups > 1 ? next : nullptr));
    auto* const done = parts;
    parts = next;
    next = done;
    pieces = groups;
  }
  return nullptr;
}

/// Reduces `lines` lines of n elements to kPiece of them at a time: to `parts`, if that is not null.
template <class Kind>
const char* launch_lines(Gpu& gpu, const Kind& kind, int64_t lines, int64_t n,
                         typename Kind::Part* parts) {
  if (n > kSumBlock)
    return gpu.launch_together(long_lines_kernel<Kind>, lines * blocks_for(n, kPiece), kThreads,
                               kind, lines, n, parts);
  const bool few = n < kFewElements;
  const int64_t threads = lines * (few ? kFewLanes : kWarp);
  const int in_block = threads < gpu.multiprocessors() * 512 ? 64 : kThreads;
  return gpu.launch_together(
      few ? short_lines_kernel<kFewLanes, Kind> : short_lines_kernel<kWarp, Kind>,
      blocks_for(threads, in_block), in_block, kind, lines, n);
}

/// Reduces one line of n elements; `memory` of bytes_for_line().
template <class Kind>
std::size_t bytes_for_line(int64_t n) {
  return bytes_of_parts<Kind>(1, blocks_for(n, kPiece));
}
template <class Kind>
const char* reduce_line(Gpu& gpu, const Kind& kind, int64_t n, void* memory) {
  const int64_t pieces = blocks_for(n, kPiece);
  auto* parts = static_cast<typename Kind::Part*>(pieces > 1 ? memory : nullptr);
  LEVIN_TRY(launch_lines(gpu, kind, 1, n, parts));
  return combine_parts(gpu, kind, 1, pieces, parts);
}

/// The same with memory of its own.
template <class Kind>
const char* reduce_line(Gpu& gpu, const Kind& kind, int64_t n) {
  const std::size_t bytes = bytes_for_line<Kind>(n);
  void* memory = bytes ? gpu.workspace(bytes) : nullptr;
  if (bytes && !memory) return "needs memory to work in, of which there is none";
  return reduce_line(gpu, kind, n, memory);
}

/// A line's sum, divided.
template <class T>
struct SumKind {
  using Part = T;
  T* out;
  T divisor;
  const T* divisor_there = nullptr;  // instead, where it is not null
  __device__ T combine(T a, T b) const { return a + b; }
  __device__ void finish(T sum, int64_t line) const {
    out[line] = sum / (divisor_there ? *divisor_there : divisor);
  }
};

}  // namespace
}  // namespace levin::inline v0::cuda

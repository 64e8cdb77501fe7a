// Rows that are read once, and worked on several times: what their threads work on stays in registers.
#pragma once

#include "lines.h"

namespace levin::inline v0::cuda {
namespace {

/// The sum of numbers that come one by one, combined pairwise.
template <class T>
class PairwiseSum {
 public:
  __device__ void add(T sum) {
    int level = 0;
    for (; count_ >> level & 1; ++level) sum = partial_[level] + sum;
    partial_[level] = sum;
    ++count_;
  }
  __device__ T total() const {
    int level = 0;
    while (!(count_ >> level & 1)) ++level;
    T sum = partial_[level];
    while (count_ >> ++level)
      if (count_ >> level & 1) sum = partial_[level] + sum;
    return sum;
  }

 private:
  T partial_[48];  // of 2^level numbers, where that bit of count_ is set
  int64_t count_ = 0;
};

/// Kernels of rows have __launch_bounds__(kMostRowThreads, 1). Without the 1, nvcc makes room for two
/// blocks where registers suffice for one, and what a row holds goes to memory.
constexpr int kMostTogether = 8, kMostRowThreads = kMostTogether * kLanes;

/// few: under 256 elements, with 16 threads of a warp. Longer rows have a block of threads: 64, for
/// rows that are all held, or 64 for each of the first 1, 2, 4 or 8 blocks of elements, which then take
/// the next ones.
enum class RowLength { few, held, any };

/// A row of n elements and the part of the thread that runs: it works on the elements of one lane, of
/// which `held` stay in registers. All threads of a block must call sum() and largest().
template <class T, int held, RowLength length>
class Row {
  static constexpr bool few = length == RowLength::few, any = length == RowLength::any;

 public:
  static constexpr int kHeld = held;
  int64_t number, n;

  __device__ Row(int64_t rows, int64_t its_n)
      : number(few ? thread_number() / kFewLanes : blockIdx.x),
        n(its_n),
        lane_(threadIdx.x % (few ? kFewLanes : kLanes)) {
    there_ = number < rows;
    if (!there_) number = n = 0;  // it takes part in the exchanges alone
  }

  /// Is this the thread that writes what there is one of for the row?
  __device__ bool leads() const { return there_ && (few ? lane_ == 0 : threadIdx.x == 0); }

  /// f(i, kept, is_held) for the thread's elements i in their order. `kept` is the thread's own memory
  /// for something of that element: for the next calls too where it is held.
  template <class Kept, class F>
  __device__ void each(Kept (&kept)[held], F f) const {
    in_block<true>(first(), kept, f);
    if constexpr (any)
      for (int64_t block = first() + together(); block * kSumBlock < n; block += together())
        in_block<false>(block, kept, f);
  }

  /// The sum of term(i, kept, is_held) over the row, for all its threads.
  template <class Kept, class Term>
  __device__ T sum(Kept (&kept)[held], Term term) const {
    const T total = sum_of_lanes(sum_in_block<true>(first(), kept, term), 0);
    if constexpr (any) {
      if (n <= together() * kSumBlock) return total;
      PairwiseSum<T> sums;
      sums.add(total);
      for (int64_t start = together(); start * kSumBlock < n; start += together())
        sums.add(sum_of_lanes(sum_in_block<false>(start + first(), kept, term), start));
      return sums.total();
    }
    return total;
  }

  /// The largest of what the threads give; NaN where one does. For all threads of the row.
  __device__ T largest(T mine) const {
    LEVIN_UNROLL(5)
    for (int apart = (few ? kFewLanes : kWarp) / 2; apart; apart /= 2)
      mine = larger(mine, __shfl_xor_sync(kAllLanes, mine, apart));
    if constexpr (few) return mine;
    LEVIN_SHARED(T, of_warps, kMostRowThreads / kWarp);
    of_warps[threadIdx.x / kWarp] = mine;
    __syncthreads();
    for (int warp = 0; warp < static_cast<int>(blockDim.x) / kWarp; ++warp)
      mine = larger(mine, of_warps[warp]);
    return mine;
  }
  __device__ static T larger(T a, T b) { return b > a || b != b ? b : a; }

  static int64_t blocks(int64_t rows) {
    return few ? blocks_for(rows, kThreads / kFewLanes) : rows;
  }
  static int threads(int64_t n) {
    if (few) return kThreads;
    if (!any) return kLanes;
    int together = 1;
    while (together < kMostTogether && together * kSumBlock < n) together *= 2;
    return together * kLanes;
  }

 private:
  __device__ int first() const { return any ? threadIdx.x / kLanes : 0; }
  __device__ int together() const { return any ? blockDim.x / kLanes : 1; }

  template <bool holds, class Kept, class F>
  __device__ void in_block(int64_t block, Kept (&kept)[held], F f) const {
    constexpr int kStride = few ? kFewLanes : kLanes;
    const int64_t start = block * kSumBlock, left = n - start;
    const int count = left < kSumBlock ? static_cast<int>(left) : kSumBlock;
    const auto others = [&](int i, int stride) {
      for (; i < count; i += stride) {
        Kept other;
        f(start + i, other, false);
      }
    };
    if (any && count < kFewElements) {
      if (lane_ < kFewLanes) others(lane_, kFewLanes);
    } else if constexpr (holds) {
      LEVIN_UNROLL(held)
      for (int k = 0; k < held; ++k)
        if (lane_ + k * kStride < count) f(start + lane_ + k * kStride, kept[k], true);
      if constexpr (any) others(lane_ + held * kStride, kStride);
    } else {
      others(lane_, kStride);
    }
  }

  template <bool holds, class Kept, class Term>
  __device__ T sum_in_block(int64_t block, Kept (&kept)[held], Term term) const {
    T sum = 0;
    in_block<holds>(block, kept,
                    [&](int64_t i, Kept& mine, bool is_held) { sum += term(i, mine, is_held); });
    return sum;
  }

  // Of the blocks from `start` on that are worked on together.
  __device__ T sum_of_lanes(T sum, int64_t start) const {
    if constexpr (few)
      return __shfl_sync(kAllLanes, fold_lanes<kFewLanes>(sum), threadIdx.x & kFewLanes);
    LEVIN_SHARED(T, lanes, kMostRowThreads);
    LEVIN_SHARED(T, sums, kMostTogether);
    lanes[threadIdx.x] = sum;
    __syncthreads();
    if (lane_ < kWarp) {
      sum = fold_lanes<kWarp>(sum + lanes[threadIdx.x + kWarp]);
      if (lane_ == 0) sums[first()] = sum;
    }
    __syncthreads();
    T of_block[kMostTogether];
    LEVIN_UNROLL(kMostTogether)
    for (int b = 0; b < kMostTogether; ++b) of_block[b] = b < together() ? sums[b] : T(0);
    LEVIN_UNROLL(3)
    for (int apart = 1; apart < kMostTogether; apart *= 2) {
      LEVIN_UNROLL(kMostTogether)
      for (int b = 0; b + apart < kMostTogether; b += 2 * apart)
        if ((start + b + apart) * kSumBlock < n) of_block[b] += of_block[b + apart];
    }
    return of_block[0];
  }

  int lane_;
  bool there_;
};

template <class R>
struct RowTag {
  using Row = R;
};

/// f(tag) with the kind of Row for n elements, of each of which a Kept is held.
template <class T, class Kept, class F>
const char* with_row(int64_t n, F f) {
  if (n < kFewElements) return f(RowTag<Row<T, kFewElements / kFewLanes, RowLength::few>>{});
  if (n <= 16 * kLanes) return f(RowTag<Row<T, 16, RowLength::held>>{});
  return f(RowTag<Row<T, 256 / sizeof(Kept), RowLength::any>>{});
}

/// kernel(rows, n, arguments..) with the threads that rows of type R need.
template <class R, class... P, class... A>
const char* launch_rows(Gpu& gpu, void (*kernel)(P...), int64_t rows, int64_t n, A... arguments) {
  if (rows == 0) return nullptr;
  return gpu.launch_together(kernel, R::blocks(rows), R::threads(n), rows, n, arguments...);
}

}  // namespace
}  // namespace levin::inline v0::cuda

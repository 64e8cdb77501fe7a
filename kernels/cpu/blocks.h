// Long rows in blocks of kSumBlock elements, whose results are combined pairwise.
#pragma once

#include "../pool.h"
#include "isa.h"
#include "pairwise.h"

namespace levin::inline v0::cpu {

/// Elements for which a second thread pays.
inline constexpr int64_t kGrain = 32768;

/// body(begin, end) over pieces of `count` rows of `size` elements. (Few rows are not divided: that
/// takes as long as their work.)
template <class Body>
void parallel_rows(int64_t count, int64_t size, Body body) {
  if (count * size <= kGrain)
    body(int64_t{0}, count);
  else
    parallel_for(count, kGrain / (size + 1) + 1, body);
}

// block(start, n) for every block of a row longer than one, in parallel, combined pairwise. A row of
// more blocks than `results` holds is cut where that tree has its root.
template <class T, class Combine, class Block>
[[gnu::noinline]] T over_many_blocks(int64_t from, int64_t n, Combine combine, Block block) {
  constexpr int64_t kBlocks = 512;
  if (n > kBlocks * kSumBlock) {
    int64_t half = kBlocks * kSumBlock;
    while (2 * half < n) half *= 2;
    const T first = over_many_blocks<T>(from, half, combine, block);
    return combine(first, over_many_blocks<T>(from + half, n - half, combine, block));
  }
  T results[kBlocks];
  const int64_t blocks = (n + kSumBlock - 1) / kSumBlock;
  parallel_for(blocks, kGrain / kSumBlock, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t start = i * kSumBlock;
      results[i] = block(from + start, n - start < kSumBlock ? n - start : kSumBlock);
    }
  });
  return combine_pairwise(results, blocks, combine);
}

/// block(start, n) for every block of n elements, combined pairwise.
template <class T, class Combine, class Block>
T over_blocks(int64_t n, Combine combine, Block block) {
  return n <= kSumBlock ? block(int64_t{0}, n) : over_many_blocks<T>(0, n, combine, block);
}

/// The sum of a contiguous row in the fixed lanes.
template <class T>
T sum_of(const T* x, int64_t n) {
  const auto sum_block = row_loops<T>().sum_block;
  return over_blocks<T>(
      n, [](T a, T b) { return a + b; },
      [=](int64_t start, int64_t count) { return sum_block(x + start, count); });
}

}  // namespace levin::inline v0::cpu

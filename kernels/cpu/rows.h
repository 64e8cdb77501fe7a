// Loops over rows and columns: sums in the fixed lanes, largest and smallest elements.
#pragma once

#include "../formulas/math.h"
#include "edge.h"
#include "isa.h"
#include "simd.h"

namespace levin::inline v0 {
namespace {

// ---- Vectors

// Lane j + half is combined with lane j, until one is left.
template <int half, class V, class Combine>
V folded(V v, Combine combine) {
  if constexpr (half == 0)
    return v;
  else
    return folded<half / 2>(combine(v, moved_down<half>(v)), combine);
}
template <class V, class Combine>
auto fold_lanes(V v, Combine combine) {
  return first_lane(folded<V::kWidth / 2>(v, combine));
}
template <class V>
V add(V a, V b) {
  return a + b;
}

// The first `count` lanes of v, the others of `rest`.
template <class V>
V first_or(V v, int64_t count, V rest) {
  if (count >= V::kWidth) return v;
  static constexpr
      typename V::Element kNumbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return select(V::load(kNumbers) < V(static_cast<int>(count)), v, rest);
}

// function(i, count) for every vector of n elements; the last may have fewer. (flatten: compilers
// would call a function that is used twice.)
template <class T, class Function>
[[gnu::flatten]] inline void map_row(int64_t n, Function function) {
  int64_t i = 0;
  for (; i + Vec<T>::kWidth <= n; i += Vec<T>::kWidth) function(i, int64_t{Vec<T>::kWidth});
  if (i < n) function(i, n - i);
}

// ---- Sums of rows

// Element i goes to lane i mod `lanes`; term(i, count) gives the elements from i on, of which
// `count` are there and the others are 0. (A lane is never -0, so that 0 changes no bit.)
template <class T, int lanes, class Term>
[[gnu::flatten]] inline T sum_in_lanes(int64_t n, Term term) {
  using V = Vec<T>;
  constexpr int kVectors = lanes / V::kWidth;
  V sums[kVectors];
  for (V& sum : sums) sum = V(0);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
#pragma GCC unroll 64
    for (int j = 0; j < kVectors; ++j)
      sums[j] = sums[j] + term(i + j * V::kWidth, int64_t{V::kWidth});
#pragma GCC unroll 64
  for (int j = 0; j < kVectors; ++j, i += V::kWidth)
    if (i < n) sums[j] = sums[j] + term(i, n - i);
#pragma GCC unroll 8
  for (int half = kVectors / 2; half; half /= 2)
#pragma GCC unroll 64
    for (int j = 0; j < half; ++j) sums[j] = sums[j] + sums[j + half];
  return fold_lanes(sums[0], add<V>);
}

template <class T, class Term>
T sum_by_length(int64_t n, Term term) {
  return n < kFewElements ? sum_in_lanes<T, kFewLanes>(n, term) : sum_in_lanes<T, kLanes>(n, term);
}

template <class T>
T sum_block(const T* x, int64_t n) {
  return sum_by_length<T>(
      n, [x](int64_t i, int64_t count) { return Vec<T>::load_first(x + i, count); });
}

template <class T>
void add_to_lanes(const T* x, int64_t n, T* lanes) {
  using V = Vec<T>;
  constexpr int kVectors = kLanes / V::kWidth;
  V sums[kVectors];
  for (int j = 0; j < kVectors; ++j) sums[j] = V::load(lanes + j * V::kWidth);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
#pragma GCC unroll 64
    for (int j = 0; j < kVectors; ++j) sums[j] = sums[j] + V::load(x + i + j * V::kWidth);
  for (int j = 0; i < n; ++j, i += V::kWidth) sums[j] = sums[j] + V::load_first(x + i, n - i);
  for (int j = 0; j < kVectors; ++j) sums[j].store(lanes + j * V::kWidth);
}

template <class T>
T sum_of_lanes(const T* lanes) {
  return sum_in_lanes<T, kLanes>(
      kLanes, [lanes](int64_t i, int64_t count) { return Vec<T>::load_first(lanes + i, count); });
}

template <class T>
void sum_rows(const T* x, int64_t rows, int64_t n, T* out) {
  for (int64_t r = 0; r < rows; ++r) out[r] = sum_block(x + r * n, n);
}

template <class T>
T square_distance_block(const T* x, const T* target, int64_t n) {
  return sum_by_length<T>(n, [x, target](int64_t i, int64_t count) {
    const Vec<T> d = Vec<T>::load_first(x + i, count) - Vec<T>::load_first(target + i, count);
    return d * d;
  });
}

// out = g (scale (x - target))
template <class T>
void square_slope(const T* x, const T* target, T g, T scale, int64_t n, T* out) {
  using V = Vec<T>;
  map_row<T>(n, [=](int64_t i, int64_t count) {
    const V d = V::load_first(x + i, count) - V::load_first(target + i, count);
    (V(g) * (V(scale) * d)).store_first(out + i, count);
  });
}

template <class T>
T square_deviation_block(const T* x, T mean, int64_t n) {
  using V = Vec<T>;
  return sum_by_length<T>(n, [x, mean](int64_t i, int64_t count) {
    const V d = V::load_first(x + i, count) - V(mean);
    return first_or(d * d, count, V(0));
  });
}

template <class T>
struct TwoSums {
  T first{}, second{};
  friend TwoSums operator+(const TwoSums& a, const TwoSums& b) {
    return {a.first + b.first, a.second + b.second};
  }
};

// sum_in_lanes of both that term(i, count) gives: as many lanes at once as registers hold.
template <class T, int lanes, class Term>
[[gnu::flatten]] inline TwoSums<T> sum_two_in_lanes(int64_t n, Term term) {
  using V = Vec<T>;
  constexpr int kVectors = lanes / V::kWidth, kAtOnce = kVectors < 4 ? kVectors : 4;
  V first[kVectors], second[kVectors];
  for (int start = 0; start < kVectors; start += kAtOnce) {
    V a[kAtOnce], b[kAtOnce];
    for (int j = 0; j < kAtOnce; ++j) a[j] = b[j] = V(0);
    const auto add_to = [&](int j, int64_t i, int64_t count) __attribute__((always_inline)) {
      const TwoSums<V> terms = term(i, count);
      a[j] = a[j] + terms.first;
      b[j] = b[j] + terms.second;
    };
    int64_t i = start * V::kWidth;
    for (; i + kAtOnce * V::kWidth <= n; i += lanes)
#pragma GCC unroll 4
      for (int j = 0; j < kAtOnce; ++j) add_to(j, i + j * V::kWidth, V::kWidth);
#pragma GCC unroll 4
    for (int j = 0; j < kAtOnce; ++j, i += V::kWidth)
      if (i < n) add_to(j, i, n - i);
#pragma GCC unroll 4
    for (int j = 0; j < kAtOnce; ++j) first[start + j] = a[j], second[start + j] = b[j];
  }
  for (int half = kVectors / 2; half; half /= 2)
    for (int j = 0; j < half; ++j) {
      first[j] = first[j] + first[j + half];
      second[j] = second[j] + second[j + half];
    }
  return {fold_lanes(first[0], add<V>), fold_lanes(second[0], add<V>)};
}

// block(start, count) for every block of kSumBlock elements, their results added pairwise; the same
// tree as the driver's, without memory of its own.
template <class T, class Block>
T sum_blocks(int64_t n, Block block) {
  if (n <= kSumBlock) return block(int64_t{0}, n);
  T partial[48];  // partial[l] holds the sum of 2^l blocks, where bit l of `blocks` is set
  int64_t blocks = 0;
  for (int64_t start = 0; start < n; start += kSumBlock) {
    T sum = block(start, n - start < kSumBlock ? n - start : kSumBlock);
    int level = 0;
    for (; blocks >> level & 1; ++level) sum = partial[level] + sum;
    partial[level] = sum;
    ++blocks;
  }
  T total{};
  bool any = false;
  for (int level = 0; level < 48; ++level) {
    if (!(blocks >> level & 1)) continue;
    total = any ? partial[level] + total : partial[level];
    any = true;
  }
  return total;
}

template <class T, class Term>
T sum_row(int64_t n, Term term) {
  return sum_blocks<T>(n, [&](int64_t start, int64_t count) {
    return sum_by_length<T>(count, [&](int64_t i, int64_t some) { return term(start + i, some); });
  });
}

template <class T, class Term>
TwoSums<T> sum_two_of_row(int64_t n, Term term) {
  return sum_blocks<TwoSums<T>>(n, [&](int64_t start, int64_t count) {
    const auto its_term = [&](int64_t i, int64_t some) __attribute__((always_inline)) {
      return term(start + i, some);
    };
    return count < kFewElements ? sum_two_in_lanes<T, kFewLanes>(count, its_term)
                                : sum_two_in_lanes<T, kLanes>(count, its_term);
  });
}

// ---- Sums of columns

// Row r goes to lane r mod `lanes`; at most kSumBlock rows and kSumColumns<T> columns. The rows of
// one lane lie `lanes` rows apart: several of them are added at a time, so that memory is read as a
// few streams, and a lane goes to the cache once for all of them.
template <class T, int lanes>
[[gnu::noinline]] void sum_columns_in_lanes(const T* x, int64_t rows, int64_t row_stride,
                                            int64_t columns, T* out) {
  using V = Vec<T>;
  constexpr int kStreams = 8;
  V lane[lanes][kSumColumns<T> / V::kWidth];
  const int64_t step = lanes * row_stride;
  for (V& sum : lane[0]) sum = V(0);
  for (int64_t first = 0; first < rows; first += kStreams * lanes) {
    for (int64_t j = 0; j < lanes && first + j < rows; ++j) {
      const T* row = x + (first + j) * row_stride;
      const auto add_rows = [=, &lane](int64_t streams) {
        map_row<T>(columns, [=, &lane](int64_t c, int64_t count) {
          V sum = first == 0 ? V(0) : lane[j][c / V::kWidth];
#pragma GCC unroll 8
          for (int s = 0; s < streams; ++s) sum = sum + V::load_first(row + s * step + c, count);
          lane[j][c / V::kWidth] = sum;
        });
      };
      const int64_t left = (rows - first - j + lanes - 1) / lanes;
      left < kStreams ? add_rows(left) : add_rows(kStreams);
    }
  }
  const int64_t used = rows < lanes ? rows : lanes;  // the others would only add 0
  map_row<T>(columns, [=, &lane](int64_t c, int64_t count) {
    const int64_t at = c / V::kWidth;
    for (int half = lanes / 2; half; half /= 2)
      for (int j = 0; j < half && j + half < used; ++j)
        lane[j][at] = lane[j][at] + lane[j + half][at];
    lane[0][at].store_first(out + c, count);
  });
}

// Lanes j, j + step, j + 2 step .. of 16, each half added to the one before it.
template <int step, class V, class Lane>
[[gnu::always_inline]] inline V fold_few_lanes(int j, const Lane& lane) {
  if constexpr (step == 16)
    return lane(j);
  else
    return fold_few_lanes<2 * step, V>(j, lane) + fold_few_lanes<2 * step, V>(j + step, lane);
}

// The same for a few columns of fewer than 256 rows, lane after lane, so that none goes to memory.
template <class T>
void sum_few_columns(const T* x, int64_t rows, int64_t row_stride, int64_t columns, T* out) {
  using V = Vec<T>;
  map_row<T>(columns, [=](int64_t c, int64_t count) {
    const Edge<V> edge(count);
    const auto lane = [=](int j) __attribute__((always_inline)) {
      V sum(0);
      for (int64_t r = j; r < rows; r += 16) sum = sum + edge.load(x + r * row_stride + c);
      return sum;
    };
    edge.store(fold_few_lanes<1, V>(0, lane), out + c);
  });
}

template <class T>
void sum_columns_block(const T* x, int64_t rows, int64_t row_stride, int64_t columns, T* out) {
  if (rows >= 256) return sum_columns_in_lanes<T, 64>(x, rows, row_stride, columns, out);
  if (columns > 64) return sum_columns_in_lanes<T, 16>(x, rows, row_stride, columns, out);
  sum_few_columns(x, rows, row_stride, columns, out);
}

// Blocks are added pairwise: the tree's root lies behind the largest power of 2 of them.
template <class T>
void sum_columns(const T* x, int64_t rows, int64_t row_stride, int64_t columns, T* out) {
  if (rows <= kSumBlock) return sum_columns_block(x, rows, row_stride, columns, out);
  int64_t half = kSumBlock;
  while (2 * half < rows) half *= 2;
  T rest[kSumColumns<T>];
  sum_columns(x, half, row_stride, columns, out);
  sum_columns(x + half * row_stride, rows - half, row_stride, columns, rest);
  for (int64_t c = 0; c < columns; ++c) out[c] = out[c] + rest[c];
}

// ---- The largest or smallest element; NaN where there is one

template <class T, class Better>
T best_of(const T* x, int64_t n, T worst, Better better) {
  using V = Vec<T>;
  const auto best = [better](V a, V b) { return select(better(b, a) | (b != b), b, a); };
  constexpr int kVectors = 4;
  V found[kVectors];
  for (V& v : found) v = V(worst);
  int64_t i = 0;
  for (; i + kVectors * V::kWidth <= n; i += kVectors * V::kWidth)
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) found[j] = best(found[j], V::load(x + i + j * V::kWidth));
  for (; i < n; i += V::kWidth)
    found[0] = best(found[0], first_or(V::load_first(x + i, n - i), n - i, V(worst)));
  return fold_lanes(best(best(found[0], found[1]), best(found[2], found[3])), best);
}

template <class T>
T largest_of(const T* x, int64_t n) {
  return best_of(x, n, static_cast<T>(-__builtin_inf()), [](Vec<T> a, Vec<T> b) { return a > b; });
}

template <class T>
T extreme_block(const T* x, int64_t n, bool largest) {
  if (largest) return largest_of(x, n);
  return best_of(x, n, static_cast<T>(__builtin_inf()), [](Vec<T> a, Vec<T> b) { return a < b; });
}

}  // namespace
}  // namespace levin::inline v0

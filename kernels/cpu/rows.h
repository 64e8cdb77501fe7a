// Loops over rows: sums in the fixed lanes, softmax.
#pragma once

#include "isa.h"
#include "simd_math.h"

namespace levin::inline v0 {
namespace {

// Lane j + half is added to lane j until one is left.
template <class T, int lanes>
T fold(Vec<T>* sums) {
  using V = Vec<T>;
  for (int half = lanes / V::kWidth / 2; half; half /= 2)
    for (int j = 0; j < half; ++j) sums[j] = sums[j] + sums[j + half];
  T lane[V::kWidth];
  sums[0].store(lane);
  for (int half = V::kWidth / 2; half; half /= 2)
    for (int j = 0; j < half; ++j) lane[j] += lane[j + half];
  return lane[0];
}

// Element i goes to lane i mod `lanes`; term(i, count) gives the elements from i on, of which
// `count` are there and the others are 0. (A lane is never -0, so that 0 changes no bit.)
template <class T, int lanes, class Term>
T sum_in_lanes(int64_t n, Term term) {
  using V = Vec<T>;
  V sums[lanes / V::kWidth];
  for (V& sum : sums) sum = V(0);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
#pragma GCC unroll 64
    for (int j = 0; j < lanes / V::kWidth; ++j)
      sums[j] = sums[j] + term(i + j * V::kWidth, V::kWidth);
  for (int j = 0; i < n; ++j, i += V::kWidth) sums[j] = sums[j] + term(i, n - i);
  return fold<T, lanes>(sums);
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
T fold_lanes(const T* lanes) {
  using V = Vec<T>;
  V sums[kLanes / V::kWidth];
  for (int j = 0; j < kLanes / V::kWidth; ++j) sums[j] = V::load(lanes + j * V::kWidth);
  return fold<T, kLanes>(sums);
}

template <class T>
T square_distance_block(const T* x, const T* target, int64_t n) {
  return sum_by_length<T>(n, [x, target](int64_t i, int64_t count) {
    const Vec<T> d = Vec<T>::load_first(x + i, count) - Vec<T>::load_first(target + i, count);
    return d * d;
  });
}

// The first `columns` columns, at most a vector of them: their rows go to the lanes in turn.
template <class T, int lanes>
void sum_columns_in_lanes(const T* x, int64_t rows, int64_t row_stride, int64_t columns, T* out) {
  using V = Vec<T>;
  V lane[lanes];
  const int64_t used = rows < lanes ? rows : lanes;  // the others would only add 0
  for (int64_t r = 0; r < used; ++r) lane[r] = V(0) + V::load_first(x + r * row_stride, columns);
  for (int64_t r = used; r < rows; ++r)
    lane[r % lanes] = lane[r % lanes] + V::load_first(x + r * row_stride, columns);
  for (int half = lanes / 2; half; half /= 2)
    for (int j = 0; j < half && j + half < used; ++j) lane[j] = lane[j] + lane[j + half];
  lane[0].store_first(out, columns);
}

template <class T>
void sum_columns(const T* x, int64_t rows, int64_t row_stride, int64_t columns, T* out) {
  const auto sum = rows < 256 ? sum_columns_in_lanes<T, 16> : sum_columns_in_lanes<T, 64>;
  for (int64_t c = 0; c < columns; c += Vec<T>::kWidth)
    sum(x + c, rows, row_stride, columns - c, out + c);
}

// Blocks of kSumBlock terms, their sums added pairwise; the same tree as the driver's, without
// memory of its own.
template <class T, class Term>
T sum_row(int64_t n, Term term) {
  T partial[48];  // partial[l] holds the sum of 2^l blocks, where bit l of `blocks` is set
  int64_t blocks = 0;
  for (int64_t start = 0; start < n || blocks == 0; start += kSumBlock) {
    const int64_t left = n - start < kSumBlock ? n - start : kSumBlock;
    T sum =
        sum_by_length<T>(left, [&](int64_t i, int64_t count) { return term(start + i, count); });
    int level = 0;
    for (; blocks >> level & 1; ++level) sum = partial[level] + sum;
    partial[level] = sum;
    ++blocks;
  }
  T total = T(0);
  bool any = false;
  for (int level = 0; level < 48; ++level) {
    if (!(blocks >> level & 1)) continue;
    total = any ? partial[level] + total : partial[level];
    any = true;
  }
  return total;
}

template <class T, class Function>
void map_row(int64_t n, Function function) {
  int64_t i = 0;
  for (; i + Vec<T>::kWidth <= n; i += Vec<T>::kWidth) function(Vec<T>(0), i);
  for (; i < n; ++i) function(One<T>(0), i);
}

// softmax: e^(x - max) / sum; log_softmax: (x - max) - log sum.
template <class T>
void softmax_row(const T* x, T* out, int64_t n, bool log_form) {
  T max = x[0];
  for (int64_t i = 1; i < n; ++i) max = x[i] > max || x[i] != x[i] ? x[i] : max;
  map_row<T>(n, [&](auto v, int64_t i) {
    using V = decltype(v);
    exp(V::load(x + i) - V(max)).store(out + i);
  });
  const T sum =
      sum_row<T>(n, [out](int64_t i, int64_t count) { return Vec<T>::load_first(out + i, count); });
  const T log_sum = log_form ? log(One<T>::raw(sum)).v : T(0);
  map_row<T>(n, [&](auto v, int64_t i) {
    using V = decltype(v);
    if (log_form)
      ((V::load(x + i) - V(max)) - V(log_sum)).store(out + i);
    else
      (V::load(out + i) / V(sum)).store(out + i);
  });
}

// softmax: y (g - sum(g y)); log_softmax: g - e^y sum(g).
template <class T>
void softmax_row_backward(const T* y, const T* g, T* out, int64_t n, bool log_form) {
  const T sum = sum_row<T>(n, [&](int64_t i, int64_t count) {
    const auto slope = Vec<T>::load_first(g + i, count);
    return log_form ? slope : slope * Vec<T>::load_first(y + i, count);
  });
  map_row<T>(n, [&](auto v, int64_t i) {
    using V = decltype(v);
    if (log_form)
      (V::load(g + i) - exp(V::load(y + i)) * V(sum)).store(out + i);
    else
      (V::load(y + i) * (V::load(g + i) - V(sum))).store(out + i);
  });
}

}  // namespace
}  // namespace levin::inline v0

// Loops of layer normalisation.
#pragma once

#include <type_traits>

#include "rows.h"

namespace levin::inline v0 {
namespace {

// y = (x - mean) r * weight + bias with r = 1 / sqrt(var + eps); kept: mean and r.
template <class T>
void layer_norm_rows(const NormRows<T>& given, T eps, const T* bias, T* out) {
  using V = Vec<T>;
  const NormRows<T> rows = given;
  const int64_t n = rows.size;
  for (int64_t r = 0; r < rows.count; ++r, out += n) {
    const T* x = rows.x + r * n;
    const T sum =
        sum_row<T>(n, [x](int64_t i, int64_t count) { return V::load_first(x + i, count); });
    const T mean = sum / static_cast<T>(n);
    const T squares = sum_blocks<T>(n, [x, mean](int64_t start, int64_t count) {
      return square_deviation_block(x + start, mean, count);
    });
    const T scale = T(1) / sqrt(One<T>::raw(squares / static_cast<T>(n) + eps)).v;
    rows.mean[r] = mean;
    rows.scale[r] = scale;
    map_row<T>(n, [=](int64_t i, int64_t count) {
      V y = (V::load_first(x + i, count) - V(mean)) * V(scale);
      if (rows.weight) y = y * V::load_first(rows.weight + i, count);
      if (bias) y = y + V::load_first(bias + i, count);
      y.store_first(out + i, count);
      __builtin_prefetch(x + n + i);  // the next row: memory has nothing else to do
    });
  }
}

// What the loops below need of one row: h = (x - mean) r, and the gradient d of h.
template <class T>
struct NormSlopes {
  using V = Vec<T>;
  const T *x, *g, *weight;
  V mean, scale;

  NormSlopes(const NormRows<T>& rows, const T* all_g, int64_t r)
      : x(rows.x + r * rows.size),
        g(all_g + r * rows.size),
        weight(rows.weight),
        mean(rows.mean[r]),
        scale(rows.scale[r]) {}
  V h(int64_t i, int64_t count) const { return (V::load_first(x + i, count) - mean) * scale; }
  V d(int64_t i, int64_t count) const {
    const V slope = V::load_first(g + i, count);
    return weight ? slope * V::load_first(weight + i, count) : slope;
  }
};

// `several` rows from r on: dx = r (d - mean(d) - h mean(d h)); sums [2, size] += g h and += g,
// the rows added up first. Both may be left out.
template <int several, class T>
void layer_norm_slopes(const NormRows<T>& rows, const T* g, int64_t r, T* dx, T* sums) {
  using V = Vec<T>;
  const int64_t n = rows.size;
  V mean_d[several], mean_dh[several];
  for (int k = 0; k < several; ++k) {
    mean_d[k] = mean_dh[k] = V(0);
    if (!dx) continue;
    const NormSlopes<T> row(rows, g, r + k);
    const TwoSums<T> sums_of_row = sum_two_of_row<T>(n, [&row](int64_t i, int64_t count) {
      const V d = row.d(i, count);
      return TwoSums<V>{d, d * row.h(i, count)};
    });
    mean_d[k] = V(sums_of_row.first / static_cast<T>(n));
    mean_dh[k] = V(sums_of_row.second / static_cast<T>(n));
  }
  // A few vectors of each row in turn, since rows of 2^k elements share their place in the cache: the
  // lines of many do not stay there together.
  const auto part = [&](auto vectors, int64_t i, int64_t count) __attribute__((always_inline)) {
    constexpr int kVectors = decltype(vectors)::value;
    V sum_gh[kVectors], sum_g[kVectors];
    for (int v = 0; v < kVectors; ++v) sum_gh[v] = sum_g[v] = V(0);
    for (int k = 0; k < several; ++k) {
      const NormSlopes<T> row(rows, g, r + k);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const int64_t at = i + v * V::kWidth;
        const V h = row.h(at, count), slope = V::load_first(row.g + at, count);
        sum_gh[v] = sum_gh[v] + slope * h;
        sum_g[v] = sum_g[v] + slope;
        if (!dx) continue;
        const V d = row.d(at, count) - mean_d[k] - h * mean_dh[k];
        (row.scale * d).store_first(dx + (r + k) * n + at, count);
      }
    }
    if (!sums) return;
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      T *gh = sums + i + v * V::kWidth, *only_g = gh + n;
      (V::load_first(gh, count) + sum_gh[v]).store_first(gh, count);
      (V::load_first(only_g, count) + sum_g[v]).store_first(only_g, count);
    }
  };
  constexpr int kVectors = sizeof(V) == 64 ? 2 : 4;
  int64_t i = 0;
  for (; i + kVectors * V::kWidth <= n; i += kVectors * V::kWidth)
    part(std::integral_constant<int, kVectors>(), i, V::kWidth);
  map_row<T>(n - i, [&](int64_t rest, int64_t count) {
    part(std::integral_constant<int, 1>(), i + rest, count);
  });
}

template <class T>
void layer_norm_rows_backward(const NormRows<T>& given, const T* g, T* dx, T* sums) {
  constexpr int kSeveral = 4;
  const NormRows<T> rows = given;
  if (sums)
    for (int64_t i = 0; i < 2 * rows.size; ++i) sums[i] = 0;
  int64_t r = 0;
  for (; r + kSeveral <= rows.count; r += kSeveral)
    layer_norm_slopes<kSeveral>(rows, g, r, dx, sums);
  for (; r < rows.count; ++r) layer_norm_slopes<1>(rows, g, r, dx, sums);
}

}  // namespace
}  // namespace levin::inline v0

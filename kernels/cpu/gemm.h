// The matrix product, with a fixed order of additions for every element of c, so that tiles,
// vectors and threads never change a bit:
//   k is cut into blocks of equal length, at most 256, by k alone; per block s = fma(a, b, s) from
//   s = 0 in order of k; c = fma(beta, c, alpha s) in the first block (alpha s where beta is 0), c
//   += alpha s later; the bias comes last.
#pragma once

#include "isa.h"
#include "simd.h"

namespace levin::inline v0 {
namespace {

constexpr int64_t kMostBlock = 256;
#ifdef LEVIN_AVX2
constexpr int kTileRows = 6, kTileVectors = 2;
#else
constexpr int kTileRows = 2, kTileVectors = 8;
#endif

template <class T>
constexpr int kTileColumns = kTileVectors* Vec<T>::kWidth;

// s[rows][kTileColumns] = a [rows, k] b [k, kTileColumns]; b's rows are b_row apart, its columns
// contiguous.
template <class T, int rows>
void product_tile(int64_t k, const T* a, int64_t a_row, int64_t a_column, const T* b, int64_t b_row,
                  T* s) {
  using V = Vec<T>;
  V sums[rows][kTileVectors];
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
    for (int j = 0; j < kTileVectors; ++j) sums[r][j] = V(0);
  for (int64_t p = 0; p < k; ++p) {
    V columns[kTileVectors];
#pragma GCC unroll 8
    for (int j = 0; j < kTileVectors; ++j) columns[j] = V::load(b + p * b_row + j * V::kWidth);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const V scale(a[r * a_row + p * a_column]);
#pragma GCC unroll 8
      for (int j = 0; j < kTileVectors; ++j) sums[r][j] = fma(scale, columns[j], sums[r][j]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 8
    for (int j = 0; j < kTileVectors; ++j)
      sums[r][j].store(s + r * kTileColumns<T> + j * V::kWidth);
}

template <class T, int rows>
void product_tile_of(int64_t count, int64_t k, const T* a, int64_t a_row, int64_t a_column,
                     const T* b, int64_t b_row, T* s) {
  if constexpr (rows > 1)
    if (count < rows)
      return product_tile_of<T, rows - 1>(count, k, a, a_row, a_column, b, b_row, s);
  product_tile<T, rows>(k, a, a_row, a_column, b, b_row, s);
}

// The sums s of one tile go into c; `first` and `last` block of k.
template <class T>
void store_tile(const GemmProblem<T>& x, const T* s, int64_t i, int64_t rows, int64_t j,
                int64_t columns, bool first, bool last) {
  using S = One<T>;
  for (int64_t r = 0; r < rows; ++r) {
    T* c = x.c + (i + r) * x.c_row + j * x.c_column;
    for (int64_t q = 0; q < columns; ++q, c += x.c_column) {
      S value = S::raw(x.alpha) * S::raw(s[r * kTileColumns<T> + q]);
      if (!first)
        value = S::raw(*c) + value;
      else if (x.beta != 0)
        value = fma(S::raw(x.beta), S::raw(*c), value);
      if (last && x.bias) value = value + S::raw(x.bias[j + q]);
      *c = value.v;
    }
  }
}

// Copies columns [j, j + columns) of b's rows [from, from + k) into panel [k, kTileColumns], filled
// up with zeros.
template <class T>
void pack_panel(const GemmProblem<T>& x, int64_t from, int64_t k, int64_t j, int64_t columns,
                T* panel) {
  for (int64_t p = 0; p < k; ++p) {
    const T* b = x.b + (from + p) * x.b_row + j * x.b_column;
    T* row = panel + p * kTileColumns<T>;
    for (int64_t q = 0; q < columns; ++q) row[q] = b[q * x.b_column];
    for (int64_t q = columns; q < kTileColumns<T>; ++q) row[q] = T(0);
  }
}

template <class T>
void gemm(const GemmProblem<T>& x) {
  alignas(64) T panel[kMostBlock * kTileColumns<T>];
  alignas(64) T sums[kTileRows * kTileColumns<T>];
  const int64_t blocks = x.k <= kMostBlock ? 1 : (x.k + kMostBlock - 1) / kMostBlock;
  const int64_t length = (x.k + blocks - 1) / blocks;
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t from = block * length;
    const int64_t k = x.k - from < length ? x.k - from : length;
    for (int64_t j = 0; j < x.n; j += kTileColumns<T>) {
      const int64_t columns = x.n - j < kTileColumns<T> ? x.n - j : kTileColumns<T>;
      const bool in_place = columns == kTileColumns<T> && x.b_column == 1;
      if (!in_place) pack_panel(x, from, k, j, columns, panel);
      const T* b = in_place ? x.b + from * x.b_row + j : panel;
      const int64_t b_row = in_place ? x.b_row : kTileColumns<T>;
      for (int64_t i = 0; i < x.m; i += kTileRows) {
        const int64_t rows = x.m - i < kTileRows ? x.m - i : kTileRows;
        product_tile_of<T, kTileRows>(rows, k, x.a + i * x.a_row + from * x.a_column, x.a_row,
                                      x.a_column, b, b_row, sums);
        store_tile(x, sums, i, rows, j, columns, block == 0, block == blocks - 1);
      }
    }
  }
}

}  // namespace
}  // namespace levin::inline v0

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

#if defined(LEVIN_AVX512)
constexpr int kTileRows = 12, kTileVectors = 2;
#elif defined(LEVIN_AVX2)
constexpr int kTileRows = 6, kTileVectors = 2;
#else
constexpr int kTileRows = 2, kTileVectors = 8;
#endif

template <class T>
constexpr int kTileColumns = kTileVectors* Vec<T>::kWidth;

// s[rows][vectors] = a [rows, k] b [k, ..], the tile's rows of s kTileColumns apart; b's rows are
// b_row apart, its columns contiguous.
template <class T, int rows, int vectors>
void product_tile(int64_t k, const T* a, int64_t a_row, int64_t a_column, const T* b, int64_t b_row,
                  T* s) {
  using V = Vec<T>;
  V sums[rows][vectors];
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 16
    for (int j = 0; j < vectors; ++j) sums[r][j] = V(0);
  for (int64_t p = 0; p < k; ++p) {
    V columns[vectors];
#pragma GCC unroll 16
    for (int j = 0; j < vectors; ++j) columns[j] = V::load(b + p * b_row + j * V::kWidth);
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r) {
      const V scale(a[r * a_row + p * a_column]);
#pragma GCC unroll 16
      for (int j = 0; j < vectors; ++j) sums[r][j] = fma(scale, columns[j], sums[r][j]);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 16
    for (int j = 0; j < vectors; ++j) sums[r][j].store(s + r * kTileColumns<T> + j * V::kWidth);
}

// The tile of `count` rows.
template <class T, int vectors, int rows = kTileRows>
void product_tile_of(int64_t count, int64_t k, const T* a, int64_t a_row, int64_t a_column,
                     const T* b, int64_t b_row, T* s) {
  if constexpr (rows > 1)
    if (count < rows)
      return product_tile_of<T, vectors, rows - 1>(count, k, a, a_row, a_column, b, b_row, s);
  product_tile<T, rows, vectors>(k, a, a_row, a_column, b, b_row, s);
}

// A tile of c: where it lies, and which block of k it comes from.
struct Tile {
  int64_t i, rows, j, columns;
  bool first, last;
};

// The sums s of a tile go into c: columns [q, q + n) of all its rows, which lie in one vector.
template <class V, class T>
void store_columns(const GemmProblem<T>& x, const Tile& tile, int64_t q, int64_t n, const T* s) {
  const V alpha(x.alpha), beta(tile.first ? x.beta : T(1));
  const bool adds = !tile.first || x.beta != 0, biased = tile.last && x.bias;
  const V bias = biased ? V::load_first(x.bias + tile.j + q, n) : V(0);
  T* c = x.c + tile.i * x.c_row + (tile.j + q) * x.c_column;
  const int64_t rows = tile.rows, c_row = x.c_row;
  for (int64_t r = 0; r < rows; ++r, c += c_row) {
    V value = alpha * V::load(s + r * kTileColumns<T> + q);
    if (adds) value = fma(beta, V::load_first(c, n), value);
    if (biased) value = value + bias;
    value.store_first(c, n);
  }
}

template <class T>
void store_tile(const GemmProblem<T>& x, const Tile& tile, const T* s) {
  if (x.c_column == 1)
    for (int64_t q = 0; q < tile.columns; q += Vec<T>::kWidth)
      store_columns<Vec<T>>(x, tile, q, tile.columns - q, s);
  else
    for (int64_t q = 0; q < tile.columns; ++q) store_columns<One<T>>(x, tile, q, 1, s);
}

// Copies columns [j, j + columns) of b's rows [from, from + k) into panel [k, kTileColumns], filled
// up with zeros.
template <class T>
void pack_panel(const GemmProblem<T>& x, int64_t from, int64_t k, int64_t j, int64_t columns,
                T* panel) {
  using V = Vec<T>;
  const T* b = x.b + from * x.b_row + j * x.b_column;
  for (int64_t p = 0; p < k; ++p, b += x.b_row, panel += kTileColumns<T>) {
    for (int64_t q = 0; q < kTileColumns<T>; q += V::kWidth) V(0).store(panel + q);
    if (x.b_column == 1)
      for (int64_t q = 0; q < columns; q += V::kWidth)
        V::load_first(b + q, columns - q).store(panel + q);
    else
      for (int64_t q = 0; q < columns; ++q) panel[q] = b[q * x.b_column];
  }
}

template <class T>
void gemm(const GemmProblem<T>& x) {
  constexpr int kHalf = kTileVectors / 2;
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
      const auto product = columns > kHalf * Vec<T>::kWidth ? product_tile_of<T, kTileVectors>
                                                            : product_tile_of<T, kHalf>;
      for (int64_t i = 0; i < x.m; i += kTileRows) {
        const int64_t rows = x.m - i < kTileRows ? x.m - i : kTileRows;
        product(rows, k, x.a + i * x.a_row + from * x.a_column, x.a_row, x.a_column, b, b_row,
                sums);
        store_tile(x, {i, rows, j, columns, block == 0, block == blocks - 1}, sums);
      }
    }
  }
}

}  // namespace
}  // namespace levin::inline v0

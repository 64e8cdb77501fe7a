// The matrix product, with a fixed order of additions for every element of c, so that tiles,
// vectors, packing and threads never change a bit:
//   k is cut into blocks of equal length, at most 256, by k alone; per block s = fma(a, b, s) from
//   s = 0 in order of k; c = fma(beta, c, alpha s) in the first block (alpha s where beta is 0), c
//   += alpha s later; the bias comes last, then the activation.
//
// c is made tile by tile: a tile's sums stay in registers for a whole block of k. Around it, a panel
// of b (its columns of one block) stays in the first cache, a row block of a in the second.
#pragma once

#include "../formulas.h"
#include "isa.h"
#include "pack.h"

namespace levin::inline v0 {
namespace {

// Is there a kernel that reads and writes the first columns only; is there one that does not?
#if defined(LEVIN_AVX512)
constexpr int kTileRows = 12, kTileVectors = 2;
constexpr bool kMasked = true, kFull = false;  // masks cost nothing
#elif defined(LEVIN_AVX2)
constexpr int kTileRows = 6, kTileVectors = 2;
constexpr bool kMasked = true, kFull = true;
#else
constexpr int kTileRows = 2, kTileVectors = 8;
constexpr bool kMasked = false, kFull = true;
#endif

template <class T>
constexpr int kTileColumns = kTileVectors* Vec<T>::kWidth;

// What is done for one tile of c in one block of k.
template <class T>
struct Tile {
  int64_t k, columns;
  const T* a;
  int64_t a_step;  // between rows of a, where they are contiguous; else between its columns
  const T* b;
  int64_t b_row;
  T* c;
  int64_t c_row;
  const T* bias;  // null but in the last block
  T alpha, beta;  // beta is 1 but in the first block
  bool relu;
};

// All loops over registers are unrolled, or gcc would keep them in memory.
#define LEVIN_EACH(i, count) _Pragma("GCC unroll 16") for (int i = 0; i < count; ++i)

// masked: c and b have x.columns columns, which end in the last vector; else all vectors are full.
template <class T, int rows, int vectors, bool by_rows, bool masked>
void multiply_tile(const Tile<T>& x) {
  using V = Vec<T>;
  constexpr int kWidth = V::kWidth, kLast = vectors - 1;
  const Edge<V> edge(masked ? x.columns - kLast * kWidth : kWidth);
  const auto load = [&](const T* from, int j) __attribute__((always_inline)) {
    return masked && j == kLast ? edge.load(from + j * kWidth) : V::load(from + j * kWidth);
  };
  V sums[rows][vectors];
  LEVIN_EACH(r, rows) LEVIN_EACH(j, vectors) sums[r][j] = V(0);

  // c is fetched a while before it is needed.
  constexpr int64_t kAhead = 96;
  const T *a = x.a, *b = x.b;
  const int64_t a_step = x.a_step, b_row = x.b_row, k = x.k;
  for (int64_t p = 0, until = k > kAhead ? k - kAhead : k;; until = k) {
    for (; p < until; ++p, b += b_row, a += by_rows ? 1 : a_step) {
      V columns[vectors];
      LEVIN_EACH(j, vectors) columns[j] = load(b, j);
      LEVIN_EACH(r, rows) {
        const V scale(a[by_rows ? r * a_step : r]);
        LEVIN_EACH(j, vectors) sums[r][j] = fma(scale, columns[j], sums[r][j]);
      }
    }
    if (until == k) break;
    const T* ahead = x.c;
#pragma GCC unroll 1
    for (int r = 0; r < rows; ++r, ahead += x.c_row)
      LEVIN_EACH(j, vectors) __builtin_prefetch(ahead + j * kWidth, 1);
  }

  if (x.alpha != 1) {
    const V alpha(x.alpha);
    LEVIN_EACH(r, rows) LEVIN_EACH(j, vectors) sums[r][j] = alpha * sums[r][j];
  }
  if (x.beta != 0) {
    const V beta(x.beta);
    const T* before = x.c;
    LEVIN_EACH(r, rows) {
      LEVIN_EACH(j, vectors) sums[r][j] = fma(beta, load(before, j), sums[r][j]);
      before += x.c_row;
    }
  }
  if (x.bias) {
    LEVIN_EACH(j, vectors) {
      const V bias = load(x.bias, j);
      LEVIN_EACH(r, rows) sums[r][j] = sums[r][j] + bias;
    }
  }
  if (x.relu) LEVIN_EACH(r, rows) LEVIN_EACH(j, vectors) sums[r][j] = formula::Relu{}.f(sums[r][j]);
  T* to = x.c;
  const int64_t to_row = x.c_row;
  LEVIN_EACH(r, rows) {
    LEVIN_EACH(j, kLast) sums[r][j].store(to + j * kWidth);
    masked ? edge.store(sums[r][kLast], to + kLast * kWidth)
           : sums[r][kLast].store(to + kLast * kWidth);
    to += to_row;
  }
}
#undef LEVIN_EACH

// The kernels for 1, 2, .. rows.
template <class T>
struct TileKernels {
  void (*of[kTileRows])(const Tile<T>&);
};
template <class T, int vectors, bool by_rows, bool masked, int rows = kTileRows>
constexpr void fill_kernels(TileKernels<T>* kernels) {
  kernels->of[rows - 1] = multiply_tile<T, rows, vectors, by_rows, masked>;
  if constexpr (rows > 1) fill_kernels<T, vectors, by_rows, masked, rows - 1>(kernels);
}
template <class T, int vectors, bool by_rows, bool masked>
constexpr TileKernels<T> kTileKernels = [] {
  TileKernels<T> kernels{};
  fill_kernels<T, vectors, by_rows, masked>(&kernels);
  return kernels;
}();

template <class T, int vectors, bool by_rows>
const TileKernels<T>& tile_kernels(int64_t columns) {
  if constexpr (kFull)
    if (!kMasked || columns == vectors * Vec<T>::kWidth)
      return kTileKernels<T, vectors, by_rows, false>;
  if constexpr (kMasked) return kTileKernels<T, vectors, by_rows, true>;
}
template <class T, int vectors>
const TileKernels<T>& tile_kernels(int64_t columns, bool by_rows) {
  return by_rows ? tile_kernels<T, vectors, true>(columns)
                 : tile_kernels<T, vectors, false>(columns);
}

// Numbers [from, from + count) are cut into as few pieces of at most `most` as possible, which
// differ by at most 1.
template <class F>
inline void cut_evenly(int64_t from, int64_t count, int64_t most, F f) {
  if (count <= most) {
    if (count > 0) f(from, count);
    return;
  }
  const int64_t pieces = (count + most - 1) / most, size = count / pieces, longer = count % pieces;
  for (int64_t piece = 0; piece < pieces; ++piece) {
    const int64_t length = size + (piece < longer);
    f(from, length);
    from += length;
  }
}

// One row block of c in one block of k.
struct Part {
  int64_t i, rows;
  int64_t from, k;
  bool first, last;  // block of k
};

// A tile whose columns are not contiguous, or too few for a kernel without masks, is made here and
// copied.
template <class T>
void multiply_aside(const GemmProblem<T>& x, Tile<T> tile, int64_t rows,
                    void (*kernel)(const Tile<T>&)) {
  T aside[kTileRows * kTileColumns<T>] = {}, bias[kTileColumns<T>] = {};
  T* const c = tile.c;
  if (tile.beta != 0)
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t q = 0; q < tile.columns; ++q)
        aside[r * kTileColumns<T> + q] = c[r * x.c_row + q * x.c_column];
  if (tile.bias) {
    for (int64_t q = 0; q < tile.columns; ++q) bias[q] = tile.bias[q];
    tile.bias = bias;
  }
  tile.c = aside;
  tile.c_row = kTileColumns<T>;
  kernel(tile);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t q = 0; q < tile.columns; ++q)
      c[r * x.c_row + q * x.c_column] = aside[r * kTileColumns<T> + q];
}

// Columns [j, j + columns) of a part. Narrow ones are a half of the full kernel's vectors.
template <class T>
void multiply_panel(const GemmProblem<T>& x, const Part& part, int64_t j, int64_t columns,
                    T* panel) {
  constexpr int kHalf = kTileVectors / 2;
  const int64_t width = (columns > kHalf * Vec<T>::kWidth ? kTileVectors : kHalf) * Vec<T>::kWidth;
  const bool by_rows = !x.scratch && x.a_row != 1;
  const auto& kernels = width == kTileColumns<T> ? tile_kernels<T, kTileVectors>(columns, by_rows)
                                                 : tile_kernels<T, kHalf>(columns, by_rows);
  const bool partial = !kMasked && columns < width;

  Tile<T> tile{part.k,
               columns,
               nullptr,
               0,
               nullptr,
               0,
               nullptr,
               x.c_row,
               nullptr,
               x.alpha,
               part.first ? x.beta : T(1),
               x.relu && part.last};
  if (part.last && x.bias) tile.bias = x.bias + j;
  tile.b = x.b + part.from * x.b_row + j * x.b_column;
  tile.b_row = x.b_row;
  // Large panels are read often, and rows a multiple of a page apart push each other out of the
  // cache.
  const bool reused = x.m > 160 && (x.n * x.k > 300000 || x.b_row * sizeof(T) % 4096 == 0);
  if (x.b_column != 1 || partial || reused) {
    pack(tile.b, x.b_column, x.b_row, columns, part.k, panel, width);
    tile.b = panel;
    tile.b_row = width;
  }
  cut_evenly(0, part.rows, kTileRows, [&](int64_t i, int64_t rows) {
    if (x.scratch) {
      tile.a = x.scratch + i * part.k;
      tile.a_step = rows;
    } else {
      tile.a = x.a + (part.i + i) * x.a_row + part.from * x.a_column;
      tile.a_step = by_rows ? x.a_row : x.a_column;
    }
    tile.c = x.c + (part.i + i) * x.c_row + j * x.c_column;
    if (partial || x.c_column != 1)
      multiply_aside(x, tile, rows, kernels.of[rows - 1]);
    else
      kernels.of[rows - 1](tile);
  });
}

template <class T>
void pack_rows_of_a(const GemmProblem<T>& x, const Part& part) {
  cut_evenly(0, part.rows, kTileRows, [&](int64_t i, int64_t rows) {
    pack(x.a + (part.i + i) * x.a_row + part.from * x.a_column, x.a_row, x.a_column, rows, part.k,
         x.scratch + i * part.k, rows);
  });
}

// The activation of finished rows of c, which are still in the cache.
template <class T>
void activate(const GemmProblem<T>& x, int64_t i, int64_t rows) {
  const auto run = [&](T* c, int64_t n) {
    const void* const in[4] = {c};
    x.activation(in, c, nullptr, n);
  };
  T* c = x.c + i * x.c_row;
  if (x.c_column == 1 && x.c_row == x.n) return run(c, rows * x.n);
  for (int64_t r = 0; r < rows; ++r, c += x.c_row) {
    if (x.c_column == 1)
      run(c, x.n);
    else
      for (int64_t j = 0; j < x.n; ++j) run(c + j * x.c_column, 1);
  }
}

template <class T>
void gemm(const GemmProblem<T>& x) {
  alignas(64) T panel[kMostBlock * kTileColumns<T>];
  const int64_t blocks = x.k <= kMostBlock ? 1 : (x.k + kMostBlock - 1) / kMostBlock;
  const int64_t length = blocks == 1 ? x.k : (x.k + blocks - 1) / blocks;
  cut_evenly(0, x.m, kRowBlock<T>, [&](int64_t i, int64_t rows) {
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t from = block * length, k = x.k - from < length ? x.k - from : length;
      const Part part{i, rows, from, k, block == 0, block == blocks - 1};
      if (x.scratch) pack_rows_of_a(x, part);
      for (int64_t j = 0; j < x.n; j += kTileColumns<T>)
        multiply_panel(x, part, j, x.n - j < kTileColumns<T> ? x.n - j : kTileColumns<T>, panel);
    }
    if (x.activation) activate(x, i, rows);
  });
}

}  // namespace
}  // namespace levin::inline v0

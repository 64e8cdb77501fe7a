// Layer normalisation, forward and backward.
#define LEVIN_GPU
#include "../formulas/math.h"
#include "calls.h"
#include "rows.h"

namespace levin::inline v0::cuda {
namespace {

/// Null pointers are left out.
template <class T>
struct Norm {
  const T *x, *weight, *bias;
  T *mean, *scale, *out;
  T eps;
};

// y = (x - mean) r * weight + bias with r = 1 / sqrt(var + eps); kept: mean and r.
template <class T, class R>
__global__ void __launch_bounds__(kMostRowThreads, 1)
    norm_kernel(int64_t rows, int64_t n, Norm<T> norm) {
  const R row(rows, n);
  const T* x = norm.x + row.number * n;
  T* out = norm.out + row.number * n;
  T kept[R::kHeld];
  const T mean = row.sum(kept, [&](int64_t i, T& e, bool) { return e = x[i]; }) / static_cast<T>(n);
  const auto centered = [&](int64_t i, T e, bool held) { return (held ? e : x[i]) - mean; };
  const T squares = row.sum(kept, [&](int64_t i, T& e, bool held) {
    const T d = centered(i, e, held);
    return d * d;
  });
  const T scale = T(1) / sqrt(One<T>::raw(squares / static_cast<T>(n) + norm.eps)).v;
  if (row.leads()) {
    norm.mean[row.number] = mean;
    norm.scale[row.number] = scale;
  }
  row.each(kept, [&](int64_t i, T& e, bool held) {
    T y = centered(i, e, held) * scale;
    if (norm.weight) y = y * norm.weight[i];
    if (norm.bias) y = y + norm.bias[i];
    out[i] = y;
  });
}

template <class T>
struct NormBackward {
  const T *x, *weight, *g, *mean, *scale;
};

// h = (x - mean) r, and the gradient d of h.
template <class T>
struct Slope {
  T h, d;
};

// dx = r (d - mean(d) - h mean(d h))
template <class T, class R>
__global__ void __launch_bounds__(kMostRowThreads, 1)
    slope_kernel(int64_t rows, int64_t n, NormBackward<T> norm, T* dx) {
  const R row(rows, n);
  const T *x = norm.x + row.number * n, *g = norm.g + row.number * n;
  dx += row.number * n;
  const T mean = norm.mean[row.number], scale = norm.scale[row.number];
  const auto slope = [&](int64_t i) {
    return Slope<T>{(x[i] - mean) * scale, norm.weight ? g[i] * norm.weight[i] : g[i]};
  };
  Slope<T> kept[R::kHeld];
  const T sum_d = row.sum(kept, [&](int64_t i, Slope<T>& s, bool) {
    s = slope(i);
    return s.d;
  });
  const T sum_dh = row.sum(kept, [&](int64_t i, Slope<T>& s, bool held) {
    if (!held) s = slope(i);
    return s.d * s.h;
  });
  const T mean_d = sum_d / static_cast<T>(n), mean_dh = sum_dh / static_cast<T>(n);
  row.each(kept, [&](int64_t i, Slope<T>& s, bool held) {
    if (!held) s = slope(i);
    dx[i] = scale * (s.d - mean_d - s.h * mean_dh);
  });
}

// What `several` rows from r on give to the gradients of weight and bias.
template <int several, class T>
__device__ void add_rows(const NormBackward<T>& norm, int64_t r, int64_t n, int64_t column,
                         T (&sums)[2]) {
  T sum_gh = 0, sum_g = 0;
  LEVIN_UNROLL(several)
  for (int k = 0; k < several; ++k) {
    const int64_t at = (r + k) * n + column;
    const T slope = norm.g[at];
    sum_gh += slope * ((norm.x[at] - norm.mean[r + k]) * norm.scale[r + k]);
    sum_g += slope;
  }
  sums[0] += sum_gh;
  sums[1] += sum_g;
}

// sums [pieces, 2, n]: a thread for each column of a piece.
template <class T>
__global__ void sums_kernel(NormBackward<T> norm, LayerNormPieces pieces, int64_t rows, int64_t n,
                            T* sums) {
  constexpr int kSeveral = 4;
  const int64_t piece = blockIdx.x % pieces.count;
  const int64_t column = blockIdx.x / pieces.count * blockDim.x + threadIdx.x;
  if (column >= n) return;
  int64_t r = piece * pieces.rows;
  const int64_t end = rows - r < pieces.rows ? rows : r + pieces.rows;
  T sum[2] = {0, 0};
  LEVIN_UNROLL(4)
  for (; r + kSeveral <= end; r += kSeveral) add_rows<kSeveral>(norm, r, n, column, sum);
  for (; r < end; ++r) add_rows<1>(norm, r, n, column, sum);
  for (int which = 0; which < 2; ++which) sums[(piece * 2 + which) * n + column] = sum[which];
}

// The pieces added pairwise.
template <class T>
__global__ void add_pieces_kernel(const T* sums, int64_t pieces, int64_t n, T* dweight, T* dbias) {
  const int64_t i = thread_number();
  if (i >= 2 * n) return;
  T* out = i < n ? dweight : dbias;
  if (!out) return;
  PairwiseSum<T> sum;
  for (int64_t piece = 0; piece < pieces; ++piece) sum.add(sums[piece * 2 * n + i]);
  out[i < n ? i : i - n] = pieces ? sum.total() : T(0);
}

template <class T>
const char* forward(Gpu& gpu, const LayerNormCall& call) {
  const int64_t rows = call.kept.layout->numel() / 2;
  T* kept = data_of<T>(call.kept);
  const Norm<T> norm{
      data_of<T>(call.x), data_or_null<T>(call.weight), data_or_null<T>(call.bias), kept,
      kept + rows,        data_of<T>(call.out),         static_cast<T>(call.eps)};
  return with_row<T, T>(call.size, [&](auto tag) {
    using R = typename decltype(tag)::Row;
    return launch_rows<R>(gpu, norm_kernel<T, R>, rows, call.size, norm);
  });
}

template <class T>
const char* backward(Gpu& gpu, const LayerNormBackwardCall& call) {
  const int64_t rows = call.kept.layout->numel() / 2, n = call.size;
  const T* kept = data_of<T>(call.kept);
  const NormBackward<T> norm{data_of<T>(call.x), data_or_null<T>(call.weight), data_of<T>(call.g),
                             kept, kept + rows};
  T *dx = data_or_null<T>(call.dx), *sums = data_or_null<T>(call.sums);
  if (n == 0) return nullptr;
  if (sums) {
    const LayerNormPieces pieces = layer_norm_pieces(rows);
    constexpr int kColumns = 64;
    if (rows)
      LEVIN_TRY(gpu.launch(sums_kernel<T>, blocks_for(n, kColumns) * pieces.count, kColumns, norm,
                           pieces, rows, n, sums));
    LEVIN_TRY(gpu.launch(add_pieces_kernel<T>, blocks_for(2 * n, kColumns), kColumns, sums,
                         pieces.count, n, data_or_null<T>(call.dweight),
                         data_or_null<T>(call.dbias)));
  }
  if (!dx) return nullptr;
  return with_row<T, Slope<T>>(n, [&](auto tag) {
    using R = typename decltype(tag)::Row;
    return launch_rows<R>(gpu, slope_kernel<T, R>, rows, n, norm, dx);
  });
}

}  // namespace

const char* layer_norm(Gpu& gpu, const LayerNormCall& call) {
  return call.x.layout->dtype == kFloat64 ? forward<double>(gpu, call) : forward<float>(gpu, call);
}

const char* layer_norm_backward(Gpu& gpu, const LayerNormBackwardCall& call) {
  return call.x.layout->dtype == kFloat64 ? backward<double>(gpu, call)
                                          : backward<float>(gpu, call);
}

}  // namespace levin::inline v0::cuda

// Layer normalisation, forward and backward.
#include "blocks.h"
#include "cpu_backend.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

template <class T>
T* data_or_null(const Arg& arg) {
  return arg.block ? data_of<T>(arg) : nullptr;
}

template <class T>
NormRows<T> rows_of(const Arg& x, const Arg& weight, const Arg& kept, int64_t size) {
  NormRows<T> rows{};
  rows.size = size;
  rows.count = kept.layout->numel() / 2;
  rows.x = data_of<T>(x);
  rows.weight = data_or_null<T>(weight);
  rows.mean = data_of<T>(kept);
  rows.scale = rows.mean + rows.count;
  return rows;
}

template <class T>
NormRows<T> part_of(const NormRows<T>& rows, int64_t begin, int64_t end) {
  NormRows<T> part = rows;
  part.x += begin * rows.size;
  part.mean += begin;
  part.scale += begin;
  part.count = end - begin;
  return part;
}

template <class T>
void forward(const LayerNormCall& call) {
  const NormRows<T> rows = rows_of<T>(call.x, call.weight, call.kept, call.size);
  const T* bias = data_or_null<T>(call.bias);
  T* out = data_of<T>(call.out);
  parallel_rows(rows.count, rows.size, [=](int64_t begin, int64_t end) {
    row_loops<T>().layer_norm(part_of(rows, begin, end), static_cast<T>(call.eps), bias,
                              out + begin * rows.size);
  });
}

// The pieces' sums [pieces, n], added pairwise: neighbours first.
template <class T>
void add_pieces(T* sums, int64_t pieces, int64_t n) {
  for (int64_t apart = 1; apart < pieces; apart *= 2)
    for (int64_t p = 0; p + apart < pieces; p += 2 * apart) {
      T *to = sums + p * n, *from = to + apart * n;
      for (int64_t i = 0; i < n; ++i) to[i] += from[i];
    }
}

template <class T>
void backward(const LayerNormBackwardCall& call) {
  const NormRows<T> rows = rows_of<T>(call.x, call.weight, call.kept, call.size);
  const LayerNormPieces pieces = layer_norm_pieces(rows.count);
  const int64_t n = rows.size;
  const T* g = data_of<T>(call.g);
  T *dx = data_or_null<T>(call.dx), *sums = data_or_null<T>(call.sums);
  parallel_for(rows.count, pieces.rows, [=](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r += pieces.rows)
      row_loops<T>().layer_norm_backward(
          part_of(rows, r, end - r < pieces.rows ? end : r + pieces.rows), g + r * n,
          dx ? dx + r * n : nullptr, sums ? sums + r / pieces.rows * 2 * n : nullptr);
  });
  if (!sums) return;
  add_pieces(sums, pieces.count, 2 * n);
  const Arg* const slopes[] = {&call.dweight, &call.dbias};
  for (int which = 0; which < 2; ++which) {
    if (!slopes[which]->block) continue;
    T* out = data_of<T>(*slopes[which]);
    for (int64_t i = 0; i < n; ++i) out[i] = pieces.count ? sums[which * n + i] : T(0);
  }
}

}  // namespace

const char* layer_norm(const LayerNormCall& call) {
  call.x.layout->dtype == kFloat64 ? forward<double>(call) : forward<float>(call);
  return nullptr;
}

const char* layer_norm_backward(const LayerNormBackwardCall& call) {
  call.x.layout->dtype == kFloat64 ? backward<double>(call) : backward<float>(call);
  return nullptr;
}

}  // namespace levin::inline v0::cpu

// Copies parts of matrices to where the product's kernel reads them fast: rows of a tile's columns,
// one for each k.
#pragma once

#include "edge.h"

namespace levin::inline v0 {
namespace {

#ifdef LEVIN_VECTORS

// A vector is made of lanes of 16 bytes. Registers are transposed within their lanes, so lane l of
// register i starts as kLane elements of row kLane l + i, and ends as column i of rows kLane l on.
template <class T>
constexpr int kLane = 16 / sizeof(T);

#ifdef LEVIN_AVX512
template <class Row>
inline VecF lanes_of(const Row& row, int i, const float*) {
  __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(row(i)));
  v = _mm512_mask_broadcast_f32x4(v, 0x00f0, _mm_loadu_ps(row(4 + i)));
  v = _mm512_mask_broadcast_f32x4(v, 0x0f00, _mm_loadu_ps(row(8 + i)));
  return _mm512_mask_broadcast_f32x4(v, 0xf000, _mm_loadu_ps(row(12 + i)));
}
template <class Row>
inline VecD lanes_of(const Row& row, int i, const double*) {
  __m512d v = _mm512_castpd128_pd512(_mm_loadu_pd(row(i)));
  v = _mm512_mask_broadcast_f64x2(v, 0x0c, _mm_loadu_pd(row(2 + i)));
  v = _mm512_mask_broadcast_f64x2(v, 0x30, _mm_loadu_pd(row(4 + i)));
  return _mm512_mask_broadcast_f64x2(v, 0xc0, _mm_loadu_pd(row(6 + i)));
}
inline void transpose(VecF (&x)[4]) {
  const __m512 a = _mm512_unpacklo_ps(x[0].v, x[1].v), b = _mm512_unpackhi_ps(x[0].v, x[1].v);
  const __m512 c = _mm512_unpacklo_ps(x[2].v, x[3].v), d = _mm512_unpackhi_ps(x[2].v, x[3].v);
  x[0] = _mm512_shuffle_ps(a, c, 0x44), x[1] = _mm512_shuffle_ps(a, c, 0xee);
  x[2] = _mm512_shuffle_ps(b, d, 0x44), x[3] = _mm512_shuffle_ps(b, d, 0xee);
}
inline void transpose(VecD (&x)[2]) {
  const __m512d a = x[0].v, b = x[1].v;
  x[0] = _mm512_unpacklo_pd(a, b), x[1] = _mm512_unpackhi_pd(a, b);
}
#else
template <class Row>
inline VecF lanes_of(const Row& row, int i, const float*) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(row(i))),
                              _mm_loadu_ps(row(4 + i)), 1);
}
template <class Row>
inline VecD lanes_of(const Row& row, int i, const double*) {
  return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(row(i))),
                              _mm_loadu_pd(row(2 + i)), 1);
}
inline void transpose(VecF (&x)[4]) {
  const __m256 a = _mm256_unpacklo_ps(x[0].v, x[1].v), b = _mm256_unpackhi_ps(x[0].v, x[1].v);
  const __m256 c = _mm256_unpacklo_ps(x[2].v, x[3].v), d = _mm256_unpackhi_ps(x[2].v, x[3].v);
  x[0] = _mm256_shuffle_ps(a, c, 0x44), x[1] = _mm256_shuffle_ps(a, c, 0xee);
  x[2] = _mm256_shuffle_ps(b, d, 0x44), x[3] = _mm256_shuffle_ps(b, d, 0xee);
}
inline void transpose(VecD (&x)[2]) {
  const __m256d a = x[0].v, b = x[1].v;
  x[0] = _mm256_unpacklo_pd(a, b), x[1] = _mm256_unpackhi_pd(a, b);
}
#endif

// to[p][q] = row(q)[p] for one vector of q, stored by store(vector, to[p]); k >= kLane.
template <class T, class Row, class Store>
void pack_transposed(const Row& row, const Store& store, int64_t k, T* to, int64_t to_row) {
  const int64_t last = k - kLane<T>;
  for (int64_t p = 0; p < k; p += kLane<T>) {
    if (p > last) p = last;  // which does some again
    Vec<T> x[kLane<T>];
#pragma GCC unroll 4
    for (int i = 0; i < kLane<T>; ++i)
      x[i] = lanes_of([&](int q) { return row(q) + p; }, i, static_cast<const T*>(nullptr));
    transpose(x);
#pragma GCC unroll 4
    for (int i = 0; i < kLane<T>; ++i) store(x[i], to + (p + i) * to_row);
  }
}

// One vector of rows at a time. Rows past the last stand for it. Whole vectors are stored where
// there is room: what a masked store wrote is slow to load soon after.
template <class T>
void pack_transposed(const T* from, int64_t along, int64_t count, int64_t k, T* to,
                     int64_t to_row) {
  using V = Vec<T>;
  const auto store = [](V v, T* at) { v.store(at); };
  int64_t q = 0;
  for (; q + V::kWidth <= count; q += V::kWidth, from += V::kWidth * along)
    pack_transposed([&](int i) { return from + i * along; }, store, k, to + q, to_row);
  const int64_t left = count - q;
  if (left == 0) return;
  const auto row = [&](int i) { return from + (i < left ? i : left - 1) * along; };
  const Edge<V> edge(left);
  if (to_row - q >= V::kWidth)
    pack_transposed(row, store, k, to + q, to_row);
  else
    pack_transposed(
        row, [&](V v, T* at) { edge.store(v, at); }, k, to + q, to_row);
}

template <class T>
void pack_rows(const T* from, int64_t step, int64_t count, int64_t k, T* to, int64_t to_row) {
  using V = Vec<T>;
  constexpr int kAhead = 8;  // rows that are fetched before they are read
  const int64_t whole = (count - 1) / V::kWidth * V::kWidth;
  const Edge<V> edge(count - whole);
  const bool room = to_row - whole >= V::kWidth;
  for (int64_t p = 0; p < k; ++p, from += step, to += to_row) {
    for (int64_t q = 0; q < whole; q += V::kWidth) {
      __builtin_prefetch(from + kAhead * step + q);
      V::load(from + q).store(to + q);
    }
    __builtin_prefetch(from + kAhead * step + whole);
    const V last = edge.load(from + whole);
    room ? last.store(to + whole) : edge.store(last, to + whole);
  }
}

#endif

/// to[p * to_row + q] = from[q * along + p * step] for q < count, p < k. What is left of to's rows
/// is not written with vectors, and 0 without.
template <class T>
void pack(const T* from, int64_t along, int64_t step, int64_t count, int64_t k, T* to,
          int64_t to_row) {
#ifdef LEVIN_VECTORS
  if (along == 1) return pack_rows(from, step, count, k, to, to_row);
  if (step == 1 && k >= kLane<T>) return pack_transposed(from, along, count, k, to, to_row);
  const int64_t columns = count;
#else
  const int64_t columns = to_row;
#endif
  for (int64_t p = 0; p < k; ++p)
    for (int64_t q = 0; q < columns; ++q)
      to[p * to_row + q] = q < count ? from[q * along + p * step] : T(0);
}

}  // namespace
}  // namespace levin::inline v0

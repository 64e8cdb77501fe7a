// The last vector of a row, of which only the first elements are there.
#pragma once

#include "simd.h"

namespace levin::inline v0 {
namespace {

/// The first n elements of a vector, 0 < n <= its width: loads fill up with zeros, stores leave the
/// rest of memory alone.
template <class V>
struct Edge {
  explicit Edge(int64_t) {}
  V load(const typename V::Element* from) const { return V::load(from); }
  void store(V v, typename V::Element* to) const { v.store(to); }
};

#if defined(LEVIN_AVX512)
template <>
struct Edge<Vec<float>> {
  __mmask16 m;
  explicit Edge(int64_t n) : m(static_cast<__mmask16>((1u << n) - 1)) {}
  Vec<float> load(const float* from) const { return _mm512_maskz_loadu_ps(m, from); }
  void store(Vec<float> v, float* to) const { _mm512_mask_storeu_ps(to, m, v.v); }
};
template <>
struct Edge<Vec<double>> {
  __mmask8 m;
  explicit Edge(int64_t n) : m(static_cast<__mmask8>((1u << n) - 1)) {}
  Vec<double> load(const double* from) const { return _mm512_maskz_loadu_pd(m, from); }
  void store(Vec<double> v, double* to) const { _mm512_mask_storeu_pd(to, m, v.v); }
};
#elif defined(LEVIN_AVX2)
template <>
struct Edge<Vec<float>> {
  int64_t n;
  __m256i m;
  explicit Edge(int64_t count) : n(count), m(first_words(count)) {}
  Vec<float> load(const float* from) const { return _mm256_maskload_ps(from, m); }
  void store(Vec<float> v, float* to) const { v.store_first(to, n); }
};
template <>
struct Edge<Vec<double>> {
  int64_t n;
  __m256i m;
  explicit Edge(int64_t count) : n(count), m(first_words(2 * count)) {}
  Vec<double> load(const double* from) const { return _mm256_maskload_pd(from, m); }
  void store(Vec<double> v, double* to) const { v.store_first(to, n); }
};
#endif

}  // namespace
}  // namespace levin::inline v0

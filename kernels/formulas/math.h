// Own functions of One<T> and Vec<T>: branch-free, the same operations at every width. Greatest error
// in units of the last place, over all floats and over random doubles (tests/kernels_math_test.cpp):
//
//            exp  log  expm1  log1p  tanh  erf  sin  cos
//   float32  1.05 0.9  1.6    1.5    2.5   1.7  1.6  1.6
//   float64  1.0  0.9                2.5        1.6  1.6    expm1, log1p, erf: libm.h
#pragma once

#include "libm.h"

namespace levin::inline v0 {
namespace {

// c[0] x^(n-1) + ... + c[n-1] by Horner's scheme; a long one as its even and its odd part, so that the
// processor has two chains of operations to work at.
template <class V, int n>
LEVIN_HD V polynomial(V x, const double (&c)[n]) {
  V sum(c[0]);
  if constexpr (n < 8) {
#pragma GCC unroll 8
    for (int i = 1; i < n; ++i) sum = fma(sum, x, V(c[i]));
    return sum;
  } else {
    const V square = x * x;
    V other(c[1]);
#pragma GCC unroll 8
    for (int i = 2; i < n; i += 2) sum = fma(sum, square, V(c[i]));
#pragma GCC unroll 8
    for (int i = 3; i < n; i += 2) other = fma(other, square, V(c[i]));
    return n % 2 ? fma(other, x, sum) : fma(sum, x, other);
  }
}

template <class V>
constexpr bool kIsFloat = sizeof(typename V::Element) == 4;

// ---- e^x = 2^n e^r with |r| <= ln 2 / 2. ln 2 in two parts, of which n times the first is exact.

// e^r - 1, and n shifted. float32: Cephes' polynomial; float64: a minimax polynomial.
template <class V>
LEVIN_HD V expm1_of_rest(V x, V* shifted) {
  *shifted = fma(x, V(1.44269504088896340736), shift<V>());
  const V n = *shifted - shift<V>();
  if constexpr (kIsFloat<V>) {
    const V r = fma(n, V(2.12194440e-4), fma(n, V(-0.693359375), x));
    const double c[] = {1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3,
                        4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1};
    return fma(polynomial(r, c), r * r, r);
  } else {
    const V r = fma(n, V(-1.90821492927058770002e-10), fma(n, V(-6.93147180369123816490e-1), x));
    const double c[] = {2.08265445304447610e-9,
                        2.51121445146690339e-8,
                        2.75575827751864018e-7,
                        2.75572345590746895e-6,
                        2.48015869246202215e-5,
                        1.98412698966802159e-4,
                        1.38888888891172593e-3,
                        8.33333333331691753e-3,
                        4.16666666666660884e-2,
                        1.66666666666666824e-1,
                        0.5};
    return fma(polynomial(r, c), r * r, r);
  }
}

// x between the bounds; NaN stays.
template <class V>
LEVIN_HD V between(double low, V x, double high) {
  return lesser(V(high), greater(V(low), x));
}

// Beyond the bounds it is 0 or infinite.
template <class V>
LEVIN_HD V exp_own(V x) {
  V shifted;
  const V rest = kIsFloat<V> ? expm1_of_rest(between(-104, x, 89), &shifted)
                             : expm1_of_rest(between(-746, x, 710), &shifted);
  return scale(rest + V(1), shifted);
}

// 2^n (e^r - 1) + (2^n - 1), with half of 2^n, which may be too large.
template <class V>
LEVIN_HD V expm1_own(V x) {
  V shifted;
  const V rest = expm1_of_rest(between(-20, x, 89), &shifted);
  const V half_power = power_of_two(shifted - V(1));
  const V result = V(2) * fma(half_power, rest, half_power - V(0.5));
  return select(abs(x) < V(1e-8), x, result);  // x itself where it is -0 or denormal
}

// With t = e^2|x| - 1: t / (t + 2), with the sign of x. From the bound on it is 1.
template <class V>
LEVIN_HD V tanh_own(V x) {
  const V size = lesser(V(kIsFloat<V> ? 10 : 20), abs(x));
  V shifted;
  const V rest = expm1_of_rest(size + size, &shifted);
  const V power = power_of_two(shifted);
  const V t = fma(power, rest, power - V(1));
  return copy_sign(t / (t + V(2)), x);
}

// ---- log x = e ln 2 + log(1 + f) with 1 + f in [sqrt(1/2), sqrt(2))

// float32: Cephes' polynomial. float64, as fdlibm: log(1 + f) = 2 atanh(s) with s = f / (2 + f).
template <class V>
LEVIN_HD V log_of(V f, V e) {
  const V square = f * f;
  if constexpr (kIsFloat<V>) {
    const double c[] = {7.0376836292e-2,  -1.1514610310e-1, 1.1676998740e-1,
                        -1.2420140846e-1, 1.4249322787e-1,  -1.6668057665e-1,
                        2.0000714765e-1,  -2.4999993993e-1, 3.3333331174e-1};
    V tail = polynomial(f, c) * f * square;
    tail = fma(e, V(-2.12194440e-4), tail);
    tail = fma(square, V(-0.5), tail);
    return fma(e, V(0.693359375), f + tail);
  } else {
    const V s = f / (f + V(2)), z = s * s, half = square * V(0.5);
    const double c[] = {1.32525842816568734e-1, 1.32499850321357887e-1, 1.53870964121363168e-1,
                        1.81817755425474237e-1, 2.22222226482467339e-1, 2.85714285690768510e-1,
                        4.00000000000062750e-1, 6.66666666666666630e-1};
    const V tail = fma(s, fma(polynomial(z, c), z, half), e * V(1.90821492927058770002e-10));
    return fma(e, V(6.93147180369123816490e-1), f - (half - tail));
  }
}

// What log gives at 0, below it, at infinity and for NaN; x is the argument.
template <class V>
LEVIN_HD V log_at_edges(V x, V result) {
  const V inf(__builtin_inff());
  result = select(x == V(0), -inf, result);
  return select(x > V(0), select(x == inf, inf, result),
                select(x < V(0), V(__builtin_nanf("")), select(x != x, x, result)));
}

template <class V>
LEVIN_HD V log_own(V x) {
  const double up = kIsFloat<V> ? 23 : 52;
  const auto tiny = x < V(kIsFloat<V> ? 0x1p-126 : 0x1p-1022);
  const V scaled = select(tiny, x * V(kIsFloat<V> ? 0x1p23 : 0x1p52), x);
  V e;
  const V m = split_exponent(select(x > V(0), scaled, V(1)), &e);
  return log_at_edges(x, log_of(m - V(1), select(tiny, e - V(up), e)));
}

// Of u = 1 + x; what its rounding lost is added to f.
template <class V>
LEVIN_HD V log1p_own(V x) {
  const V u = x + V(1);
  V e;
  const V m = split_exponent(select((u > V(0)) & (u < V(__builtin_inff())), u, V(1)), &e);
  const V lost = (x - (u - V(1))) * power_of_two(shift<V>() - lesser(e, V(100)));
  const V result = log_at_edges(u, log_of((m - V(1)) + lost, e));
  return select(abs(x) < V(1e-8), x, result);
}

// ---- sin and cos by x = n pi / 2 + r with |r| <= pi / 4. Angles beyond the bound, for which three
// parts of pi / 2 are not enough, and processors without fused multiply-adds: by the C library.

#ifdef LEVIN_FMA
constexpr double kLargestAngle = 1e5;
#else
constexpr double kLargestAngle = -1;
#endif

// r, and n shifted.
template <class V>
LEVIN_HD V rest_of_angle(V x, V* shifted) {
  *shifted = fma(x, V(0.636619772367581343076), shift<V>());
  const V n = *shifted - shift<V>();
  if constexpr (kIsFloat<V>)
    return fma(n, V(0x1.ee59dap-50), fma(n, V(0x1.777a5cp-25), fma(n, V(-0x1.921fb6p+0), x)));
  else
    return fma(n, V(1.49738490506587299e-33),
               fma(n, V(-6.12323399573676604e-17), fma(n, V(-1.57079632679489656), x)));
}

template <class V>
LEVIN_HD V sin_of_rest(V r, V square) {
  if constexpr (kIsFloat<V>) {
    const double c[] = {-1.951430022e-4, 8.332153782e-3, -1.666665524e-1};
    return fma(polynomial(square, c), square * r, r);
  } else {
    const double c[] = {1.58957540892178256e-10, -2.50507398378224797e-08,
                        2.75573135727510261e-06, -1.98412698294554528e-04,
                        8.33333333332195864e-03, -1.66666666666666297e-01};
    return fma(polynomial(square, c), square * r, r);
  }
}

template <class V>
LEVIN_HD V cos_of_rest(V square) {
  const V start = fma(square, V(-0.5), V(1));
  if constexpr (kIsFloat<V>) {
    const double c[] = {2.443211088e-5, -1.388730714e-3, 4.166664556e-2};
    return fma(polynomial(square, c), square * square, start);
  } else {
    const double c[] = {-1.13581989598018843e-11, 2.08756944802655002e-09,
                        -2.75573141337448222e-07, 2.48015872886987398e-05,
                        -1.38888888888728194e-03, 4.16666666666665950e-02};
    return fma(polynomial(square, c), square * square, start);
  }
}

// sin(r + n pi / 2)
template <class V>
LEVIN_HD V sin_in_quarters(V r, V shifted) {
  const V square = r * r;
  return negate_if_second_bit(select(is_odd(shifted), cos_of_rest(square), sin_of_rest(r, square)),
                              shifted);
}

template <class V>
LEVIN_HD V sin_own(V x) {
  V shifted;
  const V rest = rest_of_angle(x, &shifted);
  const V result = select(x == V(0), x, sin_in_quarters(rest, shifted));
  const auto large = abs(x) > V(kLargestAngle);
  return any(large) ? select(large, sin_by_number(x), result) : result;
}

template <class V>
LEVIN_HD V cos_own(V x) {
  V shifted;
  const V rest = rest_of_angle(x, &shifted);
  const V result = sin_in_quarters(rest, shifted + V(1));
  const auto large = abs(x) > V(kLargestAngle);
  return any(large) ? select(large, cos_by_number(x), result) : result;
}

// ---- erf: minimax polynomials below and above 1; from 3.92 on it is 1.
template <class V>
LEVIN_HD V erf_own(V x) {
  const V square = x * x, size = abs(x);
  const double near[] = {7.852520503e-5, -8.009833400e-4, 5.188292358e-3, -2.685379609e-2,
                         1.128358468e-1, -3.761262596e-1, 1.283791661e-1};
  const double far[] = {1.080097377e-6,  -8.280380825e-7, -1.694516686e-5, 3.715154162e-5,
                        5.512871212e-5,  -3.394680680e-4, 5.293658469e-4,  2.479074174e-4,
                        -3.088841913e-3, 7.886794396e-3,  -1.211569365e-2, 1.246953662e-2,
                        -8.533783257e-3, 3.555589588e-3,  9.993115067e-1};
  const V above = polynomial(lesser(V(3.92), size) - V(2.4), far);
  return select(size < V(1), fma(polynomial(square, near), x, x), copy_sign(above, x));
}

#define LEVIN_OWN_OF(V, name) \
  LEVIN_HD inline V name(V x) { return name##_own(x); }
#ifdef LEVIN_VECTORS
#define LEVIN_OWN(T, name) LEVIN_OWN_OF(One<T>, name) LEVIN_OWN_OF(Vec<T>, name)
#else
#define LEVIN_OWN(T, name) LEVIN_OWN_OF(One<T>, name)
#endif
LEVIN_OWN(float, exp)
LEVIN_OWN(double, exp)
LEVIN_OWN(float, log)
LEVIN_OWN(double, log)
LEVIN_OWN(float, tanh)
LEVIN_OWN(double, tanh)
LEVIN_OWN(float, sin)
LEVIN_OWN(double, sin)
LEVIN_OWN(float, cos)
LEVIN_OWN(double, cos)
LEVIN_OWN(float, expm1)
LEVIN_OWN(float, log1p)
LEVIN_OWN(float, erf)
#undef LEVIN_OWN
#undef LEVIN_OWN_OF

}  // namespace
}  // namespace levin::inline v0

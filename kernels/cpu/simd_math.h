// Functions of One<T> and Vec<T>. exp, log and tanh of float32: own, branch-free, the same operations
// at every width; exp and log are within 1 unit of the last place, tanh within 1.3. The others, and
// all of float64: the C library.
#pragma once

#include "simd.h"

namespace levin::inline v0 {
namespace {

// ---- The C library's functions, number by number and in double precision: a float's result is then
// right to the last place nearly always, and the same in every instruction set.

template <class T>
One<T> by_number(One<T> x, double (*f)(double)) {
  return One<T>::raw(static_cast<T>(f(x.v)));
}
template <class T>
One<T> by_number(One<T> x, One<T> z, double (*f)(double, double)) {
  return One<T>::raw(static_cast<T>(f(x.v, z.v)));
}
#ifdef LEVIN_VECTORS
template <class T>
Vec<T> by_number(Vec<T> x, double (*f)(double)) {
  T numbers[Vec<T>::kWidth];
  x.store(numbers);
  for (T& number : numbers) number = static_cast<T>(f(number));
  return Vec<T>::load(numbers);
}
template <class T>
Vec<T> by_number(Vec<T> x, Vec<T> z, double (*f)(double, double)) {
  T numbers[Vec<T>::kWidth], others[Vec<T>::kWidth];
  x.store(numbers);
  z.store(others);
  for (int i = 0; i < Vec<T>::kWidth; ++i) numbers[i] = static_cast<T>(f(numbers[i], others[i]));
  return Vec<T>::load(numbers);
}
#endif

// Inside a lambda: Clang takes no address of a builtin.
#define LEVIN_BY_NUMBER(V, name)                                                 \
  inline V name(V x) {                                                           \
    return by_number(x, [](double number) { return __builtin_##name(number); }); \
  }
#define LEVIN_FLOAT_AND_DOUBLE(name) LEVIN_DOUBLE(name) LEVIN_FLOAT(name)
#ifdef LEVIN_VECTORS
#define LEVIN_DOUBLE(name) LEVIN_BY_NUMBER(One<double>, name) LEVIN_BY_NUMBER(Vec<double>, name)
#define LEVIN_FLOAT(name) LEVIN_BY_NUMBER(One<float>, name) LEVIN_BY_NUMBER(Vec<float>, name)
#else
#define LEVIN_DOUBLE(name) LEVIN_BY_NUMBER(One<double>, name)
#define LEVIN_FLOAT(name) LEVIN_BY_NUMBER(One<float>, name)
#endif
LEVIN_DOUBLE(exp)
LEVIN_DOUBLE(log)
LEVIN_DOUBLE(tanh)
LEVIN_FLOAT_AND_DOUBLE(expm1)
LEVIN_FLOAT_AND_DOUBLE(log1p)
LEVIN_FLOAT_AND_DOUBLE(log2)
LEVIN_FLOAT_AND_DOUBLE(log10)
LEVIN_FLOAT_AND_DOUBLE(sin)
LEVIN_FLOAT_AND_DOUBLE(cos)
LEVIN_FLOAT_AND_DOUBLE(tan)
LEVIN_FLOAT_AND_DOUBLE(asin)
LEVIN_FLOAT_AND_DOUBLE(acos)
LEVIN_FLOAT_AND_DOUBLE(atan)
LEVIN_FLOAT_AND_DOUBLE(sinh)
LEVIN_FLOAT_AND_DOUBLE(cosh)
LEVIN_FLOAT_AND_DOUBLE(asinh)
LEVIN_FLOAT_AND_DOUBLE(acosh)
LEVIN_FLOAT_AND_DOUBLE(atanh)
LEVIN_FLOAT_AND_DOUBLE(erf)
LEVIN_FLOAT_AND_DOUBLE(erfc)

// Python's a // b, also where the exact quotient is just below a whole number.
inline double floor_divide_double(double a, double b) {
  if (b == 0) return a / b;
  const double rest = __builtin_fmod(a, b);
  double quotient = (a - rest) / b;
  if (rest != 0 && (b < 0) != (rest < 0)) quotient -= 1;
  if (quotient == 0) return __builtin_copysign(0.0, a / b);
  const double floor = __builtin_floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

inline double pow_double(double a, double b) { return __builtin_pow(a, b); }
inline double fmod_double(double a, double b) { return __builtin_fmod(a, b); }
inline double atan2_double(double a, double b) { return __builtin_atan2(a, b); }
inline double hypot_double(double a, double b) { return __builtin_hypot(a, b); }

#define LEVIN_TWO(name, function)                       \
  template <class V>                                    \
  requires requires(V v) { by_number(v, v, function); } \
  V name(V x, V z) { return by_number(x, z, function); }
LEVIN_TWO(pow, pow_double)
LEVIN_TWO(fmod, fmod_double)
LEVIN_TWO(atan2, atan2_double)
LEVIN_TWO(hypot, hypot_double)
LEVIN_TWO(floor_divide, floor_divide_double)

#undef LEVIN_TWO
#undef LEVIN_FLOAT
#undef LEVIN_DOUBLE
#undef LEVIN_FLOAT_AND_DOUBLE
#undef LEVIN_BY_NUMBER

// ---- Own functions of float32

// Horner's scheme: c[0] x^(n-1) + ... + c[n-1].
template <class V, int n>
V polynomial(V x, const float (&c)[n]) {
  V sum(c[0]);
  for (int i = 1; i < n; ++i) sum = fma(sum, x, V(c[i]));
  return sum;
}

// e^x = 2^n e^r with |r| <= ln 2 / 2; Cephes' expf polynomial. 2^n goes in two factors, so that
// results down to the smallest denormal and up to the largest float are right.
template <class V>
V exp_float(V x) {
  const V above = select(x > V(-104.0f), x, V(-104.0f));  // NaN too: it has no whole part
  const V clipped = select(above < V(89.0f), above, V(89.0f));
  const V n = round_small(clipped * V(1.44269504088896341f));
  V r = fma(n, V(-0.693359375f), clipped);
  r = fma(n, V(2.12194440e-4f), r);
  const float c[] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                     4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
  const V power = fma(polynomial(r, c), r * r, r) + V(1.0f);
  const V half = round_small(n * V(0.5f));
  const V result = (power * exp2_of_whole(half)) * exp2_of_whole(n - half);
  return select(x != x, x, result);
}

// log x = e ln 2 + log m with m in [sqrt(1/2), sqrt(2)); Cephes' logf polynomial.
template <class V>
V log_float(V x) {
  const auto tiny = x < V(1.17549435e-38f);
  const V scaled = select(tiny, x * V(8388608.0f), x);
  const auto unusual = x <= V(0.0f);
  V e;
  const V m = split_exponent(select(unusual, V(1.0f), scaled), &e);
  e = select(tiny, e - V(23.0f), e);
  const V f = m - V(1.0f);
  const float c[] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,
                     -1.2420140846e-1f, 1.4249322787e-1f,  -1.6668057665e-1f,
                     2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};
  const V square = f * f;
  V tail = polynomial(f, c) * f * square;
  tail = fma(e, V(-2.12194440e-4f), tail);
  tail = fma(square, V(-0.5f), tail);
  V result = fma(e, V(0.693359375f), f + tail);
  const V inf(__builtin_inff());
  result = select(x == V(0.0f), -inf, result);
  result = select(x < V(0.0f), V(__builtin_nanf("")), result);
  return select(x == inf, inf, select(x != x, x, result));
}

// Near 0 Cephes' tanhf polynomial, else 1 - 2 / (e^2|x| + 1) with the sign of x.
template <class V>
V tanh_float(V x) {
  const V size = abs(x);
  const V square = x * x;
  const float c[] = {-5.70498872745e-3f, 2.06390887954e-2f, -5.37397155531e-2f, 1.33314422036e-1f,
                     -3.33332819422e-1f};
  const V near = fma(polynomial(square, c) * square, x, x);
  const V far = V(1.0f) - V(2.0f) / (exp_float(size + size) + V(1.0f));
  const V small = select(square == V(0.0f), x, near);  // x itself, also where it is -0
  return select(size < V(0.625f), small, select(x < V(0.0f), -far, select(x != x, x, far)));
}

inline One<float> exp(One<float> x) { return exp_float(x); }
inline One<float> log(One<float> x) { return log_float(x); }
inline One<float> tanh(One<float> x) { return tanh_float(x); }
#ifdef LEVIN_VECTORS
inline VecF exp(VecF x) { return exp_float(x); }
inline VecF log(VecF x) { return log_float(x); }
inline VecF tanh(VecF x) { return tanh_float(x); }
#endif

}  // namespace
}  // namespace levin::inline v0

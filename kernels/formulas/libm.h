// Functions of One<T> and Vec<T> that the C library computes, number by number and in double
// precision: a float's result is then right to the last place nearly always, and the same in every
// instruction set.
#pragma once

#include "one.h"
#ifdef LEVIN_VECTORS
#include "../cpu/simd.h"
#endif

namespace levin::inline v0 {
namespace {

template <class T, class F>
LEVIN_HD One<T> by_number(One<T> x, F f) {
  return One<T>::raw(static_cast<T>(f(x.v)));
}
template <class T, class F>
LEVIN_HD One<T> by_number(One<T> x, One<T> z, F f) {
  return One<T>::raw(static_cast<T>(f(x.v, z.v)));
}
#ifdef LEVIN_VECTORS
// How many lanes there are before the last ones, which are equal: those beyond the end of a row, which
// are zeros, need not be computed one by one.
template <class T>
int lanes_before_equal_ones(const T* numbers) {
  int n = Vec<T>::kWidth;
  while (n > 1 && __builtin_memcmp(numbers + n - 1, numbers + n - 2, sizeof(T)) == 0) --n;
  return n;
}
template <class T>
Vec<T> by_number(Vec<T> x, double (*f)(double)) {
  T numbers[Vec<T>::kWidth];
  x.store(numbers);
  const int n = lanes_before_equal_ones(numbers);
  for (int i = 0; i < n; ++i) numbers[i] = static_cast<T>(f(numbers[i]));
  for (int i = n; i < Vec<T>::kWidth; ++i) numbers[i] = numbers[n - 1];
  return Vec<T>::load(numbers);
}
template <class T>
Vec<T> by_number(Vec<T> x, Vec<T> z, double (*f)(double, double)) {
  T numbers[Vec<T>::kWidth], others[Vec<T>::kWidth];
  x.store(numbers);
  z.store(others);
  int n = lanes_before_equal_ones(numbers);
  if (const int m = lanes_before_equal_ones(others); m > n) n = m;
  for (int i = 0; i < n; ++i) numbers[i] = static_cast<T>(f(numbers[i], others[i]));
  for (int i = n; i < Vec<T>::kWidth; ++i) numbers[i] = numbers[n - 1];
  return Vec<T>::load(numbers);
}
#endif

// Inside a lambda: Clang takes no address of a builtin.
#define LEVIN_BY_NUMBER(V, name)                                                 \
  LEVIN_HD inline V name(V x) {                                                  \
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
LEVIN_DOUBLE(expm1)
LEVIN_DOUBLE(log1p)
LEVIN_DOUBLE(erf)
LEVIN_FLOAT_AND_DOUBLE(log2)
LEVIN_FLOAT_AND_DOUBLE(log10)
LEVIN_FLOAT_AND_DOUBLE(tan)
LEVIN_FLOAT_AND_DOUBLE(asin)
LEVIN_FLOAT_AND_DOUBLE(acos)
LEVIN_FLOAT_AND_DOUBLE(atan)
LEVIN_FLOAT_AND_DOUBLE(sinh)
LEVIN_FLOAT_AND_DOUBLE(cosh)
LEVIN_FLOAT_AND_DOUBLE(asinh)
LEVIN_FLOAT_AND_DOUBLE(acosh)
LEVIN_FLOAT_AND_DOUBLE(atanh)
LEVIN_FLOAT_AND_DOUBLE(erfc)

template <class V>
LEVIN_HD V sin_by_number(V x) {
  return by_number(x, [](double number) { return __builtin_sin(number); });
}
template <class V>
LEVIN_HD V cos_by_number(V x) {
  return by_number(x, [](double number) { return __builtin_cos(number); });
}

// Python's a // b, also where the exact quotient is just below a whole number.
LEVIN_HD inline double floor_divide_double(double a, double b) {
  if (b == 0) return a / b;
  const double rest = __builtin_fmod(a, b);
  double quotient = (a - rest) / b;
  if (rest != 0 && (b < 0) != (rest < 0)) quotient -= 1;
  if (quotient == 0) return __builtin_copysign(0.0, a / b);
  const double floor = __builtin_floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

LEVIN_HD inline double pow_double(double a, double b) { return __builtin_pow(a, b); }
LEVIN_HD inline double fmod_double(double a, double b) { return __builtin_fmod(a, b); }
LEVIN_HD inline double atan2_double(double a, double b) { return __builtin_atan2(a, b); }
LEVIN_HD inline double hypot_double(double a, double b) { return __builtin_hypot(a, b); }

#define LEVIN_TWO(name, function)                       \
  template <class V>                                    \
  requires requires(V v) { by_number(v, v, function); } \
  LEVIN_HD V name(V x, V z) { return by_number(x, z, function); }
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

}  // namespace
}  // namespace levin::inline v0

// Arithmetic and rounding.
#pragma once

#include "formula.h"

namespace levin::inline v0::formula {

struct Add {
  static constexpr Needs needs = nothing;
  static constexpr bool kPasses0 = true, kPasses1 = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x + z;
  }
  template <class T>
  LEVIN_HD T d0(T, T, T) const {
    return T(1);
  }
  template <class T>
  LEVIN_HD T d1(T, T, T) const {
    return T(1);
  }
};

struct Sub {
  static constexpr Needs needs = nothing;
  static constexpr bool kNotBool = true, kPasses0 = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x - z;
  }
  template <class T>
  LEVIN_HD T d0(T, T, T) const {
    return T(1);
  }
  template <class T>
  LEVIN_HD T d1(T, T, T) const {
    return T(-1);
  }
};

// x + alpha z, rounded once in 16-bit types.
struct AddScaled {
  static constexpr Needs needs = nothing;
  static constexpr bool kFloatsOnly = true, kPasses0 = true;
  double alpha;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x + T(alpha) * z;
  }
  template <class T>
  LEVIN_HD T d0(T, T, T) const {
    return T(1);
  }
  template <class T>
  LEVIN_HD T d1(T, T, T) const {
    return T(alpha);
  }
};

struct Mul {
  static constexpr Needs needs = input;
  static constexpr uint8_t kReads[] = {2, 1};
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x * z;
  }
  template <class T>
  LEVIN_HD T d0(T, T z, T) const {
    return z;
  }
  template <class T>
  LEVIN_HD T d1(T x, T, T) const {
    return x;
  }
};

struct Div {
  static constexpr Needs needs = input;
  static constexpr uint8_t kReads[] = {2, 3};
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x / z;
  }
  template <class T>
  LEVIN_HD T d0(T, T z, T) const {
    return T(1) / z;
  }
  template <class T>
  LEVIN_HD T d1(T x, T z, T) const {
    return -x / (z * z);
  }
};

struct Neg {
  static constexpr Needs needs = nothing;
  static constexpr bool kNotBool = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return -x;
  }
  template <class T>
  LEVIN_HD T d0(T, T) const {
    return T(-1);
  }
};

struct Abs {
  static constexpr Needs needs = input;
  static constexpr bool kNotBool = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return abs(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return select(x > T(0), T(1), select(x < T(0), T(-1), T(0)));
  }
};

// The derivative of a step is 0, also where it jumps.
struct Sign {
  static constexpr Needs needs = nothing;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return select(x > T(0), T(1), select(x < T(0), T(-1), T(0)));
  }
  template <class T>
  LEVIN_HD auto d0(T, T) const {
    return T(0) != T(0);
  }
};

struct Floor {
  static constexpr Needs needs = nothing;
  static constexpr bool kNotBool = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return floor(x);
  }
  template <class T>
  LEVIN_HD auto d0(T, T) const {
    return T(0) != T(0);
  }
};

struct Ceil {
  static constexpr Needs needs = nothing;
  static constexpr bool kNotBool = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return ceil(x);
  }
  template <class T>
  LEVIN_HD auto d0(T, T) const {
    return T(0) != T(0);
  }
};

// To the nearest whole number, ties to even.
struct Round {
  static constexpr Needs needs = nothing;
  static constexpr bool kNotBool = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return round(x);
  }
  template <class T>
  LEVIN_HD auto d0(T, T) const {
    return T(0) != T(0);
  }
};

struct Trunc {
  static constexpr Needs needs = nothing;
  static constexpr bool kNotBool = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return trunc(x);
  }
  template <class T>
  LEVIN_HD auto d0(T, T) const {
    return T(0) != T(0);
  }
};

struct Frac {
  static constexpr Needs needs = nothing;
  static constexpr bool kFloatsOnly = true, kPasses0 = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return x - trunc(x);
  }
  template <class T>
  LEVIN_HD T d0(T, T) const {
    return T(1);
  }
};

struct Square {
  static constexpr Needs needs = input;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return x * x;
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return T(2) * x;
  }
};

struct Reciprocal {
  static constexpr Needs needs = output;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return T(1) / x;
  }
  template <class T>
  LEVIN_HD T d0(T, T y) const {
    return -y * y;
  }
};

struct Sqrt {
  static constexpr Needs needs = output;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return sqrt(x);
  }
  template <class T>
  LEVIN_HD T d0(T, T y) const {
    return T(0.5) / y;
  }
};

struct Rsqrt {
  static constexpr Needs needs = output;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return T(1) / sqrt(x);
  }
  template <class T>
  LEVIN_HD T d0(T, T y) const {
    return T(-0.5) * y * y * y;
  }
};

// sqrt(x^2 + z^2), without overflow.
struct Hypot {
  static constexpr Needs needs = both;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return hypot(x, z);
  }
  template <class T>
  LEVIN_HD T d0(T x, T, T y) const {
    return x / y;
  }
  template <class T>
  LEVIN_HD T d1(T, T z, T y) const {
    return z / y;
  }
};

// x^z; 0^0 is 1 and its derivative by the exponent 0, as PyTorch has it.
struct Pow {
  static constexpr Needs needs = both;
  static constexpr bool kNotBool = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return pow(x, z);
  }
  template <class T>
  LEVIN_HD auto d0(T x, T z, T) const {
    return Gated{z != T(0), z * pow(x, z - T(1))};
  }
  template <class T>
  LEVIN_HD T d1(T x, T z, T y) const {
    return select(x == T(0), select(z >= T(0), T(0), y * log(x)), y * log(x));
  }
};

// The rest of x / z rounded to zero.
struct Fmod {
  static constexpr Needs needs = input;
  static constexpr uint8_t kReads[] = {0, 3};
  static constexpr bool kNotBool = true, kPasses0 = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return fmod(x, z);
  }
  template <class T>
  LEVIN_HD T d0(T, T, T) const {
    return T(1);
  }
  template <class T>
  LEVIN_HD T d1(T x, T z, T) const {
    return -trunc(x / z);
  }
};

// The rest of x / z rounded down.
struct Remainder {
  static constexpr Needs needs = input;
  static constexpr uint8_t kReads[] = {0, 3};
  static constexpr bool kNotBool = true, kPasses0 = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    const T rest = fmod(x, z);
    return select((rest != T(0)) & ((rest < T(0)) != (z < T(0))), rest + z, rest);
  }
  template <class T>
  LEVIN_HD T d0(T, T, T) const {
    return T(1);
  }
  template <class T>
  LEVIN_HD T d1(T x, T z, T) const {
    return -floor(x / z);
  }
};

// x / z rounded down.
struct FloorDivide {
  static constexpr Needs needs = nothing;
  static constexpr bool kNotBool = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return floor_divide(x, z);
  }
  template <class T>
  LEVIN_HD auto d0(T, T, T) const {
    return T(0) != T(0);
  }
  template <class T>
  LEVIN_HD auto d1(T, T, T) const {
    return T(0) != T(0);
  }
};

}  // namespace levin::inline v0::formula

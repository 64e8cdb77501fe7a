// The larger and smaller of two, bounds, choices, and the other formulas of three arguments.
#pragma once

#include "formula.h"

namespace levin::inline v0::formula {

// x + value a b
struct Addcmul {
  static constexpr Needs needs = input;
  static constexpr uint8_t kReads[] = {0, 4, 2};
  static constexpr bool kNotBool = true, kPasses0 = true;
  double value;
  template <class T>
  LEVIN_HD auto f(T x, T a, T b) const {
    return x + T(value) * a * b;
  }
  template <class T>
  LEVIN_HD T d0(T, T, T, T) const {
    return T(1);
  }
  template <class T>
  LEVIN_HD T d1(T, T, T b, T) const {
    return T(value) * b;
  }
  template <class T>
  LEVIN_HD T d2(T, T a, T, T) const {
    return T(value) * a;
  }
};

// x + value a / b
struct Addcdiv {
  static constexpr Needs needs = input;
  static constexpr uint8_t kReads[] = {0, 4, 6};
  static constexpr bool kFloatsOnly = true, kPasses0 = true;
  double value;
  template <class T>
  LEVIN_HD auto f(T x, T a, T b) const {
    return x + T(value) * a / b;
  }
  template <class T>
  LEVIN_HD T d0(T, T, T, T) const {
    return T(1);
  }
  template <class T>
  LEVIN_HD T d1(T, T, T b, T) const {
    return T(value) / b;
  }
  template <class T>
  LEVIN_HD T d2(T, T a, T b, T) const {
    return -T(value) * a / (b * b);
  }
};

// x + w (z - x), from the nearer end.
struct Lerp {
  static constexpr Needs needs = input;
  static constexpr uint8_t kReads[] = {4, 4, 3};
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x, T z, T w) const {
    return select(abs(w) < T(0.5), x + w * (z - x), z - (z - x) * (T(1) - w));
  }
  template <class T>
  LEVIN_HD T d0(T, T, T w, T) const {
    return T(1) - w;
  }
  template <class T>
  LEVIN_HD T d1(T, T, T w, T) const {
    return w;
  }
  template <class T>
  LEVIN_HD T d2(T x, T z, T, T) const {
    return z - x;
  }
};

// NaN in either argument is kept; a tie shares the gradient.
struct Maximum {
  static constexpr Needs needs = input;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return select(x != x, x, select(z > x, z, select(z != z, z, x)));
  }
  template <class T>
  LEVIN_HD auto d0(T x, T z, T) const {
    return Gated{!(x < z), select(x == z, T(0.5), T(1))};
  }
  template <class T>
  LEVIN_HD auto d1(T x, T z, T y) const {
    return d0(z, x, y);
  }
};

struct Minimum {
  static constexpr Needs needs = input;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return select(x != x, x, select(z < x, z, select(z != z, z, x)));
  }
  template <class T>
  LEVIN_HD auto d0(T x, T z, T) const {
    return Gated{!(x > z), select(x == z, T(0.5), T(1))};
  }
  template <class T>
  LEVIN_HD auto d1(T x, T z, T y) const {
    return d0(z, x, y);
  }
};

// NaN loses; of a tie the first takes the gradient.
struct Fmax {
  static constexpr Needs needs = input;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return select((z > x) | (x != x), z, x);
  }
  template <class T>
  LEVIN_HD auto d0(T x, T z, T) const {
    return !((z > x) | (x != x));
  }
  template <class T>
  LEVIN_HD auto d1(T x, T z, T) const {
    return (z > x) | (x != x);
  }
};

struct Fmin {
  static constexpr Needs needs = input;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return select((z < x) | (x != x), z, x);
  }
  template <class T>
  LEVIN_HD auto d0(T x, T z, T) const {
    return !((z < x) | (x != x));
  }
  template <class T>
  LEVIN_HD auto d1(T x, T z, T) const {
    return (z < x) | (x != x);
  }
};

// x where the condition is not 0, else z.
struct Where3 {
  static constexpr Needs needs = input;
  static constexpr uint8_t kReads[] = {0, 1, 1};
  template <class T>
  LEVIN_HD auto f(T c, T x, T z) const {
    return select(c != T(0), x, z);
  }
  template <class T>
  LEVIN_HD auto d1(T c, T, T, T) const {
    return c != T(0);
  }
  template <class T>
  LEVIN_HD auto d2(T c, T, T, T) const {
    return c == T(0);
  }
};

// min(max(x, low), high); the gradient passes at both bounds, none for NaN.
struct Clamp {
  static constexpr Needs needs = input;
  double low, high;
  template <class T>
  LEVIN_HD auto f(T x) const {
    const T raised = select(x < T(low), T(low), x);
    return select(raised > T(high), T(high), raised);
  }
  template <class T>
  LEVIN_HD auto d0(T x, T) const {
    return (x >= T(low)) & (x <= T(high));
  }
};

// max(x, z); at the bound x takes the gradient.
struct ClampMin {
  static constexpr Needs needs = input;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return select(z != z, z, select(x < z, z, x));
  }
  template <class T>
  LEVIN_HD auto d0(T x, T z, T) const {
    return x >= z;
  }
  template <class T>
  LEVIN_HD auto d1(T x, T z, T) const {
    return x < z;
  }
};

struct ClampMax {
  static constexpr Needs needs = input;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return select(z != z, z, select(x > z, z, x));
  }
  template <class T>
  LEVIN_HD auto d0(T x, T z, T) const {
    return x <= z;
  }
  template <class T>
  LEVIN_HD auto d1(T x, T z, T) const {
    return x > z;
  }
};

struct NanToNum {
  static constexpr Needs needs = input;
  double nan, posinf, neginf;
  template <class T>
  LEVIN_HD auto f(T x) const {
    const T number = select(x != x, T(nan), x);
    return select(number - number == T(0), number, select(number > T(0), T(posinf), T(neginf)));
  }
  template <class T>
  LEVIN_HD auto d0(T x, T) const {
    return x - x == T(0);
  }
};

}  // namespace levin::inline v0::formula

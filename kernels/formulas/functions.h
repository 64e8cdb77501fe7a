// Exponential, trigonometric and related functions.
#pragma once

#include "formula.h"

namespace levin::inline v0::formula {

struct Exp {
  static constexpr Needs needs = output;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return exp(x);
  }
  template <class T>
  LEVIN_HD T d0(T, T y) const {
    return y;
  }
};

struct Expm1 {
  static constexpr Needs needs = output;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return expm1(x);
  }
  template <class T>
  LEVIN_HD T d0(T, T y) const {
    return y + T(1);
  }
};

struct Log {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return log(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return T(1) / x;
  }
};

struct Log1p {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return log1p(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return T(1) / (x + T(1));
  }
};

struct Log2 {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return log2(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return T(1) / (x * T(0.69314718055994530942));
  }
};

struct Log10 {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return log10(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return T(1) / (x * T(2.30258509299404568402));
  }
};

struct Sin {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return sin(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return cos(x);
  }
};

struct Cos {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return cos(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return -sin(x);
  }
};

struct Tan {
  static constexpr Needs needs = output;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return tan(x);
  }
  template <class T>
  LEVIN_HD T d0(T, T y) const {
    return T(1) + y * y;
  }
};

struct Asin {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return asin(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return T(1) / sqrt(T(1) - x * x);
  }
};

struct Acos {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return acos(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return T(-1) / sqrt(T(1) - x * x);
  }
};

struct Atan {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return atan(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return T(1) / (x * x + T(1));
  }
};

// The angle of the point (z, x); its gradient at the origin is 0.
struct Atan2 {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return atan2(x, z);
  }
  template <class T>
  LEVIN_HD auto d0(T x, T z, T) const {
    return Gated{(x != T(0)) | (z != T(0)), z / (x * x + z * z)};
  }
  template <class T>
  LEVIN_HD auto d1(T x, T z, T) const {
    return Gated{(x != T(0)) | (z != T(0)), -x / (x * x + z * z)};
  }
};

struct Sinh {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return sinh(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return cosh(x);
  }
};

struct Cosh {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return cosh(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return sinh(x);
  }
};

struct Tanh {
  static constexpr Needs needs = output;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return tanh(x);
  }
  template <class T>
  LEVIN_HD T d0(T, T y) const {
    return T(1) - y * y;
  }
};

struct Asinh {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return asinh(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return T(1) / sqrt(x * x + T(1));
  }
};

struct Acosh {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return acosh(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return T(1) / sqrt(x * x - T(1));
  }
};

struct Atanh {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return atanh(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return T(1) / (T(1) - x * x);
  }
};

// 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.
struct Erf {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return erf(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return T(1.12837916709551257390) * exp(-(x * x));
  }
};

struct Erfc {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return erfc(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return T(-1.12837916709551257390) * exp(-(x * x));
  }
};

}  // namespace levin::inline v0::formula

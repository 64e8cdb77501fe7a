// Every elementwise formula with its derivative beside it. T is a vector of any width, a single
// number (One<float>), or Sym (autograd/sym.h) where the derivative itself is differentiated. So:
// `select`, not `?:`, and constants as T(0.5).
//
//   f(x..)             the value; predicates return what a comparison of T returns
//   d0, d1, d2(x.., y) the derivative by each argument, also as a mask or Gated; y is the value.
//                      What `needs` leaves out is not passed: it is T(0)
//   kFloatsOnly        integers are converted to float32 first (exp, division)
//   kNotBool           bool is refused, as PyTorch does
//   kPasses0, 1        the derivative by that argument is 1: its gradient passes as it is
//
// Fields are the parameters: doubles, in the order of ops.def.
#pragma once

#include "op.h"

#ifdef __CUDACC__
#define LEVIN_HD __host__ __device__
#else
#define LEVIN_HD
#endif

namespace levin::inline v0::formula {

/// A derivative that counts where `passes` holds. Elsewhere the gradient is exactly 0, also where
/// the one that comes in is infinite. A mask alone stands for the factor 1.
template <class Mask, class T>
struct Gated {
  Mask passes;
  T factor;
};
template <class Mask, class T>
Gated(Mask, T) -> Gated<Mask, T>;

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
  static constexpr bool kNotBool = true;
  static constexpr bool kPasses0 = true;
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

struct Mul {
  static constexpr Needs needs = input;
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

struct Sigmoid {
  static constexpr Needs needs = output;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return T(1) / (T(1) + exp(-x));
  }
  template <class T>
  LEVIN_HD T d0(T, T y) const {
    return y * (T(1) - y);
  }
};

struct Relu {
  static constexpr Needs needs = output;
  static constexpr bool kNotBool = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return select(x < T(0), T(0), x);
  }  // keeps NaN
  template <class T>
  LEVIN_HD auto d0(T, T y) const {
    return !(y <= T(0));
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

struct Eq {
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x == z;
  }
};
struct Ne {
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x != z;
  }
};
struct Lt {
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x < z;
  }
};
struct Le {
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x <= z;
  }
};
struct Gt {
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x > z;
  }
};
struct Ge {
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x >= z;
  }
};

// x where the condition is not 0, else z.
struct Where3 {
  static constexpr Needs needs = input;
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

// g * scale * (x - target): mse_loss's gradient by x, with scale = 2 / count.
struct MseSlope {
  static constexpr bool kFloatsOnly = true;
  double scale;
  template <class T>
  LEVIN_HD auto f(T x, T target, T g) const {
    return g * (T(scale) * (x - target));
  }
};

}  // namespace levin::inline v0::formula

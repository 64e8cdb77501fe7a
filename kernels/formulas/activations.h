// Activation functions.
#pragma once

#include "formula.h"

namespace levin::inline v0::formula {

struct Sigmoid {
  static constexpr Needs needs = output;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return sigmoid(x);
  }
  template <class T>
  LEVIN_HD T d0(T, T y) const {
    return y * (T(1) - y);
  }
};

// log(1 / (1 + e^-x))
struct LogSigmoid {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return negative_part(x) - log1p(exp(-abs(x)));
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return sigmoid(-x);
  }
};

// log(1 + e^(beta x)) / beta; x itself above the threshold, where it makes no difference.
struct Softplus {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  double beta, threshold;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return select(x * T(beta) > T(threshold), x, log1p(exp(x * T(beta))) / T(beta));
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return select(x * T(beta) > T(threshold), T(1), sigmoid(x * T(beta)));
  }
};

struct Softsign {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return x / (T(1) + abs(x));
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    const T size = T(1) + abs(x);
    return T(1) / (size * size);
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

struct LeakyRelu {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  double negative_slope;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return select(x > T(0), x, T(negative_slope) * x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return select(x > T(0), T(1), T(negative_slope));
  }
};

struct Elu {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  double alpha;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return select(x > T(0), x, T(alpha) * expm1(x));
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return select(x > T(0), T(1), T(alpha) * exp(negative_part(x)));
  }
};

struct Celu {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  double alpha;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return select(x > T(0), x, T(alpha) * expm1(x / T(alpha)));
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return select(x > T(0), T(1), exp(negative_part(x) / T(alpha)));
  }
};

// Klambauer et al., Self-Normalizing Neural Networks, 2017.
struct Selu {
  static constexpr double kAlpha = 1.6732632423543772848170429916717;
  static constexpr double kScale = 1.0507009873554804934193349852946;
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return T(kScale) * select(x > T(0), x, T(kAlpha) * expm1(x));
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return select(x > T(0), T(kScale), T(kScale * kAlpha) * exp(negative_part(x)));
  }
};

// x sigmoid(x)
struct Silu {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return x * sigmoid(x);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    const T s = sigmoid(x);
    return s * (T(1) + x * (T(1) - s));
  }
};

// x tanh(softplus(x))
struct Mish {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return x * tanh(softplus(x));
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    const T t = tanh(softplus(x));
    return t + x * (T(1) - t * t) * sigmoid(x);
  }
};

// Between the bounds; at them the gradient is 0.
struct Hardtanh {
  static constexpr Needs needs = input;
  static constexpr bool kNotBool = true;
  double min_val, max_val;
  template <class T>
  LEVIN_HD auto f(T x) const {
    const T raised = select(x < T(min_val), T(min_val), x);
    return select(raised > T(max_val), T(max_val), raised);
  }
  template <class T>
  LEVIN_HD auto d0(T x, T) const {
    return (x > T(min_val)) & (x < T(max_val));
  }
};

// (x + 3) / 6 between 0 and 1.
struct Hardsigmoid {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    const T raised = select(x < T(-3), T(0), x + T(3));
    return select(raised > T(6), T(6), raised) / T(6);
  }
  template <class T>
  LEVIN_HD auto d0(T x, T) const {
    return Gated{(x > T(-3)) & (x < T(3)), T(1.0 / 6)};
  }
};

// x hardsigmoid(x)
struct Hardswish {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    const T raised = select(x < T(-3), T(0), x + T(3));
    return x * select(raised > T(6), T(6), raised) / T(6);
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    return select(x <= T(-3), T(0), select(x < T(3), x / T(3) + T(0.5), T(1)));
  }
};

// x Phi(x), with the distribution function Phi of the normal distribution.
struct Gelu {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return x * T(0.5) * (T(1) + erf(x * T(0.70710678118654752440)));
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    const T phi = T(0.5) * (T(1) + erf(x * T(0.70710678118654752440)));
    return phi + x * exp(T(-0.5) * x * x) * T(0.39894228040143267794);
  }
};

// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
struct GeluTanh {
  static constexpr Needs needs = input;
  static constexpr bool kFloatsOnly = true;
  template <class T>
  LEVIN_HD T inner(T x) const {
    return T(0.79788456080286535588) * (x + T(0.044715) * x * x * x);
  }
  template <class T>
  LEVIN_HD auto f(T x) const {
    return T(0.5) * x * (T(1) + tanh(inner(x)));
  }
  template <class T>
  LEVIN_HD T d0(T x, T) const {
    const T t = tanh(inner(x));
    const T slope = T(0.79788456080286535588) * (T(1) + T(0.134145) * x * x);
    return T(0.5) * (T(1) + t) + T(0.5) * x * (T(1) - t * t) * slope;
  }
};

}  // namespace levin::inline v0::formula

// The rules by which optimizers change a parameter, each written once. T is a vector of any width
// or a single number. So: `select`, not `?:`, for what differs from element to element, and
// explicit fused multiply-adds, so that every width gives the same bits.
//
//   fields             the numbers of a parameter group, flags as 0 or 1, in the order of the call
//   advance(counters)  counts the step of one parameter; gives what its elements have in common
//   update(..)         one element: p and its states (kStates of them, 0 at first), from gradient g
#pragma once

#include <math.h>

#include "../backend.h"
#include "formula.h"

namespace levin::inline v0::formula {

// Parts of several rules.
template <class T>
LEVIN_HD T signed_slope(double maximize, T g) {
  return maximize != 0 ? -g : g;
}
// g + weight_decay p
template <class T>
LEVIN_HD T decayed_slope(double weight_decay, T g, T p) {
  return weight_decay != 0 ? fma(T(weight_decay), p, g) : g;
}
// Weight decay: in the gradient, or decoupled from it, when p shrinks first.
template <class T>
LEVIN_HD void decay(double decoupled, double lr, double weight_decay, T& g, T& p) {
  if (decoupled != 0)
    p = p * T(1 - lr * weight_decay);
  else
    g = decayed_slope(weight_decay, g, p);
}
// average moved towards x by `weight` of the way
template <class T>
LEVIN_HD T moved_average(T average, T x, double weight) {
  return fma(T(weight), x - average, average);
}
// decay average + (1 - decay) x^2
template <class T>
LEVIN_HD T average_of_squares(double decay, T average, T x) {
  return fma(T(1 - decay) * x, x, T(decay) * average);
}

// m = momentum m + (1 - dampening) g, or g itself the first time; p -= lr (m, or g + momentum m with
// nesterov, or g without momentum). State: m; counter: the updates of m.
struct Sgd {
  static constexpr Rule kRule = Rule::sgd;
  static constexpr int kStates = 1;
  double lr, momentum, dampening, weight_decay, nesterov, maximize;

  struct Factors {
    bool first;
  };
  LEVIN_HD Factors advance(double* counters) const {
    if (momentum != 0) counters[0] += 1;
    return {counters[0] == 1};
  }
  template <class T>
  LEVIN_HD void update(const Factors& f, T g, T& p, T* state) const {
    g = decayed_slope(weight_decay, signed_slope(maximize, g), p);
    if (momentum != 0) {
      T& m = state[0];
      m = f.first ? g : fma(T(momentum), m, T(1 - dampening) * g);
      g = nesterov != 0 ? fma(T(momentum), m, g) : m;
    }
    p = fma(T(-lr), g, p);
  }
};

// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; with c = 1 - beta^t:
// p -= lr (m / c1) / (sqrt(v / c2) + eps), with amsgrad by the largest v so far. AdamW: p shrinks by
// lr weight_decay first. States: m, v, largest v; counter: t.
struct Adam {
  static constexpr Rule kRule = Rule::adam;
  static constexpr int kStates = 3;
  double lr, beta1, beta2, eps, weight_decay, amsgrad, maximize, decoupled;

  struct Factors {
    double rate, root;
  };
  LEVIN_HD Factors advance(double* counters) const {
    const double t = counters[0] += 1;
    return {lr / (1 - ::pow(beta1, t)), 1 / ::sqrt(1 - ::pow(beta2, t))};
  }
  template <class T>
  LEVIN_HD void update(const Factors& f, T g, T& p, T* state) const {
    T &m = state[0], &v = state[1], &largest = state[2];
    g = signed_slope(maximize, g);
    decay(decoupled, lr, weight_decay, g, p);
    m = moved_average(m, g, 1 - beta1);
    v = average_of_squares(beta2, v, g);
    if (amsgrad != 0) largest = select(v <= largest, largest, v);
    const T scale = fma(sqrt(amsgrad != 0 ? largest : v), T(f.root), T(eps));
    p = fma(T(-f.rate), m / scale, p);
  }
};

// Adam with Nesterov's momentum: mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2), M = mu_1 .. mu_t;
// p -= lr ((1 - mu_t) / (1 - M) g + mu_t+1 / (1 - M mu_t+1) m) / (sqrt(v / c2) + eps).
// States: m, v; counters: t, M (1 at first).
struct NAdam {
  static constexpr Rule kRule = Rule::nadam;
  static constexpr int kStates = 2;
  double lr, beta1, beta2, eps, weight_decay, momentum_decay, decoupled, maximize;

  struct Factors {
    double slope_rate, rate, root;
  };
  LEVIN_HD double mu(double t) const { return beta1 * (1 - 0.5 * ::pow(0.96, t * momentum_decay)); }
  LEVIN_HD Factors advance(double* counters) const {
    const double t = counters[0] += 1;
    const double product = counters[1] *= mu(t);
    return {lr * (1 - mu(t)) / (1 - product), lr * mu(t + 1) / (1 - product * mu(t + 1)),
            1 / ::sqrt(1 - ::pow(beta2, t))};
  }
  template <class T>
  LEVIN_HD void update(const Factors& f, T g, T& p, T* state) const {
    T &m = state[0], &v = state[1];
    g = signed_slope(maximize, g);
    decay(decoupled, lr, weight_decay, g, p);
    m = moved_average(m, g, 1 - beta1);
    v = average_of_squares(beta2, v, g);
    const T scale = fma(sqrt(v), T(f.root), T(eps));
    p = p - fma(T(f.slope_rate), g, T(f.rate) * m) / scale;
  }
};

// r_inf = 2 / (1 - beta2) - 1, r = r_inf - 2 t beta2^t / c2. While r <= 5: p -= lr m / c1. Then
// p -= lr (m / c1) sqrt(c2 (r - 4)(r - 2) r_inf / ((r_inf - 4)(r_inf - 2) r)) / (sqrt(v) + eps).
// States: m, v; counter: t.
struct RAdam {
  static constexpr Rule kRule = Rule::radam;
  static constexpr int kStates = 2;
  double lr, beta1, beta2, eps, weight_decay, decoupled, maximize;

  struct Factors {
    double rate;
    bool rectified;
  };
  LEVIN_HD Factors advance(double* counters) const {
    const double t = counters[0] += 1;
    const double rate = lr / (1 - ::pow(beta1, t)), power = ::pow(beta2, t);
    const double last = 2 / (1 - beta2) - 1, r = last - 2 * t * power / (1 - power);
    if (r <= 5) return {rate, false};
    const double square = (1 - power) * (r - 4) * (r - 2) * last / ((last - 4) * (last - 2) * r);
    return {rate * ::sqrt(square), true};
  }
  template <class T>
  LEVIN_HD void update(const Factors& f, T g, T& p, T* state) const {
    T &m = state[0], &v = state[1];
    g = signed_slope(maximize, g);
    decay(decoupled, lr, weight_decay, g, p);
    m = moved_average(m, g, 1 - beta1);
    v = average_of_squares(beta2, v, g);
    p = fma(T(-f.rate), f.rectified ? m / (sqrt(v) + T(eps)) : m, p);
  }
};

// m as Adam's; u = max(beta2 u, |g| + eps); p -= lr m / (c1 u). States: m, u; counter: t.
struct Adamax {
  static constexpr Rule kRule = Rule::adamax;
  static constexpr int kStates = 2;
  double lr, beta1, beta2, eps, weight_decay, maximize;

  struct Factors {
    double rate;
  };
  LEVIN_HD Factors advance(double* counters) const {
    const double t = counters[0] += 1;
    return {lr / (1 - ::pow(beta1, t))};
  }
  template <class T>
  LEVIN_HD void update(const Factors& f, T g, T& p, T* state) const {
    T &m = state[0], &u = state[1];
    g = decayed_slope(weight_decay, signed_slope(maximize, g), p);
    m = moved_average(m, g, 1 - beta1);
    const T faded = T(beta2) * u, size = abs(g) + T(eps);
    u = select(size <= faded, faded, size);
    p = fma(T(-f.rate), m / u, p);
  }
};

// v = alpha v + (1 - alpha) g^2; centered: minus the square of g's average. d = g / (sqrt(v) + eps);
// p -= lr (d, or b = momentum b + d). States: v, b, g's average; counter: t.
struct RMSprop {
  static constexpr Rule kRule = Rule::rmsprop;
  static constexpr int kStates = 3;
  double lr, momentum, alpha, eps, centered, weight_decay, maximize;

  struct Factors {};
  LEVIN_HD Factors advance(double* counters) const {
    counters[0] += 1;
    return {};
  }
  template <class T>
  LEVIN_HD void update(const Factors&, T g, T& p, T* state) const {
    T &v = state[0], &b = state[1], &average = state[2];
    g = decayed_slope(weight_decay, signed_slope(maximize, g), p);
    v = average_of_squares(alpha, v, g);
    T spread = v;
    if (centered != 0) {
      average = moved_average(average, g, 1 - alpha);
      spread = fma(-average, average, v);
      spread = select(spread < T(0), T(0), spread);  // by rounding
    }
    T d = g / (sqrt(spread) + T(eps));
    if (momentum != 0) d = b = fma(T(momentum), b, d);
    p = fma(T(-lr), d, p);
  }
};

// s += g^2; p -= lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps). State: s; counter: t.
struct Adagrad {
  static constexpr Rule kRule = Rule::adagrad;
  static constexpr int kStates = 1;
  double lr, lr_decay, eps, weight_decay, initial_accumulator_value, maximize;

  struct Factors {
    double rate;
  };
  LEVIN_HD Factors advance(double* counters) const {
    const double t = counters[0] += 1;
    return {lr / (1 + (t - 1) * lr_decay)};
  }
  template <class T>
  LEVIN_HD void update(const Factors& f, T g, T& p, T* state) const {
    T& s = state[0];
    g = decayed_slope(weight_decay, signed_slope(maximize, g), p);
    s = fma(g, g, s);
    p = fma(T(-f.rate), g / (sqrt(s) + T(eps)), p);
  }
};

// v = rho v + (1 - rho) g^2; d = sqrt(u + eps) / sqrt(v + eps) g; u = rho u + (1 - rho) d^2;
// p -= lr d. States: v, u; counter: t.
struct Adadelta {
  static constexpr Rule kRule = Rule::adadelta;
  static constexpr int kStates = 2;
  double lr, rho, eps, weight_decay, maximize;

  struct Factors {};
  LEVIN_HD Factors advance(double* counters) const {
    counters[0] += 1;
    return {};
  }
  template <class T>
  LEVIN_HD void update(const Factors&, T g, T& p, T* state) const {
    T &v = state[0], &u = state[1];
    g = decayed_slope(weight_decay, signed_slope(maximize, g), p);
    v = average_of_squares(rho, v, g);
    const T d = sqrt(u + T(eps)) / sqrt(v + T(eps)) * g;
    u = average_of_squares(rho, u, d);
    p = fma(T(-lr), d, p);
  }
};

// Only g's sign counts. The element's own step grows by eta_plus while the sign stays, and shrinks by
// eta_minus where it changes; then p waits for a step. States: last g, step (lr at first);
// counter: t.
struct Rprop {
  static constexpr Rule kRule = Rule::rprop;
  static constexpr int kStates = 2;
  double lr, eta_minus, eta_plus, step_min, step_max, maximize;

  struct Factors {};
  LEVIN_HD Factors advance(double* counters) const {
    counters[0] += 1;
    return {};
  }
  template <class T>
  LEVIN_HD void update(const Factors&, T g, T& p, T* state) const {
    T &last = state[0], &step = state[1];
    g = signed_slope(maximize, g);
    const T agreement = g * last, zero(0);
    const T changed = step * T(eta_minus), kept = step * T(eta_plus);
    step = select(agreement < zero, changed, select(agreement > zero, kept, step));
    step = select(step < T(step_min), T(step_min), select(step > T(step_max), T(step_max), step));
    g = last = select(agreement < zero, zero, g);
    p = select(g > zero, p - step, select(g < zero, p + step, p));
  }
};

template <class...>
struct RuleList {};
using Rules = RuleList<Sgd, Adam, NAdam, RAdam, Adamax, RMSprop, Adagrad, Adadelta, Rprop>;

}  // namespace levin::inline v0::formula

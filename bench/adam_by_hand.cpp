#include "adam_by_hand.h"

#include <levin/kernels/pool.h>

#include <cmath>

#include "widest.h"

template <class T>
void adam_by_hand(T* p, const T* g, T* m, T* v, int64_t n, T lr, int step) {
  constexpr int64_t kGrain = 32768;
  constexpr T b1 = T(0.9), b2 = T(0.999), eps = T(1e-8);
  const T rate = lr / T(1 - std::pow(double(b1), step));
  const T rescale = T(1 / std::sqrt(1 - std::pow(double(b2), step)));
  levin::parallel_for(n, kGrain, [=](int64_t begin, int64_t end) {
    widest([=]() LEVIN_INLINED {
#pragma GCC ivdep
      for (int64_t i = begin; i < end; ++i) {
        m[i] = b1 * m[i] + (1 - b1) * g[i];
        v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
        p[i] -= rate * m[i] / (std::sqrt(v[i]) * rescale + eps);
      }
    });
  });
}

template void adam_by_hand<float>(float*, const float*, float*, float*, int64_t, float, int);
template void adam_by_hand<double>(double*, const double*, double*, double*, int64_t, double, int);

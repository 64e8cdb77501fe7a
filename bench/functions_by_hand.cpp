#include "functions_by_hand.h"

#include <levin/kernels/pool.h>

#include <cmath>

#include "widest.h"

namespace {

constexpr int64_t kGrain = 32768;

// y[i] = function(i)
template <class Function>
void fill(float* y, int64_t n, Function function) {
  levin::parallel_for(n, kGrain, [=](int64_t begin, int64_t end) {
    widest([=]() LEVIN_INLINED {
#pragma GCC ivdep
      for (int64_t i = begin; i < end; ++i) y[i] = function(i);
    });
  });
}

}  // namespace

void exp_by_hand(const float* x, float* y, int64_t n) {
  fill(y, n, [=](int64_t i) LEVIN_INLINED { return std::exp(x[i]); });
}

void tanh_by_hand(const float* x, float* y, int64_t n) {
  fill(y, n, [=](int64_t i) LEVIN_INLINED { return std::tanh(x[i]); });
}

void gelu_by_hand(const float* x, float* y, int64_t n) {
  fill(y, n,
       [=](int64_t i) LEVIN_INLINED { return 0.5f * x[i] * (1 + std::erf(x[i] * 0.70710678f)); });
}

void add_by_hand(const float* x, const float* z, float* y, int64_t n) {
  fill(y, n, [=](int64_t i) LEVIN_INLINED { return x[i] + z[i]; });
}

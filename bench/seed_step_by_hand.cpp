#include "seed_step_by_hand.h"

#include <cstdint>

#define FOR_EACH_PROCESSOR [[gnu::target_clones("arch=x86-64-v3", "default")]]

SeedByHand::SeedByHand(const float* weight, const float* bias) {
  for (int o = 0; o < kOut; ++o) {
    bias_[o / 8][o % 8] = bias[o];
    for (int i = 0; i < kIn; ++i) weight_[i][o / 8][o % 8] = weight[o * kIn + i];
  }
}

// Eight outputs at a time over all rows: what changes fits into the registers.
template <bool kWithMetrics>
[[gnu::always_inline]] inline SeedByHand::Results SeedByHand::run(const float* x,
                                                                  const float* target, float lr) {
  using Whole [[gnu::vector_size(32)]] = int32_t;
  const Vector nothing = {};
  Vector losses = {}, distances = {};
  Whole alike = {};  // minus how many lie on their target's side
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v) {
    Vector weight[kIn], weight_slope[kIn], bias_slope = {};
#pragma GCC unroll 5
    for (int i = 0; i < kIn; ++i) weight[i] = weight_[i][v], weight_slope[i] = Vector{};
    for (int row = 0; row < kRows; ++row) {
      const float *in = x + row * kIn, *out = target + row * kOut;
      const Vector wanted = v == 0 ? *reinterpret_cast<const Vector*>(out) : Vector{out[8], out[9]};
      Vector y = bias_[v];
#pragma GCC unroll 5
      for (int i = 0; i < kIn; ++i) y += in[i] * weight[i];
      const Vector distance = y - wanted;
      const Vector slope = 2.0f / (kRows * kOut) * distance;
      losses += distance * distance;
      if (kWithMetrics) {
        distances += distance < nothing ? -distance : distance;
        alike += (y > 0.5f) == (wanted > 0.5f);
      }
      bias_slope += slope;
#pragma GCC unroll 5
      for (int i = 0; i < kIn; ++i) weight_slope[i] += in[i] * slope;
    }
    bias_[v] -= lr * bias_slope;
#pragma GCC unroll 5
    for (int i = 0; i < kIn; ++i) weight_[i][v] = weight[i] - lr * weight_slope[i];
  }
  float loss = 0, l1 = 0;
  int32_t minus_alike = 0;
  for (int o = 0; o < 8; ++o) {
    loss += losses[o];
    if (kWithMetrics) l1 += distances[o], minus_alike += alike[o];
  }
  constexpr float kAll = kRows * kOut, kUnused = kRows * 6;  // unused places are 0 on both sides
  return {loss / kAll, l1 / kAll, (static_cast<float>(-minus_alike) - kUnused) / kAll};
}

FOR_EACH_PROCESSOR float SeedByHand::step(const float* x, const float* target, float lr) {
  return run<false>(x, target, lr).loss;
}

FOR_EACH_PROCESSOR SeedByHand::Results SeedByHand::step_with_metrics(const float* x,
                                                                     const float* target,
                                                                     float lr) {
  return run<true>(x, target, lr);
}

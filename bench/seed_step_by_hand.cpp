#include "seed_step_by_hand.h"

SeedByHand::SeedByHand(const float* weight, const float* bias) {
  for (int o = 0; o < kOut; ++o) {
    bias_[o / 8][o % 8] = bias[o];
    for (int i = 0; i < kIn; ++i) weight_[i][o / 8][o % 8] = weight[o * kIn + i];
  }
}

// Eight outputs at a time over all rows: what changes fits into the registers.
[[gnu::target_clones("arch=x86-64-v3", "default")]] float SeedByHand::step(const float* x,
                                                                           const float* target,
                                                                           float lr) {
  Vector losses = {};
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
      bias_slope += slope;
#pragma GCC unroll 5
      for (int i = 0; i < kIn; ++i) weight_slope[i] += in[i] * slope;
    }
    bias_[v] -= lr * bias_slope;
#pragma GCC unroll 5
    for (int i = 0; i < kIn; ++i) weight_[i][v] = weight[i] - lr * weight_slope[i];
  }
  float loss = 0;
  for (int o = 0; o < 8; ++o) loss += losses[o];
  return loss / (kRows * kOut);
}

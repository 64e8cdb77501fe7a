// The seed's training step as a person would write it for this one problem: what levin is measured
// against.
#pragma once

/// Linear(5, 10) with its SGD step on the mean squared error of 10 rows.
class SeedByHand {
 public:
  static constexpr int kRows = 10, kIn = 5, kOut = 10;

  /// weight [10, 5], bias [10]
  SeedByHand(const float* weight, const float* bias);
  /// x [10, 5], target [10, 10]; gives the loss before the step.
  float step(const float* x, const float* target, float lr);
  float weight(int out, int in) const { return weight_[in][out / 8][out % 8]; }
  float bias(int out) const { return bias_[out / 8][out % 8]; }

 private:
  // Eight outputs in one vector; six of the sixteen places are not used.
  using Vector [[gnu::vector_size(32), gnu::aligned(4)]] = float;
  static constexpr int kVectors = 2;
  Vector weight_[kIn][kVectors] = {}, bias_[kVectors] = {};
};

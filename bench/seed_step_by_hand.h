// The seed's training step as a person would write it for this one problem: what levin is measured
// against.
#pragma once

/// Linear(5, 10) with its SGD step on the mean squared error of 10 rows.
class SeedByHand {
 public:
  static constexpr int kRows = 10, kIn = 5, kOut = 10;
  /// Of the outputs before the step. accuracy_like: the part of them that lies on their target's
  /// side of 0.5.
  struct Results {
    float loss, l1, accuracy_like;
  };

  /// weight [10, 5], bias [10]
  SeedByHand(const float* weight, const float* bias);
  /// x [10, 5], target [10, 10]; gives the loss before the step.
  float step(const float* x, const float* target, float lr);
  /// The same with both metrics of the seed's program.
  Results step_with_metrics(const float* x, const float* target, float lr);

 private:
  template <bool kWithMetrics>
  Results run(const float* x, const float* target, float lr);

  // Eight outputs in one vector; six of the sixteen places are not used.
  using Vector [[gnu::vector_size(32), gnu::aligned(4)]] = float;
  static constexpr int kVectors = 2;
  Vector weight_[kIn][kVectors] = {}, bias_[kVectors] = {};
};

// The training step of a chain of linear layers with ReLU between them, as a person would write it
// for this one problem: no graph, no temporaries, one pass for the optimizer. Its matrix products are
// levin's own kernels (bench/gemm.cpp compares these with the processor's peak).
#pragma once

#include <levin/tensor/tensor.h>

#include <vector>

enum class UpdateByHand { momentum, adam };

/// T is float or double.
template <class T>
class MlpByHand {
 public:
  /// parameters: weight [out, in], bias [out], ..; their elements are copied.
  MlpByHand(const std::vector<levin::Tensor>& parameters, int64_t batch, UpdateByHand update,
            double lr);
  /// x [batch, in], target int64 [batch]; gives the cross entropy before the step.
  double step(const levin::Tensor& x, const levin::Tensor& target);

 private:
  struct Layer {
    levin::Tensor weight, weight_t, bias;  // weight_t is a view
    levin::Tensor d_weight, d_bias;        // gradients; with momentum their running sums
    levin::Tensor mean_w, mean_b, square_w, square_b;  // Adam's
    levin::Tensor y, dy, dy_t;                         // [batch, out]; dy_t is a view
    int64_t in, out;
  };
  void update(const levin::Tensor& p, const levin::Tensor& g, const levin::Tensor& mean,
              const levin::Tensor& square) const;
  T loss_and_slope(const Layer& last, const int64_t* target) const;

  std::vector<Layer> layers_;
  int64_t batch_;
  UpdateByHand rule_;
  T lr_;
  int steps_ = 0;
};

// LayerNorm: each sample's numbers with mean 0 and variance 1, then scaled.
#pragma once

#include "module.h"

namespace levin::inline v0::nn {

/// x [.., shape] -> (x - mean) / sqrt(var + eps) * weight + bias, mean and biased variance being
/// those of the last dimensions `normalized_shape`. weight (1 at first) and bias (0) have that
/// shape; without elementwise_affine neither is there.
class LayerNorm : public Module {
 public:
  explicit LayerNorm(const Shape& normalized_shape, double eps = 1e-5,
                     bool elementwise_affine = true, bool bias = true);

  Tensor forward(const Tensor& x) override { return layer_norm(x, shape_, weight, bias, eps_); }
  void members(Members& m) override { m("weight", weight)("bias", bias); }
  void reset_parameters() override;
  std::string extra_text() const override { return shape_.text(); }

  Tensor weight, bias;

 private:
  Shape shape_;
  double eps_;
};

}  // namespace levin::inline v0::nn

#include "layer_norm.h"

#include "init.h"

namespace levin::inline v0::nn {

LayerNorm::LayerNorm(const Shape& normalized_shape, double eps, bool elementwise_affine,
                     bool with_bias)
    : shape_(normalized_shape), eps_(eps) {
  check(shape_.size() > 0, {"LayerNorm: at least one dimension must be normalised"});
  if (elementwise_affine) weight = empty(shape_).requires_grad_();
  if (elementwise_affine && with_bias) bias = empty(shape_).requires_grad_();
  reset_parameters();
}

void LayerNorm::reset_parameters() {
  if (weight.defined()) init::ones_(weight);
  if (bias.defined()) init::zeros_(bias);
}

}  // namespace levin::inline v0::nn

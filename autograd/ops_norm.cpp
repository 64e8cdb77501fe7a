// Normalisation by mean and variance.
#include "launch.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

Tensor reciprocal_deviation(const Tensor& x, const Shape& dims, double eps) {
  return (x.var(dims, 0, true) + eps).rsqrt();
}

// y = (x - mean) r with r = 1 / sqrt(var + eps) over `dims`;
// dx = r (g - mean(g) - y mean(g y)), see Ba et al., "Layer normalization", 2016.
Tensor normalised(const char* name, const Tensor& x, const Shape& dims, double eps) {
  Tensor y, r;
  {
    const NoGrad no_grad;
    r = reciprocal_deviation(x, dims, eps);
    y = (x - x.mean(dims, true)) * r;
  }
  if (!recording(x)) return y;
  return record(
      name, y, {&x},
      [dims, eps, x = Saved(x), y = SavedOutput(y), r = Saved(r)](const Tensor& g, Grads& grads) {
        const Tensor out = y.tensor(grads);
        const Tensor scale =
            is_grad_enabled() ? reciprocal_deviation(x.tensor(grads), dims, eps) : r.tensor(grads);
        const Tensor slope = g - g.mean(dims, true) - out * (g * out).mean(dims, true);
        grads.set(0, scale * slope);
      });
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Shape& shape, const Tensor& weight, const Tensor& bias,
                  double eps) {
  check(is_floating(x.dtype()),
        {"layer_norm: a ", x.dtype(), " tensor: a floating type is needed"});
  check(shape.size() > 0, {"layer_norm: at least one dimension must be normalised"});
  Shape dims;
  bool fits = x.dim() >= shape.size();
  for (int d = 0; fits && d < shape.size(); ++d) {
    dims.push_back(x.dim() - shape.size() + d);
    fits = x.shape()[dims[d]] == shape[d];
  }
  check(fits, {"layer_norm: input ", x.shape(), " does not end in the normalised shape ", shape});
  for (const Tensor* factor : {&weight, &bias})
    check(!factor->defined() || (factor->shape() == shape && factor->dtype() == x.dtype()),
          {"layer_norm: weight and bias must have the normalised shape ", shape,
           " and the input's type ", x.dtype()});
  Tensor y = normalised("layer_norm", widened(x), dims, eps);
  if (weight.defined()) y = y * widened(weight);
  if (bias.defined()) y = y + widened(bias);
  return y.to(x.dtype());
}

}  // namespace levin::inline v0

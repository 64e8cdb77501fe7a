// Normalisation by mean and variance.
#include "launch.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

// The numbers of a layer_norm, and which of its inputs weight and bias are: 0 where they are not
// there.
struct Norm {
  Shape shape;
  double eps;
  int weight, bias;
};

Arg optional(const Tensor& t) { return t.defined() ? arg(t) : Arg{}; }

// y = h weight + bias with h = (x - mean) r and r = 1 / sqrt(var + eps) over the last dimensions;
// with d = g weight: dx = r (d - mean(d) - h mean(d h)), see Ba et al., "Layer normalization", 2016.
// From simple operations:
void composed_slopes(const Norm& norm, const Tensor& g, const Tensor& x, const Tensor& weight,
                     Grads& grads) {
  Shape dims;
  for (int d = x.dim() - norm.shape.size(); d < x.dim(); ++d) dims.push_back(d);
  const Tensor r = (x.var(dims, 0, true) + norm.eps).rsqrt();
  const Tensor h = (x - x.mean(dims, true)) * r;
  const Tensor d = weight.defined() ? g * weight : g;
  if (grads.wants(0)) grads.set(0, r * (d - d.mean(dims, true) - h * (d * h).mean(dims, true)));
  if (norm.weight && grads.wants(norm.weight)) grads.set(norm.weight, sum_to(g * h, norm.shape));
  if (norm.bias && grads.wants(norm.bias)) grads.set(norm.bias, sum_to(g, norm.shape));
}

// The same in one pass, from mean and r of each row.
void fused_slopes(const Norm& norm, const Tensor& g, Arg x, Arg weight, Arg kept, Grads& grads) {
  const Tensor slope = g.contiguous();
  const int64_t size = norm.shape.numel();
  const auto result = [&](int i) { return grads.wants(i) ? grads.out(i) : Tensor(); };
  const Tensor dx = result(0), dweight = norm.weight ? result(norm.weight) : Tensor(),
               dbias = norm.bias ? result(norm.bias) : Tensor();
  Tensor sums;
  if (dweight.defined() || dbias.defined()) {
    const LayerNormPieces pieces = layer_norm_pieces(kept.layout->shape[1]);
    sums = empty({pieces.count, 2, size}, g.dtype(), g.device());
  }
  const LayerNormBackwardCall call{
      size,          x, weight, kept, arg(slope), optional(dx), optional(dweight), optional(dbias),
      optional(sums)};
  launched(backend(g.device()).layer_norm_backward(call), "backward of layer_norm", g);
  if (dx.defined()) grads.set(0, dx);
  if (dweight.defined()) grads.set(norm.weight, dweight);
  if (dbias.defined()) grads.set(norm.bias, dbias);
}

// All contiguous and of one type; weight and bias may be undefined.
Tensor fused_layer_norm(const Tensor& x, const Shape& shape, const Tensor& weight,
                        const Tensor& bias, double eps) {
  const int64_t size = shape.numel(), rows = size ? x.numel() / size : 0;
  const Tensor kept = empty({2, rows}, x.dtype(), x.device()), y = empty_like(x);
  const LayerNormCall call{size, eps, arg(x), optional(weight), optional(bias), arg(kept), arg(y)};
  launched(backend(x.device()).layer_norm(call), "layer_norm", x);
  const Tensor* inputs[3] = {&x};
  int count = 1;
  const auto number_of = [&](const Tensor& input) {
    if (!input.defined()) return 0;
    inputs[count] = &input;
    return count++;
  };
  const Norm norm{shape, eps, number_of(weight), number_of(bias)};
  bool wanted = false;
  for (int i = 0; i < count; ++i) wanted |= recording(*inputs[i]);
  if (!wanted) return y;
  return record("layer_norm", y, inputs, count,
                [norm, x = Saved(x), weight = norm.weight ? Saved(weight) : Saved(),
                 kept = Saved(kept)](const Tensor& g, Grads& grads) {
                  const bool weighted = norm.weight != 0;
                  if (is_grad_enabled())
                    return composed_slopes(norm, g, x.tensor(grads),
                                           weighted ? weight.tensor(grads) : Tensor(), grads);
                  fused_slopes(norm, g, x.arg(grads), weighted ? weight.arg(grads) : Arg{},
                               kept.arg(grads), grads);
                });
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Shape& shape, const Tensor& weight, const Tensor& bias,
                  double eps) {
  if (autocast_widens(x) || autocast_widens(weight) || autocast_widens(bias))
    return layer_norm(widened(x), shape, widened(weight), widened(bias), eps);
  check(is_floating(x.dtype()),
        {"layer_norm: a ", x.dtype(), " tensor: a floating type is needed"});
  check(shape.size() > 0, {"layer_norm: at least one dimension must be normalised"});
  bool fits = x.dim() >= shape.size();
  for (int d = 0; fits && d < shape.size(); ++d)
    fits = x.shape()[x.dim() - shape.size() + d] == shape[d];
  check(fits, {"layer_norm: input ", x.shape(), " does not end in the normalised shape ", shape});
  for (const Tensor* factor : {&weight, &bias}) {
    if (!factor->defined()) continue;
    check(factor->shape() == shape && factor->dtype() == x.dtype(),
          {"layer_norm: weight and bias must have the normalised shape ", shape,
           " and the input's type ", x.dtype()});
    check_same_device("layer_norm", x, *factor);
  }
  const auto prepared = [](const Tensor& t) {
    return t.defined() ? widened(t).contiguous() : Tensor();
  };
  return fused_layer_norm(prepared(x), shape, prepared(weight), prepared(bias), eps).to(x.dtype());
}

}  // namespace levin::inline v0

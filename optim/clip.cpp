#include "clip.h"

#include <cmath>

#include "../autograd/node.h"
#include "../autograd/ops.h"
#include "../kernels/check.h"

namespace levin::inline v0::optim {
namespace {

template <class F>
void for_each_gradient(const std::vector<Tensor>& parameters, F f) {
  for (const Tensor& parameter : parameters)
    if (const Tensor gradient = parameter.grad(); gradient.defined()) f(gradient);
}

// sum |g|^p of all gradients, or the largest |g|; not defined without gradients.
Tensor total_power(const std::vector<Tensor>& parameters, double p) {
  Tensor total;
  for_each_gradient(parameters, [&](const Tensor& g) {
    const Tensor norm = g.norm(p), term = std::isinf(p) ? norm : norm.pow(p);
    if (!total.defined())
      total = term;
    else
      total = std::isinf(p) ? total.maximum(term) : total + term;
  });
  return total;
}

}  // namespace

Tensor clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, double norm_type,
                       bool error_if_nonfinite) {
  check(norm_type > 0, {"clip_grad_norm_: norm_type must be above 0, got ", norm_type});
  const NoGrad no_grad;
  Tensor total = total_power(parameters, norm_type);
  if (!total.defined()) return zeros({});
  if (!std::isinf(norm_type)) total = total.pow(1 / norm_type);
  if (error_if_nonfinite && !std::isfinite(total.item<double>()))
    fail(
        Fault::order,
        {"The total norm of order ", norm_type,
         " for gradients from `parameters` is non-finite, so it cannot be clipped. To disable this "
         "error and scale the gradients by the non-finite norm anyway, set "
         "`error_if_nonfinite=False`"});
  const Tensor factor = (max_norm / (total + 1e-6)).clamp(-INFINITY, 1);
  for_each_gradient(parameters, [&](const Tensor& g) { g.mul_(factor.to(g.dtype())); });
  return total;
}

void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value) {
  const NoGrad no_grad;
  for_each_gradient(parameters, [&](const Tensor& g) { g.clamp_(-clip_value, clip_value); });
}

}  // namespace levin::inline v0::optim

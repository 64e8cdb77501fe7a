// softmax and log_softmax: fused over the last dimension, the derivative too.
#include "launch.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

// softmax: y (g - sum(g y)); log_softmax: g - e^y sum(g).
Tensor softmax_gradient(const Tensor& g, const Tensor& y, bool log) {
  if (is_grad_enabled())
    return log ? g - y.exp() * g.sum({-1}, true) : y * (g - (g * y).sum({-1}, true));
  const Tensor upstream = g.contiguous();
  const Tensor dx = empty_like(y);
  launched(backend(y.device()).softmax({log, true, arg(y), arg(upstream), arg(dx)}),
           "backward of softmax", y);
  return dx;
}

Tensor softmax_along(const char* name, const Tensor& x, int64_t dim, bool log) {
  check(is_floating(x.dtype()), {name, ": a ", x.dtype(), " tensor: a floating type is needed"});
  const int along = normal_dim(name, dim, x.dim());
  if (x.dim() > 0 && along != x.dim() - 1)
    return softmax_along(name, x.transpose(along, -1), -1, log).transpose(along, -1);
  const Tensor input = x.contiguous();
  Tensor y = empty_like(input);
  launched(backend(x.device()).softmax({log, false, arg(input), {}, arg(y)}), name, x);
  if (!recording(x)) return y;
  return record(name, y, {&x}, [log, y = SavedOutput(y)](const Tensor& g, Grads& grads) {
    grads.set(0, softmax_gradient(g, y.tensor(grads), log));
  });
}

}  // namespace

Tensor Tensor::softmax(int64_t dim) const {
  return softmax_along("softmax", widened(*this), dim, false).to(autocast_result(dtype()));
}
Tensor Tensor::log_softmax(int64_t dim) const {
  return softmax_along("log_softmax", widened(*this), dim, true).to(autocast_result(dtype()));
}

}  // namespace levin::inline v0

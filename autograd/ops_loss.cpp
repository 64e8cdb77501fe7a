// Losses of values: how far x is from the target.
#include "loss_parts.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

struct MseBackward {
  bool mean;
  Saved x, target;

  MseBackward(bool is_mean, const Tensor& its_x, const Tensor& its_target)
      : mean(is_mean), x(its_x), target(its_target) {}
  void operator()(const Tensor& g, Grads& grads) const {
    Tensor slope;
    if (is_grad_enabled()) {
      const Tensor distance = x.tensor(grads) - target.tensor(grads);
      slope = distance * (mean ? 2 / static_cast<double>(distance.numel()) : 2) * g;
    } else {
      slope = grads.out(grads.wants(0) ? 0 : 1);
      const MseBackwardCall call{mean, x.arg(grads), target.arg(grads), arg(g), arg(slope)};
      launched(backend(g.device()).mse_backward(call), "backward of mse_loss", g);
    }
    if (grads.wants(1)) grads.set(1, -slope);
    if (grads.wants(0)) grads.set(0, std::move(slope));
  }
};

// The mean or sum of squares in one pass, and its derivative in one.
Tensor fused_mse(const Tensor& x, const Tensor& target, bool mean) {
  Tensor y = empty({}, x.dtype(), x.device());
  launched(backend(x.device()).mse({mean, arg(x), arg(target), arg(y)}), "mse_loss", x);
  const Tensor* inputs[] = {&x, &target};
  if (recording(x, target)) record_as<MseBackward>("mse_loss", y, inputs, 2, mean, x, target);
  return y;
}

}  // namespace

Tensor mse_loss(const Tensor& x, const Tensor& target, LossReduction reduction) {
  if (autocast_widens(x) || autocast_widens(target))
    return mse_loss(widened(x), widened(target), reduction);
  const bool mean = reduction == LossReduction::mean;
  const bool fused = (mean || reduction == LossReduction::sum) && x.dtype() == target.dtype() &&
                     (x.dtype() == kFloat32 || x.dtype() == kFloat64) &&
                     x.shape() == target.shape() && x.device() == target.device();
  if (fused && x.is_contiguous() && target.is_contiguous()) return fused_mse(x, target, mean);
  if (fused) return fused_mse(x.contiguous(), target.contiguous(), mean);
  const LossArguments in("mse_loss", x, target);
  return reduced("mse_loss", (in.x - in.target).square(), reduction).to(in.type);
}

Tensor l1_loss(const Tensor& x, const Tensor& target, LossReduction reduction) {
  const LossArguments in("l1_loss", x, target);
  return reduced("l1_loss", (in.x - in.target).abs(), reduction).to(in.type);
}

Tensor smooth_l1_loss(const Tensor& x, const Tensor& target, LossReduction reduction, double beta) {
  check(beta >= 0, {"smooth_l1_loss: beta ", beta, ": must not be negative"});
  if (beta == 0) return l1_loss(x, target, reduction);
  const LossArguments in("smooth_l1_loss", x, target);
  const Tensor difference = in.x - in.target, distance = difference.abs();
  const Tensor losses =
      where(distance.lt(beta), difference.square() * (0.5 / beta), distance - 0.5 * beta);
  return reduced("smooth_l1_loss", losses, reduction).to(in.type);
}

Tensor huber_loss(const Tensor& x, const Tensor& target, LossReduction reduction, double delta) {
  check(delta > 0, {"huber_loss: delta ", delta, ": must be positive"});
  const LossArguments in("huber_loss", x, target);
  const Tensor difference = in.x - in.target, distance = difference.abs();
  const Tensor losses =
      where(distance.lt(delta), difference.square() * 0.5, (distance - 0.5 * delta) * delta);
  return reduced("huber_loss", losses, reduction).to(in.type);
}

// As PyTorch has it: a target that is neither 1 nor -1 counts as both.
Tensor hinge_embedding_loss(const Tensor& x, const Tensor& target, double margin,
                            LossReduction reduction) {
  check(is_floating(x.dtype()),
        {"hinge_embedding_loss: a ", x.dtype(), " input: a floating type is needed"});
  const LossArguments in("hinge_embedding_loss", x, target);
  const Tensor near = where(in.target.ne(-1), in.x, 0);
  const Tensor far = where(in.target.ne(1), (margin - in.x).clamp_min(0), 0);
  return reduced("hinge_embedding_loss", near + far, reduction).to(autocast_result(x.dtype()));
}

Tensor cosine_similarity(const Tensor& x1, const Tensor& x2, int64_t dim, double eps) {
  const LossArguments in("cosine_similarity", x1, x2);
  const int along = normal_dim("cosine_similarity", dim, in.x.dim());
  // Each is divided by its length first, so that the product cannot overflow.
  const auto direction = [&](const Tensor& x) {
    return x / x.square().sum({along}, true).clamp_min(eps * eps).sqrt();
  };
  const Tensor cosines = direction(in.x) * direction(in.target);
  return cosines.sum({along}).to(in.type);
}

}  // namespace levin::inline v0

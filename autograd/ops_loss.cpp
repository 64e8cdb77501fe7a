// Losses.
#include <stdexcept>

#include "elementwise.h"
#include "launch.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

Tensor reduced(const Tensor& losses, LossReduction reduction) {
  if (reduction == LossReduction::none) return losses;
  return reduction == LossReduction::mean ? losses.mean() : losses.sum();
}

// weight [C] so that it broadcasts against x with its classes in dimension `dim`.
Tensor along(const Tensor& weight, const Tensor& x, int dim) {
  Shape shape;
  for (int d = 0; d < x.dim(); ++d) shape.push_back(d == dim ? weight.numel() : 1);
  return weight.reshape(shape);
}

Tensor cross_entropy_of_probabilities(const Tensor& x, const Tensor& target,
                                      const CrossEntropyOptions& options, int dim) {
  check(target.shape() == x.shape(), {"cross_entropy: input ", x.shape(), " and probabilities ",
                                      target.shape(), ": shapes must be equal"});
  const double classes = static_cast<double>(x.size(dim)), smoothing = options.label_smoothing;
  const Tensor wanted = smoothing == 0 ? target : target * (1 - smoothing) + smoothing / classes;
  Tensor terms = x.log_softmax(dim) * wanted;
  if (options.weight.defined()) terms = terms * along(options.weight, x, dim);
  const Tensor losses = -terms.sum({dim});
  if (options.reduction != LossReduction::mean) return reduced(losses, options.reduction);
  return losses.sum() / static_cast<double>(losses.numel());
}

// log_p at the target's classes.
Tensor at_target(const Tensor& log_p, const Tensor& target, int dim) {
  try {
    return log_p.gather(dim, target.unsqueeze(dim)).squeeze(dim);
  } catch (const std::out_of_range&) {
    fail(Fault::index, {"cross_entropy: class indices of shape ", target.shape(),
                        " must lie in [0, ", log_p.size(dim), ")"});
  }
}

Tensor cross_entropy_of_indices(const Tensor& x, const Tensor& target,
                                const CrossEntropyOptions& options, int dim) {
  Shape expected = reduced_shape(x.shape(), 1u << dim, false);
  check(target.shape() == expected,
        {"cross_entropy: input ", x.shape(), " needs class indices of shape ", expected, ", not ",
         target.shape()});
  const Tensor counts = target.ne(options.ignore_index);
  const Tensor safe = where(counts, target, 0);
  const Tensor log_p = x.log_softmax(dim);
  const Tensor log_target = at_target(log_p, safe, dim);
  Tensor factor = counts.to(x.dtype());
  if (options.weight.defined())
    factor = factor * options.weight.index_select(0, safe.flatten()).reshape(expected);
  Tensor losses = -(log_target * factor);
  if (options.label_smoothing != 0) {
    const Tensor weighted =
        options.weight.defined() ? log_p * along(options.weight, x, dim) : log_p;
    losses = losses * (1 - options.label_smoothing) -
             weighted.sum({dim}) * (options.label_smoothing / static_cast<double>(x.size(dim)));
  }
  losses = where(counts, losses, 0);
  if (options.reduction != LossReduction::mean) return reduced(losses, options.reduction);
  return losses.sum() / factor.sum();
}

}  // namespace

Tensor mse_loss(const Tensor& x, const Tensor& target, LossReduction reduction) {
  if (!(x.shape() == target.shape())) [[unlikely]]
    fail({"mse_loss: ", x.shape(), " and ", target.shape(), ": shapes must be equal"});
  if (!is_floating(x.dtype()) && !is_floating(target.dtype())) [[unlikely]]
    fail({"mse_loss: ", x.dtype(), " and ", target.dtype(), ": a floating type is needed"});
  const bool fused = reduction != LossReduction::none && x.dtype() == target.dtype() &&
                     (x.dtype() == kFloat32 || x.dtype() == kFloat64) &&
                     x.device() == target.device();
  if (!fused) return reduced((x - target).square(), reduction);
  if (!x.is_contiguous() || !target.is_contiguous())
    return mse_loss(x.contiguous(), target.contiguous(), reduction);
  const bool mean = reduction == LossReduction::mean;
  Tensor y = empty({}, x.dtype(), x.device());
  launched(backend(x.device()).mse({mean, arg(x), arg(target), arg(y)}), "mse_loss", x);
  if (!recording(x, target)) return y;
  const double scale = mean ? 2 / static_cast<double>(x.numel()) : 2;
  return record(
      "mse_loss", std::move(y), {&x, &target},
      [scale, a = Saved(x), b = Saved(target)](const Tensor& g, Grads& grads) {
        Tensor slope;
        if (is_grad_enabled()) {
          slope = (a.tensor(grads) - b.tensor(grads)) * scale * g;
        } else {
          const int to = grads.wants(0) ? 0 : 1;
          slope = grads.out(to);
          const Layout g_layout = broadcast_to(g.layout(), slope.shape());
          const ElementwiseCall call{
              Op::mse_slope, OpPart::f,
              g.dtype(),     0,
              {scale},       {a.arg(grads), b.arg(grads), {g.impl().block.get(), &g_layout}},
              arg(slope)};
          launched(backend(g.device()).elementwise(call), "backward of mse_loss", g);
        }
        if (grads.wants(1)) grads.set(1, -slope);
        if (grads.wants(0)) grads.set(0, std::move(slope));
      });
}

Tensor cross_entropy(const Tensor& x, const Tensor& target, const CrossEntropyOptions& options) {
  check(is_floating(x.dtype()),
        {"cross_entropy: a ", x.dtype(), " input: a floating type is needed"});
  check(x.dim() > 0, {"cross_entropy: a 0-d input has no classes"});
  const int dim = x.dim() == 1 ? 0 : 1;
  check(!options.weight.defined() ||
            (options.weight.dim() == 1 && options.weight.numel() == x.size(dim)),
        {"cross_entropy: one weight for each of the ", x.size(dim), " classes is needed"});
  check(options.label_smoothing >= 0 && options.label_smoothing <= 1,
        {"cross_entropy: label_smoothing ", options.label_smoothing, ": must lie in [0, 1]"});
  if (is_floating(target.dtype())) return cross_entropy_of_probabilities(x, target, options, dim);
  check(target.dtype() == kInt64,
        {"cross_entropy: a ", target.dtype(),
         " target: int64 class indices or floating probabilities are needed"});
  return cross_entropy_of_indices(x, target, options, dim);
}

}  // namespace levin::inline v0

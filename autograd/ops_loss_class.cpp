// Losses of classes and probabilities: how likely the target is by x.
#include <stdexcept>

#include "loss_parts.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

// Where the classes are. Checks what losses over classes have in common.
int class_dim(const char* loss, const Tensor& x, const Tensor& weight) {
  check(is_floating(x.dtype()), {loss, ": a ", x.dtype(), " input: a floating type is needed"});
  check(x.dim() > 0, {loss, ": a 0-d input has no classes"});
  const int dim = x.dim() == 1 ? 0 : 1;
  check(!weight.defined() || (weight.dim() == 1 && weight.numel() == x.size(dim)),
        {loss, ": one weight for each of the ", x.size(dim), " classes is needed"});
  return dim;
}

// weight [C] so that it broadcasts against x with its classes in dimension `dim`.
Tensor along(const Tensor& weight, const Tensor& x, int dim) {
  Shape shape;
  for (int d = 0; d < x.dim(); ++d) shape.push_back(d == dim ? weight.numel() : 1);
  return weight.reshape(shape);
}

[[noreturn]] void fail_class(const char* loss, const Tensor& target, int64_t classes) {
  fail(Fault::index,
       {loss, ": class indices of shape ", target.shape(), " must lie in [0, ", classes, ")"});
}

// log_p at the target's classes.
Tensor at_target(const char* loss, const Tensor& log_p, const Tensor& target, int dim) {
  try {
    return log_p.gather(dim, target.unsqueeze(dim)).squeeze(dim);
  } catch (const std::out_of_range&) {
    fail_class(loss, target, log_p.size(dim));
  }
}

// For each target its negative log probability, weighted, and its weight: 0 where it is ignored.
struct Labelled {
  Tensor losses, counts, weights;

  Labelled(const char* loss, const Tensor& log_p, const Tensor& target, const Tensor& weight,
           int64_t ignored, int dim) {
    check(target.dtype() == kInt64,
          {loss, ": a ", target.dtype(), " target: int64 class indices are needed"});
    const Shape expected = reduced_shape(log_p.shape(), 1u << dim, false);
    check(target.shape() == expected,
          {loss, ": input ", log_p.shape(), " needs class indices of shape ", expected, ", not ",
           target.shape()});
    counts = target.ne(ignored);
    const Tensor safe = where(counts, target, 0);
    weights = counts.to(log_p.dtype());
    if (weight.defined())
      weights = weights * weight.index_select(0, safe.flatten()).reshape(expected);
    losses = -(at_target(loss, log_p, safe, dim) * weights);
  }

  // mean: divided by the weights, so NaN where all are ignored.
  Tensor reduced_by(const char* loss, LossReduction reduction) const {
    const Tensor counted = where(counts, losses, 0);
    if (reduction == LossReduction::mean) return counted.sum() / weights.sum();
    return reduced(loss, counted, reduction);
  }
};

Tensor cross_entropy_of_probabilities(const Tensor& x, const Tensor& target,
                                      const CrossEntropyOptions& options, int dim) {
  check(target.shape() == x.shape(), {"cross_entropy: input ", x.shape(), " and probabilities ",
                                      target.shape(), ": shapes must be equal"});
  const double classes = static_cast<double>(x.size(dim)), smoothing = options.label_smoothing;
  const Tensor wanted = smoothing == 0 ? target : target * (1 - smoothing) + smoothing / classes;
  Tensor terms = x.log_softmax(dim) * wanted;
  if (options.weight.defined()) terms = terms * along(options.weight, x, dim);
  const Tensor losses = -terms.sum({dim});
  if (options.reduction != LossReduction::mean)
    return reduced("cross_entropy", losses, options.reduction);
  return losses.sum() / static_cast<double>(losses.numel());
}

// The derivative of the fused loss from simple operations: onehot s - softmax(x) s with s = -g, for
// the mean divided by the number of targets that count.
Tensor entropy_slope(const Tensor& g, const Tensor& x, const Tensor& target, int64_t ignored,
                     bool mean) {
  const Tensor counts = target.ne(ignored);
  const Tensor each = mean ? g / counts.to(g.dtype()).sum() : g;
  const Tensor s = where(counts, -each, 0).unsqueeze(1);
  const Tensor at = where(counts, target, 0).unsqueeze(1);
  return zeros_like(x).scatter(1, at, s) - x.log_softmax(1).exp() * s;
}

// In one pass over x [N, C], which also gives the gradient by x where that may be wanted: backward
// then has only to multiply it.
Tensor fused_cross_entropy(const Tensor& x, const Tensor& target, int64_t ignored,
                           LossReduction reduction) {
  const bool each = reduction == LossReduction::none, mean = reduction == LossReduction::mean;
  const Tensor losses = empty(target.shape(), x.dtype(), x.device());
  const Tensor y = each ? losses : empty({}, x.dtype(), x.device());
  const bool recorded = recording(x);
  const Tensor slopes = recorded ? empty_like(x) : Tensor();
  if (backend(x.device())
          .cross_entropy({mean, ignored, arg(x), arg(target), arg(losses), each ? Arg{} : arg(y),
                          recorded ? arg(slopes) : Arg{}}))
    fail_class("cross_entropy", target, x.size(1));
  if (!recorded) return y;
  return record(
      "cross_entropy", y, {&x},
      [=, x = Saved(x), target = Saved(target), slopes = Saved(slopes)](const Tensor& g,
                                                                        Grads& grads) {
        if (is_grad_enabled())
          return grads.set(0,
                           entropy_slope(g, x.tensor(grads), target.tensor(grads), ignored, mean));
        const Tensor kept = slopes.tensor(grads), upstream = g.contiguous();
        const Tensor dx = grads.is_last() ? kept : grads.out(0);
        launched(backend(g.device()).cross_entropy_backward({arg(kept), arg(upstream), arg(dx)}),
                 "backward of cross_entropy", g);
        grads.set(0, dx);
      });
}

// Rows of classes with an index for each and no further options: what one kernel does.
bool is_fused(const Tensor& x, const Tensor& target, const CrossEntropyOptions& options) {
  return x.dim() == 2 && target.dim() == 1 && target.numel() == x.size(0) &&
         target.dtype() == kInt64 && target.device() == x.device() && !options.weight.defined() &&
         options.label_smoothing == 0 && options.reduction != LossReduction::batchmean;
}

Tensor cross_entropy_of_indices(const Tensor& x, const Tensor& target,
                                const CrossEntropyOptions& options, int dim) {
  if (is_fused(x, target, options))
    return fused_cross_entropy(x.contiguous(), target.contiguous(), options.ignore_index,
                               options.reduction);
  const Tensor log_p = x.log_softmax(dim);
  Labelled at("cross_entropy", log_p, target, options.weight, options.ignore_index, dim);
  if (options.label_smoothing != 0) {
    const Tensor weighted =
        options.weight.defined() ? log_p * along(options.weight, x, dim) : log_p;
    at.losses = at.losses * (1 - options.label_smoothing) -
                weighted.sum({dim}) * (options.label_smoothing / static_cast<double>(x.size(dim)));
  }
  return at.reduced_by("cross_entropy", options.reduction);
}

// log(x) and log(1 - x), which are cut at -100: x may be 0 or 1.
Tensor cut_log(const Tensor& x) { return x.log().clamp_min(-100); }
Tensor cut_log_of_rest(const Tensor& x) { return (-x).log1p().clamp_min(-100); }

// The derivative is PyTorch's: its denominator, not the cut logarithm, keeps it finite.
Tensor binary_entropy(const Tensor& x, const Tensor& target) {
  Tensor losses;
  {
    const NoGrad no_grad;
    losses = (target - 1) * cut_log_of_rest(x) - target * cut_log(x);
  }
  if (!recording(x, target)) return losses;
  return record("binary_cross_entropy", losses, {&x, &target},
                [a = Saved(x), b = Saved(target)](const Tensor& g, Grads& grads) {
                  const Tensor x = a.tensor(grads), target = b.tensor(grads);
                  if (grads.wants(0))
                    grads.set(0, g * (x - target) / ((1 - x) * x).clamp_min(1e-12));
                  if (grads.wants(1)) grads.set(1, g * (cut_log_of_rest(x) - cut_log(x)));
                });
}

// What both binary losses ask of their arguments.
LossArguments binary_arguments(const char* loss, const Tensor& x, const Tensor& target) {
  check(x.shape() == target.shape(),
        {loss, ": ", x.shape(), " and ", target.shape(), ": shapes must be equal"});
  check(is_floating(x.dtype()) && is_floating(target.dtype()),
        {loss, ": ", x.dtype(), " and ", target.dtype(), ": floating types are needed"});
  return {loss, x, target};
}

// losses * factor, where the factor must not make them larger.
Tensor weighted(const char* loss, const Tensor& losses, const Tensor& factor) {
  if (!factor.defined()) return losses;
  Shape shape;
  check(broadcast_shapes(losses.shape(), factor.shape(), &shape) && shape == losses.shape(),
        {loss, ": a weight of shape ", factor.shape(), " does not broadcast to ", losses.shape()});
  return losses * widened(factor);
}

}  // namespace

Tensor cross_entropy(const Tensor& x, const Tensor& target, const CrossEntropyOptions& options) {
  const int dim = class_dim("cross_entropy", x, options.weight);
  check(options.label_smoothing >= 0 && options.label_smoothing <= 1,
        {"cross_entropy: label_smoothing ", options.label_smoothing, ": must lie in [0, 1]"});
  const auto loss =
      is_floating(target.dtype()) ? cross_entropy_of_probabilities : cross_entropy_of_indices;
  return loss(widened(x), target, options, dim).to(autocast_result(x.dtype()));
}

Tensor nll_loss(const Tensor& x, const Tensor& target, const NllLossOptions& options) {
  const int dim = class_dim("nll_loss", x, options.weight);
  return Labelled("nll_loss", widened(x), target, options.weight, options.ignore_index, dim)
      .reduced_by("nll_loss", options.reduction)
      .to(autocast_result(x.dtype()));
}

Tensor binary_cross_entropy(const Tensor& x, const Tensor& target, const Tensor& weight,
                            LossReduction reduction) {
  const char* name = "binary_cross_entropy";
  const LossArguments in = binary_arguments(name, x, target);
  const Tensor losses = weighted(name, binary_entropy(in.x, in.target), weight);
  return reduced(name, losses, reduction).to(in.type);
}

// (1 - t) x - (1 + (pos_weight - 1) t) log sigmoid(x)
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target, const Tensor& weight,
                                        LossReduction reduction, const Tensor& pos_weight) {
  const char* name = "binary_cross_entropy_with_logits";
  const LossArguments in = binary_arguments(name, x, target);
  Tensor log_p = in.x.logsigmoid();
  if (pos_weight.defined())
    log_p = log_p * (1 + weighted(name, in.target, widened(pos_weight) - 1));
  const Tensor losses = weighted(name, (1 - in.target) * in.x - log_p, weight);
  return reduced(name, losses, reduction).to(in.type);
}

Tensor kl_div(const Tensor& x, const Tensor& target, LossReduction reduction, bool log_target) {
  const LossArguments in("kl_div", x, target);
  const Tensor& t = in.target;
  // t log t is 0 at 0, and has a derivative there.
  const Tensor losses = log_target ? t.exp() * (t - in.x) : t * (where(t.eq(0), 1, t).log() - in.x);
  if (reduction != LossReduction::batchmean)
    return reduced("kl_div", losses, reduction).to(in.type);
  check(losses.dim() > 0, {"kl_div: reduction batchmean of 0-d tensors: there is no batch"});
  return (losses.sum() / static_cast<double>(losses.size(0))).to(in.type);
}

}  // namespace levin::inline v0

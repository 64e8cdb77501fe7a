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

// log_p at the target's classes.
Tensor at_target(const char* loss, const Tensor& log_p, const Tensor& target, int dim) {
  try {
    return log_p.gather(dim, target.unsqueeze(dim)).squeeze(dim);
  } catch (const std::out_of_range&) {
    fail(Fault::index, {loss, ": class indices of shape ", target.shape(), " must lie in [0, ",
                        log_p.size(dim), ")"});
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

Tensor cross_entropy_of_indices(const Tensor& x, const Tensor& target,
                                const CrossEntropyOptions& options, int dim) {
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
  return loss(widened(x), target, options, dim).to(x.dtype());
}

Tensor nll_loss(const Tensor& x, const Tensor& target, const NllLossOptions& options) {
  const int dim = class_dim("nll_loss", x, options.weight);
  return Labelled("nll_loss", widened(x), target, options.weight, options.ignore_index, dim)
      .reduced_by("nll_loss", options.reduction)
      .to(x.dtype());
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

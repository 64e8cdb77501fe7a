#include "losses.h"

#include <stdexcept>

#include "../../autograd/autocast.h"
#include "../../autograd/ops.h"
#include "../../kernels/check.h"
#include "../../kernels/thread_state.h"

namespace levin::inline v0 {
namespace {

// How often each class comes: float64 [C], which counts exactly.
Tensor class_counts(const Tensor& targets, int64_t classes, int64_t ignored) {
  if (is_floating(targets.dtype())) return targets.to(kFloat64).sum({0});
  const Tensor counted = targets.ne(ignored);
  try {
    return zeros({classes}, kFloat64, targets.device())
        .scatter_add(0, where(counted, targets, 0), counted.to(kFloat64));
  } catch (const std::out_of_range&) {
    fail(Fault::index, {"batch_weighted_ce: class indices of shape ", targets.shape(),
                        " must lie in [0, ", classes, ")"});
  }
}

Tensor class_weights(const Tensor& counts) {
  const Tensor came = counts.ne(0);
  const Tensor inverse = where(came, counts.reciprocal(), 0);
  return inverse / inverse.sum() * came.sum();
}

Shape without_last(const Shape& shape) {
  return {shape.begin(), static_cast<std::size_t>(shape.size() - 1)};
}

void check_ce(const Tensor& y, const Tensor& gt) {
  check(is_floating(gt.dtype()) || gt.dtype() == kInt64,
        {"batch_weighted_ce: GT must be float or index tesor (long). Got: ", gt.dtype()});
  check(is_floating(y.dtype()),
        {"batch_weighted_ce: Predictions must only be float. Got: ", y.dtype()});
  check(y.dim() > 0 && y.size(-1) >= 2,
        {"batch_weighted_ce: At least two classes required for cross entropy. Got: ", y.shape()});
  const Shape expected = is_floating(gt.dtype()) ? y.shape() : without_last(y.shape());
  check(gt.shape() == expected, {"batch_weighted_ce: y ", y.shape(), " needs a ", gt.dtype(),
                                 " gt of shape ", expected, ", not ", gt.shape()});
}

}  // namespace

Tensor batch_weighted_ce(const Tensor& y, const Tensor& gt, const BatchWeightedCeOptions& options) {
  check_ce(y, gt);
  const int64_t classes = y.size(-1), places = y.numel() / classes;
  const bool by_index = gt.dtype() == kInt64;
  const Tensor targets = gt.reshape(by_index ? Shape{places} : Shape{places, classes});
  Tensor weight;
  {
    const NoGrad no_grad;
    weight = class_weights(class_counts(targets, classes, options.ignore_index))
                 .to(autocast_result(y.dtype()));
  }
  const Tensor loss = cross_entropy(y.reshape({places, classes}), targets,
                                    {.weight = weight,
                                     .ignore_index = options.ignore_index,
                                     .reduction = options.reduction,
                                     .label_smoothing = options.label_smoothing});
  return options.reduction == LossReduction::none ? loss.reshape(without_last(y.shape())) : loss;
}

Tensor batch_weighted_bce(const Tensor& y, const Tensor& gt, LossReduction reduction) {
  check(y.shape() == gt.shape(),
        {"batch_weighted_bce: y shape: ", y.shape(), " vs gt shape: ", gt.shape()});
  Tensor weight;
  {
    const NoGrad no_grad;
    const Tensor is_set = gt.ne(0);
    const Tensor share = is_set.to(kFloat64).mean();
    weight = where(is_set, 1 - share, share).to(autocast_result(y.dtype()));
    if (auto* count = static_cast<Tensor*>(thread_state().one_class_batches)) {
      if (!count->defined()) *count = zeros({}, kInt64, y.device());
      count->add_((share.eq(0) | share.eq(1)).to(kInt64));
    }
  }
  return binary_cross_entropy(y, gt.to(autocast_result(y.dtype())), weight, reduction);
}

OneClassBatches::OneClassBatches(Tensor* count) : outer_(thread_state().one_class_batches) {
  thread_state().one_class_batches = count;
}

OneClassBatches::~OneClassBatches() { thread_state().one_class_batches = outer_; }

}  // namespace levin::inline v0

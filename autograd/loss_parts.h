// What losses have in common: their checks, their arithmetic type, what becomes of all elements.
#pragma once

#include "elementwise.h"
#include "launch.h"
#include "losses.h"

namespace levin::inline v0 {

/// The two arguments of a loss, widened and of one shape, and the type of its result. Throws
/// std::invalid_argument where their shapes do not broadcast or neither is floating.
struct LossArguments {
  Tensor x, target;
  DType type;

  LossArguments(const char* loss, const Tensor& its_x, const Tensor& its_target)
      : x(widened(its_x)),
        target(widened(its_target)),
        type(autocast_result(result_type({its_x, its_target}))) {
    Shape shape;
    check(broadcast_shapes(x.shape(), target.shape(), &shape),
          {loss, ": ", x.shape(), " and ", target.shape(), ": shapes do not broadcast"});
    check(is_floating(type),
          {loss, ": ", its_x.dtype(), " and ", its_target.dtype(), ": a floating type is needed"});
    // Views also where the shapes are equal: what a formula uses twice gives an argument one
    // gradient, so that a leaf which already has one rounds as if it came alone.
    x = x.expand(shape);
    target = target.expand(shape);
  }
};

inline Tensor reduced(const char* loss, const Tensor& losses, LossReduction reduction) {
  check(reduction != LossReduction::batchmean, {loss, ": only kl_div has reduction batchmean"});
  if (reduction == LossReduction::none) return losses;
  return reduction == LossReduction::mean ? losses.mean() : losses.sum();
}

}  // namespace levin::inline v0

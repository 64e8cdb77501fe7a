// LME's losses: each batch's classes weigh the same, however often they come.
#pragma once

#include "../../autograd/losses.h"

namespace levin::inline v0 {

struct BatchWeightedCeOptions {
  LossReduction reduction = LossReduction::mean;
  int64_t ignore_index = -100;  ///< for class indices
  double label_smoothing = 0;
};

/// cross_entropy with the weight w_c = (1 / n_c) / sum(1 / n) * (classes that came) for class c,
/// which came n_c times in the batch (0 where n_c is 0). y [.., C] scores, gt int64 classes [..] or
/// one-hot (probabilities) [.., C]. mean: over the weights (indices) or the count (one-hot), as
/// cross_entropy has it; none: [..]. No gradient flows through the weights. Types and shapes that do
/// not fit throw std::invalid_argument.
Tensor batch_weighted_ce(const Tensor& y, const Tensor& gt,
                         const BatchWeightedCeOptions& options = {});
inline Tensor batch_weighted_ce(const Tensor& y, const Tensor& gt, LossReduction reduction) {
  return batch_weighted_ce(y, gt, BatchWeightedCeOptions{.reduction = reduction});
}

/// binary_cross_entropy, weighted by p where gt is 0 and by 1 - p elsewhere, p being the share of gt
/// that is not 0. y in [0, 1], gt of y's shape (else std::invalid_argument). A batch of one class
/// has weights 0, so loss and gradient 0: see OneClassBatches.
Tensor batch_weighted_bce(const Tensor& y, const Tensor& gt,
                          LossReduction reduction = LossReduction::mean);

/// While it lives, *count goes up by 1 for every batch of one class that this thread gives to
/// batch_weighted_bce: a 0-d int64 tensor on the batches' device (made by the first batch where it
/// is undefined), so that a trainer can warn without a read in every step. The innermost one counts.
class OneClassBatches {
 public:
  explicit OneClassBatches(Tensor* count);
  ~OneClassBatches();
  OneClassBatches(const OneClassBatches&) = delete;
  OneClassBatches& operator=(const OneClassBatches&) = delete;

 private:
  void* outer_;
};

}  // namespace levin::inline v0

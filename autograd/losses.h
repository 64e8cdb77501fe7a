// Losses: PyTorch's names, arguments and defaults (torch.nn.functional). Shapes and types that do
// not fit throw std::invalid_argument; 16-bit types are computed in float32 and rounded once.
#pragma once

#include "../tensor/tensor.h"

namespace levin::inline v0 {

/// What becomes of the losses of all elements. batchmean (kl_div only): the sum by the first size.
enum class LossReduction : uint8_t { none, mean, sum, batchmean };

/// (x - target)^2; shapes broadcast.
Tensor mse_loss(const Tensor& x, const Tensor& target,
                LossReduction reduction = LossReduction::mean);
/// |x - target|; shapes broadcast, here and in the next two.
Tensor l1_loss(const Tensor& x, const Tensor& target,
               LossReduction reduction = LossReduction::mean);
/// d = |x - target|: d^2 / (2 beta) where d < beta, else d - beta / 2.
Tensor smooth_l1_loss(const Tensor& x, const Tensor& target,
                      LossReduction reduction = LossReduction::mean, double beta = 1);
/// d = |x - target|: d^2 / 2 where d < delta, else delta (d - delta / 2).
Tensor huber_loss(const Tensor& x, const Tensor& target,
                  LossReduction reduction = LossReduction::mean, double delta = 1);

struct CrossEntropyOptions {
  Tensor weight = {};  ///< [C], a factor for each class
  int64_t ignore_index = -100;
  LossReduction reduction = LossReduction::mean;
  double label_smoothing = 0;
};
/// -log softmax(x) at the target: x [N, C, d..] or [C]; target int64 class indices [N, d..], or
/// probabilities of x's shape. mean divides by the weights of the targets that count (indices; NaN
/// where all are ignored) or by N (probabilities), as PyTorch does. Indices that are no class throw
/// std::out_of_range.
Tensor cross_entropy(const Tensor& x, const Tensor& target,
                     const CrossEntropyOptions& options = {});

struct NllLossOptions {
  Tensor weight = {};  ///< [C], a factor for each class
  int64_t ignore_index = -100;
  LossReduction reduction = LossReduction::mean;
};
/// -x at the target, x being log probabilities: shapes and mean as cross_entropy with indices.
Tensor nll_loss(const Tensor& x, const Tensor& target, const NllLossOptions& options = {});

/// -w (t log x + (1 - t) log(1 - x)) for x in [0, 1] (else NaN) and t of one shape. Logarithms are
/// cut at -100, and so is the derivative's denominator at 1e-12. weight broadcasts.
Tensor binary_cross_entropy(const Tensor& x, const Tensor& target, const Tensor& weight = {},
                            LossReduction reduction = LossReduction::mean);
/// The same of sigmoid(x), without overflow. pos_weight, which broadcasts, is a factor on t log.
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target,
                                        const Tensor& weight = {},
                                        LossReduction reduction = LossReduction::mean,
                                        const Tensor& pos_weight = {});
/// t (log t - x), x being log probabilities, and -t x where t is 0; log_target: e^t (t - x). Shapes
/// broadcast.
Tensor kl_div(const Tensor& x, const Tensor& target, LossReduction reduction = LossReduction::mean,
              bool log_target = false);
/// x where target is 1, max(0, margin - x) where it is -1; shapes broadcast.
Tensor hinge_embedding_loss(const Tensor& x, const Tensor& target, double margin = 1,
                            LossReduction reduction = LossReduction::mean);
/// x1 x2 / (max(|x1|, eps) max(|x2|, eps)) along `dim`; shapes broadcast.
Tensor cosine_similarity(const Tensor& x1, const Tensor& x2, int64_t dim = 1, double eps = 1e-8);

}  // namespace levin::inline v0

// Losses as objects, with PyTorch's names, options and defaults; formulas and shapes are those of
// the functions in autograd/losses.h.
#pragma once

#include "../autograd/losses.h"

namespace levin::inline v0::nn {

// Each is an aggregate that is called: `nn::SmoothL1Loss{.beta = 0.5}(y, gt)`, `model.criterion_fn =
// nn::MSELoss()`. They hold no parameters.

struct MSELoss {
  LossReduction reduction = LossReduction::mean;
  Tensor operator()(const Tensor& y, const Tensor& gt) const { return mse_loss(y, gt, reduction); }
};

struct L1Loss {
  LossReduction reduction = LossReduction::mean;
  Tensor operator()(const Tensor& y, const Tensor& gt) const { return l1_loss(y, gt, reduction); }
};

struct SmoothL1Loss {
  LossReduction reduction = LossReduction::mean;
  double beta = 1;
  Tensor operator()(const Tensor& y, const Tensor& gt) const {
    return smooth_l1_loss(y, gt, reduction, beta);
  }
};

struct HuberLoss {
  LossReduction reduction = LossReduction::mean;
  double delta = 1;
  Tensor operator()(const Tensor& y, const Tensor& gt) const {
    return huber_loss(y, gt, reduction, delta);
  }
};

struct CrossEntropyLoss {
  Tensor weight = {};
  int64_t ignore_index = -100;
  LossReduction reduction = LossReduction::mean;
  double label_smoothing = 0;
  Tensor operator()(const Tensor& y, const Tensor& gt) const {
    return cross_entropy(y, gt, {weight, ignore_index, reduction, label_smoothing});
  }
};

struct NLLLoss {
  Tensor weight = {};
  int64_t ignore_index = -100;
  LossReduction reduction = LossReduction::mean;
  Tensor operator()(const Tensor& y, const Tensor& gt) const {
    return nll_loss(y, gt, {weight, ignore_index, reduction});
  }
};

struct BCELoss {
  Tensor weight = {};
  LossReduction reduction = LossReduction::mean;
  Tensor operator()(const Tensor& y, const Tensor& gt) const {
    return binary_cross_entropy(y, gt, weight, reduction);
  }
};

struct BCEWithLogitsLoss {
  Tensor weight = {};
  LossReduction reduction = LossReduction::mean;
  Tensor pos_weight = {};
  Tensor operator()(const Tensor& y, const Tensor& gt) const {
    return binary_cross_entropy_with_logits(y, gt, weight, reduction, pos_weight);
  }
};

struct KLDivLoss {
  LossReduction reduction = LossReduction::mean;
  bool log_target = false;
  Tensor operator()(const Tensor& y, const Tensor& gt) const {
    return kl_div(y, gt, reduction, log_target);
  }
};

}  // namespace levin::inline v0::nn

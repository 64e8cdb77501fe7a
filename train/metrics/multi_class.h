// MultiClassAccuracy, MultiClassF1Score, MultiClassConfusionMatrix: how well classes are told apart.
#pragma once

#include "class_metric.h"

namespace levin::inline v0 {

/// The share of each class that is found, which is its recall. Higher is better. A batch's result is
/// int64 [2, C]: right predictions and truths by class. An epoch's is float64 [C], 0 for classes that
/// did not come; reduced: their mean. Types and shapes: see ClassMetric; classes lie in the last
/// dimension.
class MultiClassAccuracy : public ClassMetric {
 public:
  explicit MultiClassAccuracy(int64_t num_classes, Device device = kCPU);
  MetricResult forward(const Tensor& y, const Tensor& gt) override;
  Tensor epoch_result() override;
  std::optional<double> epoch_result_reduced(const Tensor& full) override;
  std::shared_ptr<CoreMetric> clone() const override;
};

/// 2 P R / (P + R) of each class, with precision P = TP / (TP + FP) and recall R = TP / (TP + FN); 0
/// where it is not defined. Higher is better. A batch's result is int64 [4, C]: TP, FP, TN, FN. An
/// epoch's is float64 [C]; reduced: the mean. Types and shapes as above.
class MultiClassF1Score : public ClassMetric {
 public:
  explicit MultiClassF1Score(int64_t num_classes, Device device = kCPU);
  MetricResult forward(const Tensor& y, const Tensor& gt) override;
  Tensor epoch_result() override;
  std::optional<double> epoch_result_reduced(const Tensor& full) override;
  std::shared_ptr<CoreMetric> clone() const override;
};

/// How often a class (row) was taken for another (column): int64 [C, C] for a batch and an epoch;
/// no single number. Types and shapes as above.
class MultiClassConfusionMatrix : public ClassMetric {
 public:
  explicit MultiClassConfusionMatrix(int64_t num_classes, Device device = kCPU);
  MetricResult forward(const Tensor& y, const Tensor& gt) override;
  Tensor epoch_result() override;
  std::optional<double> epoch_result_reduced(const Tensor& full) override;
  std::shared_ptr<CoreMetric> clone() const override;
};

}  // namespace levin::inline v0

// MeanIoU: how well predicted regions cover the true ones.
#pragma once

#include <string>
#include <vector>

#include "class_metric.h"

namespace levin::inline v0 {

struct MeanIoUOptions {
  std::vector<double> class_weights = {};  ///< sum 1; none: all the same
  int64_t class_axis = -1;                 ///< where the scores of a place lie
  std::string mode = "global";             ///< or "samplewise"
  Device device = kCPU;
};

/// Intersection over union TP / (TP + FP + FN) of each class, times its weight. Higher is better.
/// "global" adds up the places of all samples; "samplewise" is the mean of the samples' ratios,
/// where a class that is neither in a sample nor predicted counts 0. Both as the original has it.
///
/// y, gt: scores [B, .., C at class_axis, ..] or int64 classes [B, ..], at least two dimensions; see
/// ClassMetric. A batch's result is int64 TP, FP, TN, FN: [C, 4], samplewise [B, C, 4]; nothing for
/// an empty batch. An epoch's is float64 [C]; reduced: the sum, which is a mean by weight. Scores that
/// are NaN throw std::invalid_argument in forward(), found by the kernel that counts.
class MeanIoU : public ClassMetric {
 public:
  /// One name for each class. Throws std::invalid_argument where the weights do not fit or the mode
  /// is neither.
  explicit MeanIoU(std::vector<std::string> classes, MeanIoUOptions options = {});

  MetricResult forward(const Tensor& y, const Tensor& gt) override;
  Tensor epoch_result() override;
  std::optional<double> epoch_result_reduced(const Tensor& full) override;
  std::shared_ptr<CoreMetric> clone() const override;
  const std::vector<std::string>& classes() const { return classes_; }

 protected:
  void add(const Tensor& value, double weight) override;

 private:
  bool samplewise() const { return options_.mode == "samplewise"; }

  std::vector<std::string> classes_;
  MeanIoUOptions options_;
};

}  // namespace levin::inline v0

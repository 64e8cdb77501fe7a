// ClassMetric: what metrics over classes share, above all how they read predictions and truths.
#pragma once

#include <string>

#include "metric.h"

namespace levin::inline v0 {

/// Predicted and true classes of a batch: int64, of one shape; on the device, not yet looked at.
struct ClassLabels {
  Tensor y, gt;
};

/// Counts by class, added up: a batch counts by what is in it, whatever its weight. Predictions y
/// are scores [.., C, ..] of a floating type, of which the largest wins, or int64 class indices.
/// The truth gt is one-hot (or probabilities) where it is floating or has the shape of y's scores,
/// else int64 class indices: [N] labels are labels also where N = C. Types and shapes that do not
/// fit throw std::invalid_argument, indices outside of [0, C) std::out_of_range: both in forward().
class ClassMetric : public SummedMetric {
 public:
  int64_t num_classes() const { return num_classes_; }
  void load_state(const std::vector<std::pair<std::string, Tensor>>& state) override;

 protected:
  /// Sums are of shape `sums`. `name` (for errors) must outlive the metric.
  ClassMetric(const char* name, int64_t num_classes, const Shape& sums, bool higher_is_better,
              Device device);
  void add(const Tensor& value, double weight) override;

  const char* name() const { return name_; }
  /// float64; zeros before the first batch.
  Tensor totals() const;
  ClassLabels labels(const Tensor& y, const Tensor& gt, int64_t class_axis = -1) const;
  /// labels [B, M] -> int64 [B, C]: the sum of `amounts` [B, M] (int64) where the label is the class.
  Tensor count(const Tensor& labels, const Tensor& amounts) const;
  /// Labels of shape [B, M] -> int64 [B, C, 4]: true positives, false positives, true negatives,
  /// false negatives of each class.
  Tensor outcomes(const ClassLabels& labels) const;

 private:
  const char* name_;
  int64_t num_classes_;
  Shape sums_shape_;
};

}  // namespace levin::inline v0

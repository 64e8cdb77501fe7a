#include "multi_class.h"

#include <stdexcept>

#include "../../autograd/ops.h"
#include "../../kernels/check.h"

namespace levin::inline v0 {
namespace {

// All places of a batch as one row.
ClassLabels in_one_row(const ClassLabels& labels) {
  const Shape row{1, labels.y.numel()};
  return {labels.y.reshape(row), labels.gt.reshape(row)};
}

}  // namespace

MultiClassAccuracy::MultiClassAccuracy(int64_t num_classes, Device device)
    : ClassMetric("MultiClassAccuracy", num_classes, {2, num_classes}, true, device) {}

MetricResult MultiClassAccuracy::forward(const Tensor& y, const Tensor& gt) {
  const NoGrad no_grad;
  const ClassLabels rows = in_one_row(labels(y, gt));
  const Tensor right = count(rows.gt, rows.y.eq(rows.gt).to(kInt64));
  return cat({right, count(rows.gt, ones_like(rows.gt))});
}

Tensor MultiClassAccuracy::epoch_result() {
  const NoGrad no_grad;
  const Tensor sums = totals();
  return (sums.select(0, 0) / sums.select(0, 1)).nan_to_num(0);
}

std::optional<double> MultiClassAccuracy::epoch_result_reduced(const Tensor& full) {
  return full.mean().item<double>();
}

std::shared_ptr<CoreMetric> MultiClassAccuracy::clone() const {
  return std::make_shared<MultiClassAccuracy>(num_classes(), device());
}

MultiClassF1Score::MultiClassF1Score(int64_t num_classes, Device device)
    : ClassMetric("MultiClassF1Score", num_classes, {4, num_classes}, true, device) {}

MetricResult MultiClassF1Score::forward(const Tensor& y, const Tensor& gt) {
  const NoGrad no_grad;
  return outcomes(in_one_row(labels(y, gt))).select(0, 0).transpose(0, 1);
}

Tensor MultiClassF1Score::epoch_result() {
  const NoGrad no_grad;
  const Tensor sums = totals();
  const Tensor hits = sums.select(0, 0);
  const Tensor precision = hits / (hits + sums.select(0, 1));
  const Tensor recall = hits / (hits + sums.select(0, 3));
  return (2 * precision * recall / (precision + recall)).nan_to_num(0);
}

std::optional<double> MultiClassF1Score::epoch_result_reduced(const Tensor& full) {
  return full.mean().item<double>();
}

std::shared_ptr<CoreMetric> MultiClassF1Score::clone() const {
  return std::make_shared<MultiClassF1Score>(num_classes(), device());
}

MultiClassConfusionMatrix::MultiClassConfusionMatrix(int64_t num_classes, Device device)
    : ClassMetric("MultiClassConfusionMatrix", num_classes, {num_classes, num_classes}, false,
                  device) {}

MetricResult MultiClassConfusionMatrix::forward(const Tensor& y, const Tensor& gt) {
  const NoGrad no_grad;
  const int64_t classes = num_classes();
  const ClassLabels found = labels(y, gt);
  const Tensor column = found.y.flatten(), row = found.gt.flatten();
  const Tensor known = row.ge(0) & row.lt(classes) & column.ge(0) & column.lt(classes);
  const Tensor cell = where(known, row * classes + column, -1);
  const Tensor matrix = zeros({classes * classes}, kInt64, cell.device());
  try {
    return matrix.scatter_add(0, cell, ones_like(cell)).reshape({classes, classes});
  } catch (const std::out_of_range&) {
    fail(Fault::index, {name(), ": class indices must lie in [0, ", classes, ")"});
  }
}

Tensor MultiClassConfusionMatrix::epoch_result() {
  const NoGrad no_grad;
  return totals().to(kInt64);
}

std::optional<double> MultiClassConfusionMatrix::epoch_result_reduced(const Tensor&) { return {}; }

std::shared_ptr<CoreMetric> MultiClassConfusionMatrix::clone() const {
  return std::make_shared<MultiClassConfusionMatrix>(num_classes(), device());
}

}  // namespace levin::inline v0

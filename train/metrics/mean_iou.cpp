#include "mean_iou.h"

#include <cmath>
#include <numeric>
#include <stdexcept>

#include "../../autograd/ops.h"
#include "../../kernels/check.h"

namespace levin::inline v0 {
namespace {

// outcomes [.., C, 4] -> float64 [.., C]
Tensor ratio(const Tensor& outcomes) {
  const Tensor of = outcomes.to(kFloat64);
  const Tensor hits = of.select(-1, 0);
  return (hits / (hits + of.select(-1, 1) + of.select(-1, 3))).nan_to_num(0);
}

// -1 where a score is NaN: the kernel that counts refuses it, and nothing is read on the host.
Tensor marked(const Tensor& scores, const Tensor& labels, int64_t class_axis) {
  if (!is_floating(scores.dtype())) return labels;
  return where(scores.amax({class_axis}).isnan(), -1, labels);
}

bool has_nan(const Tensor& x) { return x.isnan().any().item<bool>(); }

Shape sums_shape(const std::string& mode, std::size_t classes) {
  const auto count = static_cast<int64_t>(classes);
  return mode == "samplewise" ? Shape{count} : Shape{count, 4};
}

}  // namespace

MeanIoU::MeanIoU(std::vector<std::string> classes, MeanIoUOptions options)
    : ClassMetric("MeanIoU", static_cast<int64_t>(classes.size()),
                  sums_shape(options.mode, classes.size()), true, options.device),
      classes_(std::move(classes)),
      options_(std::move(options)) {
  check(samplewise() || options_.mode == "global",
        {"MeanIoU: mode is 'global' or 'samplewise', not '", options_.mode, "'"});
  std::vector<double>& weights = options_.class_weights;
  if (weights.empty()) weights.assign(classes_.size(), 1.0 / static_cast<double>(classes_.size()));
  check(weights.size() == classes_.size(),
        {"MeanIoU: ", classes_.size(), " classes and ", weights.size(), " weights"});
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  check(std::abs(sum - 1) < 1e-3, {"MeanIoU: class_weights: Should sum to 1, got : ", sum});
}

MetricResult MeanIoU::forward(const Tensor& y, const Tensor& gt) {
  const NoGrad no_grad;
  if (y.dim() > 0 && y.size(0) == 0) return {};
  ClassLabels found = labels(y, gt, options_.class_axis);
  check(found.y.dim() >= 2, {"MeanIoU: classes of shape ", found.y.shape(),
                             ": at least two dimensions, [B, ..], are needed"});
  const int64_t samples = samplewise() ? found.y.size(0) : 1;
  const Shape rows{samples, found.y.numel() / samples};
  found = {marked(y, found.y, options_.class_axis).reshape(rows),
           marked(gt, found.gt, options_.class_axis).reshape(rows)};
  try {
    const Tensor result = outcomes(found);
    return samplewise() ? result : result.select(0, 0);
  } catch (const std::out_of_range&) {
    check(!has_nan(y), {"MeanIoU: y of shape ", y.shape(), " has NaNs"});
    check(!has_nan(gt), {"MeanIoU: gt of shape ", gt.shape(), " has NaNs"});
    throw;
  }
}

void MeanIoU::add(const Tensor& value, double weight) {
  if (!samplewise()) return ClassMetric::add(value, weight);
  const NoGrad no_grad;
  check(value.dim() == 3 && value.size(1) == num_classes() && value.size(2) == 4,
        {"MeanIoU: a batch result of shape ", value.shape(), ", where forward() gives [B, ",
         num_classes(), ", 4]"});
  SummedMetric::add(ratio(value).mean({0}), static_cast<double>(value.size(0)));
}

Tensor MeanIoU::epoch_result() {
  const NoGrad no_grad;
  const Tensor sums = totals();
  const Tensor weights = from_vector(options_.class_weights).to(sums.device());
  if (!samplewise()) return ratio(sums) * weights;
  return has_batches() ? sums / sum_of_weights() * weights : sums;
}

std::optional<double> MeanIoU::epoch_result_reduced(const Tensor& full) {
  return full.sum().item<double>();
}

std::shared_ptr<CoreMetric> MeanIoU::clone() const {
  MeanIoUOptions options = options_;
  options.device = device();
  return std::make_shared<MeanIoU>(classes_, std::move(options));
}

}  // namespace levin::inline v0

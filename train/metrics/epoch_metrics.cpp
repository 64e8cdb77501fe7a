#include "epoch_metrics.h"

#include <algorithm>

#include "../../kernels/check.h"
#include "../files/text.h"
#include "../lme.h"

namespace levin::inline v0 {
namespace {

// The loss that an algorithm returns when the model has no criterion of its own.
AnyMetric loss_metric(const LME& model) {
  if (model.criterion_fn) return model.criterion_fn.metric();
  return StubMetric(false);
}

// The samples in a batch: the ground truth's first size.
double samples_in(const data::Batch& gt) {
  if (gt.size() == 0 || !gt[0].defined() || gt[0].dim() == 0) return 1;
  return static_cast<double>(gt[0].shape()[0]);
}

}  // namespace

void EpochMetrics::start(const LME& model, bool copies) {
  metrics_ = {{"loss", loss_metric(model)}};
  metrics_.insert(metrics_.end(), model.metrics.begin(), model.metrics.end());
  if (copies)
    for (NamedMetric& metric : metrics_) metric.metric = AnyMetric(metric.metric->clone());
  for (const auto& [name, metric] : metrics_) metric->to(model.device());
  reset();
}

void EpochMetrics::update(const AlgorithmOutput& output, bool weigh) {
  check_names(output.metrics);
  const double weight = weigh ? samples_in(output.gt) : 1;
  for (const auto& [name, metric] : metrics_) {
    const Where where(name, "metric");
    metric->batch_update(*output.metrics.find(name), weight);
  }
}

void EpochMetrics::reset() {
  for (const auto& [name, metric] : metrics_) metric->reset();
}

void EpochMetrics::check_names(const MetricResults& results) const {
  bool same = results.size() == static_cast<int>(metrics_.size());
  for (const auto& [name, metric] : metrics_) same &= results.contains(name);
  if (same) return;
  std::vector<std::string> expected, came;
  for (const auto& [name, metric] : metrics_) expected.push_back(name);
  for (const auto& [name, result] : results) came.emplace_back(std::string_view(name));
  std::sort(expected.begin(), expected.end());
  std::sort(came.begin(), came.end());
  fail({"Expected metrics: ", python_list(expected), " vs. this batch: ", python_list(came)});
}

}  // namespace levin::inline v0

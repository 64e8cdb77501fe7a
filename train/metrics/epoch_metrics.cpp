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
  InlineList<const MetricResult*, 8> results;
  for (const auto& [name, metric] : metrics_) {
    results.push_back(output.metrics.find(name));
    if (!results.back()) fail_names(output.metrics);
  }
  if (output.metrics.size() != results.size()) fail_names(output.metrics);
  const double weight = weigh ? samples_in(output.gt) : 1;
  for (int i = 0; i < results.size(); ++i) {
    const Where where(metrics_[i].name, "metric");
    metrics_[i].metric->batch_update(*results[i], weight);
  }
}

void EpochMetrics::reset() {
  for (const auto& [name, metric] : metrics_) metric->reset();
}

void EpochMetrics::fail_names(const MetricResults& results) const {
  std::vector<std::string> expected, came;
  for (const auto& [name, metric] : metrics_) expected.push_back(name);
  for (const auto& [name, result] : results) came.emplace_back(std::string_view(name));
  std::sort(expected.begin(), expected.end());
  std::sort(came.begin(), came.end());
  fail({"Expected metrics: ", python_list(expected), " vs. this batch: ", python_list(came)});
}

}  // namespace levin::inline v0

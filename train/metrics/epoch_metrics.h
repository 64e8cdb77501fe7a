// EpochMetrics: the loss and the declared metrics of a model, collected over one epoch.
#pragma once

#include <string>
#include <vector>

#include "../algorithm.h"

namespace levin::inline v0 {

/// In order: "loss", then the model's metrics.
class EpochMetrics {
 public:
  /// Takes the model's own metrics, or (for validation) copies of them; all start empty, on the
  /// model's device.
  void start(const LME& model, bool copies);
  /// Adds a batch, which counts `weight` times. Throws std::invalid_argument where its names are not
  /// "loss" and those of the declared metrics.
  void update(const AlgorithmOutput& output, bool weigh);
  void reset();
  /// Was a batch added since reset()? Where not, class metrics give zeros that nobody should log.
  /// Reads on the host.
  bool has_batches() const { return !empty() && loss().batch_count() != 0; }
  void clear() { metrics_.clear(); }

  bool empty() const { return metrics_.empty(); }
  auto begin() const { return metrics_.begin(); }
  auto end() const { return metrics_.end(); }
  CoreMetric& loss() const { return *metrics_[0].metric; }

 private:
  [[noreturn]] void fail_names(const MetricResults& results) const;

  std::vector<NamedMetric> metrics_;
};

}  // namespace levin::inline v0

// What a model's algorithm takes and gives.
#pragma once

#include <functional>
#include <optional>

#include "data/batch.h"
#include "metrics/metric.h"

namespace levin::inline v0 {

class LME;

/// What became of one batch: the model's output, the batch's metrics ("loss" and each declared
/// one), the input and the ground truth. y, x and gt may be one tensor, several, or named ones.
struct AlgorithmOutput {
  data::Batch y;
  MetricResults metrics;
  data::Batch x;
  data::Batch gt;
};

/// (model, batch) -> output, or std::nullopt to skip the batch. In training the loss must be
/// connected to the parameters.
using ModelAlgorithm =
    std::function<std::optional<AlgorithmOutput>(LME& model, const data::Batch& batch)>;

}  // namespace levin::inline v0

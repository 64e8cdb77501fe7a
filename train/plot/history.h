// What a picture must know of a metric's history: its best epoch, and the values its axis spans.
#pragma once

#include <cstddef>
#include <optional>

#include "metric_plot.h"

namespace levin::inline v0 {

struct Range {
  double low, high;
};

/// The scores among which the best is sought: validation if it is there, else train.
inline const std::vector<double>& scores(const MetricHistory& history) {
  return history.validation.empty() ? history.train : history.validation;
}

/// The index of the first best finite score; nothing if no score is finite.
std::optional<std::size_t> best_epoch(const MetricHistory& history);

/// The finite values from the least to the greatest, without outliers. low < high.
///
/// Outliers are at most a quarter of the values on either side, and so far off that the others would
/// share less than a tenth of the axis (on the side of better values a hundredth, since the best
/// epoch should be seen).
Range value_range(const MetricHistory& history);

}

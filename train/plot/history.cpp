#include "history.h"

#include <algorithm>
#include <cmath>

namespace levin::inline v0 {
namespace {

std::vector<double> sorted_finite(const MetricHistory& history) {
  constexpr double kLargest = 1e300;  // so that differences are finite
  std::vector<double> values;
  for (const auto* series : {&history.train, &history.validation})
    for (const double value : *series)
      if (std::isfinite(value)) values.push_back(std::clamp(value, -kLargest, kLargest));
  std::sort(values.begin(), values.end());
  return values;
}

// How many of the ascending values remain below the first gap that is factor times the range of what
// lies between it and the lowest quarter.
std::size_t count_below_gap(const std::vector<double>& values, double factor) {
  const std::size_t least = std::max<std::size_t>(values.size() - values.size() / 4, 1);
  for (std::size_t count = least; count < values.size(); ++count) {
    const double range = values[count - 1] - values[values.size() / 4];
    if (range > 0 && (values[count] - values[count - 1]) / factor > range) return count;
  }
  return values.size();
}

}  // namespace

std::optional<std::size_t> best_epoch(const MetricHistory& history) {
  std::optional<std::size_t> best;
  const std::vector<double>& values = scores(history);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) continue;
    if (!best || (history.higher_is_better ? values[i] > values[*best] : values[i] < values[*best]))
      best = i;
  }
  return best;
}

Range value_range(const MetricHistory& history) {
  std::vector<double> values = sorted_finite(history);
  if (values.empty()) return {0, 1};
  const double worse = 10, better = 100;
  values.resize(count_below_gap(values, history.higher_is_better ? better : worse));
  for (double& value : values) value = -value;
  std::reverse(values.begin(), values.end());
  values.resize(count_below_gap(values, history.higher_is_better ? worse : better));
  const Range range{-values.back(), -values.front()};

  const double size = std::max(std::abs(range.low), std::abs(range.high));
  if (range.high - range.low > size * 1e-12 && size > 1e-290) return range;
  const double room = size > 1e-290 ? size * 0.05 : 0.05;
  return {range.low - room, range.high + room};
}

}

// The picture of a metric's history: a curve for training and one for validation, over the epochs.
#pragma once

#include <string>
#include <vector>

namespace levin::inline v0 {

/// One metric's history: one value an epoch, NaN where there is none.
struct MetricHistory {
  std::string name;
  bool higher_is_better = false;
  std::vector<double> train;
  std::vector<double> validation;  // empty: no validation curve
};

/// The picture of a metric as the bytes of a PNG file, 640 x 480.
///
/// Every epoch is drawn; where a value is NaN or infinite the curve has a gap. The first best epoch,
/// of validation if it is there, is marked with its value. A few values far away from all others
/// do not squash the axis: the curve leaves it, and a triangle at the border says so.
std::string metric_plot_png(const MetricHistory& history);

}

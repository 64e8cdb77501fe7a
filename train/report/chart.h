// A chart of the report: curves over the epochs, drawn without a script.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "number_format.h"

namespace levin::inline v0 {

struct ReportSeries {
  std::string name;   ///< as in metrics.csv: "val_loss"
  std::string label;  ///< in the legend: "validation"
  /// One an epoch, none where there is none; NaN and infinities are gaps.
  std::vector<std::optional<double>> values;
};

enum class BestValue : unsigned char { none, lowest, highest };
enum class ChartAxis : unsigned char {
  values,      ///< from the least to the greatest value, without outliers
  from_zero,   ///< the same, with 0
  logarithmic  ///< where the values span a factor of more than 50
};

struct ReportChart {
  std::string title;
  std::vector<ReportSeries> series;
  /// Of the last series; its epoch is marked.
  BestValue best = BestValue::none;
  ChartAxis axis = ChartAxis::values;
};

/// NaN where there is none.
std::vector<double> numbers_of(const ReportSeries& series);
/// How the values of all its series are written.
NumberFormat format_of(const ReportChart& chart);
/// The epoch with the mark; none where no value is finite.
std::optional<std::size_t> best_epoch(const ReportChart& chart);

/// The <figure>. `first_column` is the number of its first series among those of all charts.
std::string chart_html(const ReportChart& chart, std::size_t first_column, std::size_t epochs);

}

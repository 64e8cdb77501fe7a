// The table that test() and validate() print.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "../metrics/metric_values.h"

namespace levin::inline v0 {

/// Lightning's table, `columns` characters wide: `kind` ("Test", "Validate"), a row for each metric,
/// sorted by name, and a column for each loader; what does not fit side by side stands in further
/// tables below. Ends with a newline; empty where there are no values.
std::string result_table(std::string_view kind, const std::vector<MetricValues>& loaders,
                         int columns);

/// On stdout, as wide as its terminal; 120 characters where it is none. The environment variable
/// COLUMNS stands over both.
void print_result_table(std::string_view kind, const std::vector<MetricValues>& loaders);

}  // namespace levin::inline v0

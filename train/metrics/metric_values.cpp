#include "metric_values.h"

#include "../../kernels/check.h"
#include "../files/text.h"

namespace levin::inline v0 {

void MetricValues::set(std::string_view name, double value) {
  for (auto& [known, number] : values_)
    if (known == name) {
      number = value;
      return;
    }
  values_.emplace_back(name, value);
}

std::optional<double> MetricValues::find(std::string_view name) const {
  for (const auto& [known, value] : values_)
    if (known == name) return value;
  return {};
}

double MetricValues::operator[](std::string_view name) const {
  const std::optional<double> value = find(name);
  if (!value)
    fail(Fault::index, {"metrics: no value of '", name, "', there are: ", python_list(names())});
  return *value;
}

std::vector<std::string> MetricValues::names() const {
  std::vector<std::string> result;
  for (const auto& [name, value] : values_) result.push_back(name);
  return result;
}

}  // namespace levin::inline v0

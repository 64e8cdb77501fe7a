// MetricValues: numbers by name, in the order in which they came.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace levin::inline v0 {

class MetricValues {
 public:
  MetricValues() = default;
  MetricValues(std::initializer_list<std::pair<std::string, double>> values) : values_(values) {}

  /// Replaces a value of the same name.
  void set(std::string_view name, double value);
  std::optional<double> find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name).has_value(); }
  /// Throws std::out_of_range, with the names there are.
  double operator[](std::string_view name) const;
  std::vector<std::string> names() const;

  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }
  std::size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }
  void clear() { values_.clear(); }

 private:
  std::vector<std::pair<std::string, double>> values_;
};

}  // namespace levin::inline v0

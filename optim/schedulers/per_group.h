// PerGroup: a number for all parameter groups of an optimizer, or one for each.
#pragma once

#include <initializer_list>
#include <vector>

#include "../../kernels/check.h"

namespace levin::inline v0::optim {

/// `.max_lr = 0.5` or `.max_lr = {0.5, 0.2}`
class PerGroup {
 public:
  PerGroup(double number) : numbers_{number} {}
  PerGroup(std::initializer_list<double> numbers) : numbers_(numbers) {}
  PerGroup(std::vector<double> numbers) : numbers_(std::move(numbers)) {}

  /// One for each of `groups` groups. Throws std::invalid_argument where there are more or fewer.
  std::vector<double> of(int groups, const char* name) const {
    if (numbers_.size() == 1) return std::vector<double>(groups, numbers_[0]);
    check(numbers_.size() == static_cast<std::size_t>(groups),
          {"expected ", groups, " values for ", name, ", got ", numbers_.size()});
    return numbers_;
  }

 private:
  std::vector<double> numbers_;
};

}  // namespace levin::inline v0::optim

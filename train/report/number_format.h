// How the numbers of one column are written: all with the same digits, so that they stand in line.
#pragma once

#include <string>
#include <vector>

namespace levin::inline v0 {

class NumberFormat {
 public:
  NumberFormat() = default;
  /// Four significant digits for the greatest of the finite values, three for the smallest and for
  /// their range; with exponents where that would be long.
  explicit NumberFormat(const std::vector<double>& values);

  /// "0.2312", "2.3121e-07", "nan", "inf"
  std::string text(double value) const;

 private:
  bool scientific_ = false;
  int decimals_ = 4;
};

}

// Curves as SVG paths, in a square of 1000 x 1000 that the page stretches.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace levin::inline v0 {

/// Where epochs and values lie. On a logarithmic axis, low, high and the values are logarithms.
struct CurveScale {
  std::size_t epochs = 0;
  double low = 0, high = 1;

  /// 20 to 980; 500 where there is one epoch only.
  double x(std::size_t epoch) const;
  /// 950 at low, 50 at high; what lies far outside stays in reach of an SVG's numbers.
  double y(double value) const;
};

/// "12.3"
std::string coordinate(double value);

/// Lines through the finite values; a gap where a value is not finite. Of more than 2000 epochs it
/// takes the first, least, greatest and last value in each thousandth of the width, which looks the
/// same.
std::string curve_path(const CurveScale& scale, const std::vector<double>& values);
/// The finite values without a neighbour, as lines without length: the page rounds their ends.
std::string lone_points(const CurveScale& scale, const std::vector<double>& values);

}

#include "number_format.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "../files/text.h"

namespace levin::inline v0 {

namespace {

int exponent_of(double size) { return static_cast<int>(std::floor(std::log10(size))); }

}  // namespace

NumberFormat::NumberFormat(const std::vector<double>& values) {
  constexpr double kLongest = 1e7;
  constexpr int kMostDecimals = 8, kDecimalsWithExponent = 4;
  double low = INFINITY, high = -INFINITY, smallest = INFINITY, largest = 0;
  bool whole = true;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
    whole = whole && value == std::floor(value);
    if (value != 0) smallest = std::min(smallest, std::abs(value));
    largest = std::max(largest, std::abs(value));
  }
  if (largest == 0) return;
  const double range = high > low ? high - low : largest;
  decimals_ =
      std::max({3 - exponent_of(largest), 2 - exponent_of(smallest), 2 - exponent_of(range), 0});
  if (whole) decimals_ = 0;
  scientific_ = largest >= kLongest || decimals_ > kMostDecimals;
  if (scientific_) decimals_ = kDecimalsWithExponent;
}

std::string NumberFormat::text(double value) const {
  if (!std::isfinite(value)) return python_repr(value);
  if (!scientific_) return fixed_text(value, decimals_);
  char text[32];
  const auto end =
      std::to_chars(text, text + sizeof text, value, std::chars_format::scientific, decimals_);
  return {text, end.ptr};
}

}  // namespace levin::inline v0

// Rates on a straight leg, as LME's schedulers round them.
#pragma once

#include <cmath>
#include <cstdint>

namespace levin::inline v0::optim {

/// Point i of 0 .. last between two rates, to 6 decimals.
inline double rounded_rate(double from, double to, int64_t i, int64_t last) {
  const double exact =
      last == 0 ? from : from + static_cast<double>(i) * ((to - from) / static_cast<double>(last));
  return std::nearbyint(exact * 1e6) / 1e6;
}

}  // namespace levin::inline v0::optim

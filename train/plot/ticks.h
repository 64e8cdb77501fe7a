// Where an axis has its ticks, and what stands at them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace levin::inline v0 {

struct Ticks {
  std::vector<double> positions;
  std::vector<std::string> labels;  // UTF-8, all with the same number of decimals
  std::string scale;                // what the labels leave out, "×10⁻⁷ + 1"; empty: nothing
};

/// Ticks in [low, high], at multiples of 1, 2, 2.5 or 5 times a power of ten, at most
/// max_intervals + 1 of them. Needs finite low < high.
Ticks value_ticks(double low, double high, int max_intervals);

/// Ticks at whole numbers in [1, epochs].
Ticks epoch_ticks(std::int64_t epochs);

/// A value in a sentence, in a form as short as its size allows: 12.35, 0.00123, 1.23×10⁻⁷.
std::string value_text(double value);

}

// Numbers from CSV files.
#pragma once

#include <string>
#include <string_view>

#include "../../tensor/tensor.h"

namespace levin::inline v0::data {

/// A file of numbers, separated by commas, as a float64 tensor [lines, columns]; `skip_lines` lines
/// at the start are passed over. Empty lines are too. Throws std::runtime_error with path, line and
/// column for what is no number, and for a line of another length than the first; and for a file
/// without numbers.
Tensor read_csv(const std::string& path, int skip_lines = 0);
/// The same from memory; `name_for_errors` stands for the path.
Tensor from_csv(std::string_view bytes, const std::string& name_for_errors, int skip_lines = 0);

}  // namespace levin::inline v0::data

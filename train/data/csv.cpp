#include "csv.h"

#include <charconv>
#include <vector>

#include "../../kernels/check.h"
#include "../../tensor/factories.h"
#include "../../tensor/file.h"

namespace levin::inline v0::data {
namespace {

// Adds a line's numbers; returns how many there were.
int64_t add_numbers(const std::string& path, int64_t line, std::string_view text,
                    std::vector<double>* numbers) {
  int64_t column = 0;
  while (true) {
    ++column;
    const std::size_t comma = text.find(',');
    std::string_view cell = text.substr(0, comma);
    while (!cell.empty() && cell.front() == ' ') cell.remove_prefix(1);
    while (!cell.empty() && cell.back() == ' ') cell.remove_suffix(1);
    if (cell.size() > 1 && cell[0] == '+' && cell[1] != '-') cell.remove_prefix(1);
    double number = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
    if (error != std::errc() || end != cell.data() + cell.size())
      fail(Fault::world, {path, ": line ", line, ", column ", column, ": '", cell.substr(0, 40),
                          "' is not a number"});
    numbers->push_back(number);
    if (comma == std::string_view::npos) return column;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

Tensor read_csv(const std::string& path, int skip_lines) {
  return from_csv(read_whole(path), path, skip_lines);
}

Tensor from_csv(std::string_view bytes, const std::string& path, int skip_lines) {
  std::string_view left = bytes;
  std::vector<double> numbers;
  int64_t rows = 0, columns = 0;
  for (int64_t line = 1; !left.empty(); ++line) {
    const std::size_t end = left.find('\n');
    std::string_view text = left.substr(0, end);
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    if (text.empty() || line <= skip_lines) continue;
    const int64_t count = add_numbers(path, line, text, &numbers);
    if (rows++ == 0) columns = count;
    if (count != columns)
      fail(Fault::world,
           {path, ": line ", line, " has ", count, " columns, the first one ", columns});
  }
  if (rows == 0) fail(Fault::world, {path, ": there are no numbers in it"});
  return from_vector(numbers, {rows, columns});
}

}  // namespace levin::inline v0::data

#include "checkpoint_name.h"

#include <algorithm>
#include <charconv>

#include "../../kernels/check.h"
#include "../files/text.h"

namespace levin::inline v0 {
namespace {

bool is_counter(std::string_view name) { return name == "epoch" || name == "step"; }

// A number between 0 and 30, which is all of the text.
bool read_digits(std::string_view text, int* digits) {
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, *digits);
  return error == std::errc() && rest == end && *digits >= 0 && *digits <= 30;
}

// A metric as Python's str() or ".3f" of its float32 value, a counter as it is or "03d".
std::string formatted(std::string_view name, std::string_view format, double number) {
  int digits = 0;
  if (format.starts_with('.') && format.ends_with('f') &&
      read_digits(format.substr(1, format.size() - 2), &digits))
    return fixed_text(static_cast<float>(number), digits);
  if (!is_counter(name)) {
    check(format.empty(), {"ModelCheckpoint: the format '", format,
                           "' of a file name: '.3f' is understood, '03d' for epoch and step"});
    return python_repr(number);
  }
  const std::string text = std::to_string(static_cast<int64_t>(number));
  const bool known = format.empty() || format == "d" ||
                     (format.starts_with('0') && format.ends_with('d') &&
                      read_digits(format.substr(1, format.size() - 2), &digits));
  check(known, {"ModelCheckpoint: the format '", format,
                "' of a file name: '03d' and '.3f' are understood"});
  const auto width = static_cast<std::size_t>(digits);
  return std::string(width - std::min(width, text.size()), '0') + text;
}

}  // namespace

std::string checkpoint_name(
    const std::string& pattern, bool auto_insert_metric_name,
    const std::function<std::optional<double>(const std::string& name)>& value_of) {
  std::string text;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t end = pattern[at] == '{' ? pattern.find('}', at) : std::string::npos;
    if (end == std::string::npos) {
      text += pattern[at++];
      continue;
    }
    const std::string_view field = std::string_view(pattern).substr(at + 1, end - at - 1);
    const std::size_t colon = field.find(':');
    const std::string name(field.substr(0, colon));
    if (auto_insert_metric_name) text += name + "=";
    text += formatted(
        name, colon == std::string_view::npos ? std::string_view() : field.substr(colon + 1),
        value_of(name).value_or(0));
    at = end + 1;
  }
  return text;
}

}  // namespace levin::inline v0

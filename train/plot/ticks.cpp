#include "ticks.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace levin::inline v0 {
namespace {

struct Step {
  double mantissa;  // 1, 2, 2.5 or 5
  int exponent;

  double size() const { return mantissa * std::pow(10.0, exponent); }
  // The power of ten of the last digit of the step's multiples.
  int last_digit() const { return mantissa == 2.5 ? exponent - 1 : exponent; }
};

// The smallest step that needs no more than max_intervals.
Step nice_step(double range, int max_intervals) {
  const double least = range / max_intervals;
  const int exponent = int(std::floor(std::log10(least)));
  for (const double mantissa : {1.0, 2.0, 2.5, 5.0})
    if (const Step step{mantissa, exponent}; step.size() >= least * (1 - 1e-9)) return step;
  return {1, exponent + 1};
}

int exponent_of(double value) {
  return value == 0 ? 0 : int(std::floor(std::log10(std::abs(value)) + 1e-9));
}

std::string text_of(double value, std::chars_format format, int precision) {
  char buffer[400];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, std::abs(value), format, precision);
  std::string text(buffer, end.ptr);
  if (value < 0 && text.find_first_of("123456789") != std::string::npos) text.insert(0, "−");
  return text;
}

std::string power_of_ten(int exponent) {
  static constexpr const char* kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string text = exponent < 0 ? "×10⁻" : "×10";
  for (const char digit : std::to_string(std::abs(exponent))) text += kDigits[digit - '0'];
  return text;
}

// With significant digits, and a power of ten where these would need many zeros.
std::string short_text(double value, int significant) {
  const std::string text = text_of(value, std::chars_format::general, significant);
  const std::size_t e = text.find('e');
  if (e == std::string::npos) return text;
  return text.substr(0, e) + power_of_ten(std::stoi(text.substr(e + 1)));
}

// What to take off first..last (in steps) so that few digits are left: the digits that they share.
double shared_part(double first, double last, Step step) {
  const double largest = std::max(std::abs(first), std::abs(last)) * step.size();
  if (exponent_of(largest) - step.last_digit() < 6 || first * last <= 0) return 0;
  const int digits = exponent_of((last - first) * step.size()) + 1;
  const double unit = std::round(std::pow(10.0, digits - step.exponent) / step.mantissa);
  return std::trunc((first > 0 ? first : last) / unit) * unit;
}

}  // namespace

Ticks value_ticks(double low, double high, int max_intervals) {
  const Step step = nice_step(high - low, max_intervals);
  const double size = step.size();
  const double first = std::ceil(low / size - 1e-9), last = std::floor(high / size + 1e-9);
  const double shared = shared_part(first, last, step);
  const int largest =
      exponent_of(std::max(std::abs(first - shared), std::abs(last - shared)) * size);
  const int decimals = std::max(-step.last_digit(), 0);
  const bool plain = largest < 6 && largest > -4 && decimals <= 5;
  const int exponent = plain ? 0 : largest;

  Ticks ticks;
  for (double i = first; i <= last; ++i) {
    ticks.positions.push_back(i * size);
    ticks.labels.push_back(text_of(
        (i - shared) * step.mantissa * std::pow(10.0, step.exponent - exponent),
        std::chars_format::fixed, plain ? decimals : std::max(exponent - step.last_digit(), 0)));
  }
  if (!plain) ticks.scale = power_of_ten(exponent);
  if (shared != 0)
    ticks.scale += (ticks.scale.empty() ? "" : " ") + std::string(shared < 0 ? "− " : "+ ") +
                   short_text(std::abs(shared) * size, 15);
  return ticks;
}

Ticks epoch_ticks(std::int64_t epochs) {
  const int max_intervals = epochs < 10000 ? 9 : 5;  // the labels must not touch
  Ticks ticks;
  if (epochs < 1) return ticks;
  Step step = nice_step(std::max<double>(epochs - 1, max_intervals), max_intervals);
  if (step.last_digit() < 0) step.mantissa = 5;
  const auto size = std::int64_t(std::lround(step.size()));
  for (std::int64_t at = size; at <= epochs; at += size) {
    ticks.positions.push_back(double(at));
    ticks.labels.push_back(std::to_string(at));
  }
  return ticks;
}

std::string value_text(double value) {
  const double size = std::abs(value);
  if (size == 0 || (size >= 0.1 && size < 1e6)) return text_of(value, std::chars_format::fixed, 2);
  return short_text(value, 3);
}

}

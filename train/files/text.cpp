#include "text.h"

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <iterator>

namespace levin::inline v0 {

std::string python_repr(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  const double size = std::abs(number);
  const bool positional = size == 0 || (size >= 1e-4 && size < 1e16);
  char digits[64];
  const auto end =
      std::to_chars(std::begin(digits), std::end(digits), number,
                    positional ? std::chars_format::fixed : std::chars_format::scientific)
          .ptr;
  std::string text(digits, end);
  if (positional && text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::string fixed_text(double number, int digits) {
  if (std::isnan(number)) return "nan";
  char text[400];
  const auto end =
      std::to_chars(std::begin(text), std::end(text), number, std::chars_format::fixed, digits).ptr;
  return {text, end};
}

std::string with_commas(int64_t number) {
  std::string text = std::to_string(number);
  const int first = number < 0 ? 1 : 0;
  for (int at = static_cast<int>(text.size()) - 3; at > first; at -= 3) text.insert(at, ",");
  return text;
}

std::string python_list(const std::vector<std::string>& texts) {
  std::string list = "[";
  for (const std::string& text : texts) list += (list.size() > 1 ? ", '" : "'") + text + "'";
  return list + "]";
}

char32_t next_character(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t length = 1;
  if (byte(0) >= 0xC0) length = byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : 4;
  char32_t character = length == 1 ? byte(0) : byte(0) & (0x7F >> length);
  bool good = (byte(0) < 0x80 || length > 1) && byte(0) < 0xF8 && length <= text.size();
  for (std::size_t i = 1; good && i < length; ++i) {
    good = (byte(i) & 0xC0) == 0x80;
    character = character << 6 | (byte(i) & 0x3F);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  good = good && character >= kSmallest[length] && character <= 0x10FFFF &&
         !(character >= 0xD800 && character <= 0xDFFF);
  text.remove_prefix(good ? length : 1);
  return good ? character : 0xFFFD;
}

std::size_t character_count(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) next_character(text);
  return count;
}

double seconds_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<double>(std::chrono::duration_cast<std::chrono::microseconds>(now).count()) /
         1e6;
}

namespace {

struct Split {
  int64_t seconds;
  int microseconds;
};

Split split(double seconds) {
  const auto total = static_cast<int64_t>(std::llround(seconds * 1e6));
  Split result{total / 1000000, static_cast<int>(total % 1000000)};
  if (result.microseconds < 0) {
    result.microseconds += 1000000;
    --result.seconds;
  }
  return result;
}

std::string fraction_text(int microseconds) {
  if (microseconds == 0) return "";
  char text[16];
  std::snprintf(text, sizeof text, ".%06d", microseconds);
  return text;
}

}  // namespace

std::string date_text(double seconds) {
  const Split time = split(seconds);
  const std::time_t whole = time.seconds;
  std::tm local{};
  localtime_r(&whole, &local);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
  return text + fraction_text(time.microseconds);
}

std::string duration_text(double seconds) {
  const Split time = split(seconds);
  int64_t days = time.seconds / 86400, rest = time.seconds % 86400;
  if (rest < 0) rest += 86400, --days;
  std::string text;
  if (days != 0) text = std::to_string(days) + (days == 1 || days == -1 ? " day, " : " days, ");
  char clock[32];
  std::snprintf(clock, sizeof clock, "%d:%02d:%02d", static_cast<int>(rest / 3600),
                static_cast<int>(rest / 60 % 60), static_cast<int>(rest % 60));
  return text + clock + fraction_text(time.microseconds);
}

}  // namespace levin::inline v0

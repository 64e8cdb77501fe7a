#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>

#include "../../kernels/check.h"
#include "text.h"

namespace levin::inline v0 {
namespace {

bool is_one_of(char c, std::string_view characters) {
  return characters.find(c) != std::string_view::npos;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Would a reader take it for a number, a date or a time? In case of doubt it is quoted: readers of
// YAML 1.2 see a number in "1e5", PyYAML does not.
bool looks_like_number(std::string_view text) {
  if (is_one_of(text[0], "+-")) text.remove_prefix(1);
  if (text == ".inf" || text == ".Inf" || text == ".INF" || text == ".nan" || text == ".NaN" ||
      text == ".NAN")
    return true;
  const bool starts = !text.empty() && (is_digit(text[0]) || text[0] == '.');
  const bool time = text.find(':') != std::string_view::npos;
  return starts && (time || text.find(' ') == std::string_view::npos) &&
         std::count(text.begin(), text.end(), '.') <= 1 &&
         std::any_of(text.begin(), text.end(), is_digit) &&
         text.find_first_not_of("0123456789abcdefABCDEF+-._:oxTtZ ") == std::string_view::npos;
}

bool is_word_of_yaml(const std::string& text) {
  std::string lower = text;
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  for (const char* word : {"~", "null", "true", "false", "yes", "no", "on", "off", "=", "<<"})
    if (lower == word) return true;
  return false;
}

bool is_printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// Printable ASCII that means itself without quotes, by the rules of PyYAML's analyze_scalar.
bool is_plain(const std::string& text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ') return false;
  if (is_one_of(text[0], "#,[]{}&*!|>'\"%@`")) return false;
  if (text.starts_with("---") || text.starts_with("...")) return false;
  const auto ends_word = [&](std::size_t at) { return at == text.size() || text[at] == ' '; };
  if (is_one_of(text[0], "?:-") && ends_word(1)) return false;
  for (std::size_t i = 1; i < text.size(); ++i)
    if ((text[i] == ':' && ends_word(i + 1)) || (text[i] == '#' && text[i - 1] == ' '))
      return false;
  return !looks_like_number(text) && !is_word_of_yaml(text);
}

// What stands between double quotes for one character.
std::string escaped(char32_t c) {
  constexpr std::pair<char32_t, char> kShort[] = {
      {0, '0'},     {7, 'a'},    {8, 'b'},    {9, 't'},      {10, 'n'},
      {11, 'v'},    {12, 'f'},   {13, 'r'},   {27, 'e'},     {'"', '"'},
      {'\\', '\\'}, {0x85, 'N'}, {0xa0, '_'}, {0x2028, 'L'}, {0x2029, 'P'}};
  for (const auto& [character, letter] : kShort)
    if (c == character) return {'\\', letter};
  if (c >= ' ' && c <= '~') return {static_cast<char>(c)};
  char text[16];
  const char* format = c < 0x100 ? "\\x%02X" : c < 0x10000 ? "\\u%04X" : "\\U%08X";
  std::snprintf(text, sizeof text, format, static_cast<unsigned>(c));
  return text;
}

std::string text_scalar(const std::string& text) {
  std::string quoted;
  if (is_printable_ascii(text)) {
    if (is_plain(text)) return text;
    for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
    return "'" + quoted + "'";
  }
  for (std::string_view left = text; !left.empty();) quoted += escaped(next_character(left));
  return '"' + quoted + '"';
}

std::string real_scalar(double number) {
  if (std::isnan(number)) return ".nan";
  if (std::isinf(number)) return number > 0 ? ".inf" : "-.inf";
  std::string text = python_repr(number);
  // YAML 1.1 takes 1e-05 for text.
  const std::size_t e = text.find('e');
  if (e != std::string::npos && text.find('.') == std::string::npos) text.insert(e, ".0");
  return text;
}

std::string scalar(const Value& value) {
  if (value.is_null()) return "null";
  if (value.is_bool()) return value.as_bool() ? "true" : "false";
  if (value.is_integer()) return std::to_string(value.as_integer());
  if (value.is_text()) return text_scalar(value.as_text());
  if (value.is_list()) return "[]";
  return value.is_map() ? "{}" : real_scalar(value.as_real());
}

// The first line of what stands after a dash is indented already.
void write(const Value& value, int depth, bool after_dash, std::string* text) {
  bool first = true;
  const auto indent = [&] {
    if (!(first && after_dash)) *text += std::string(static_cast<std::size_t>(depth) * 2, ' ');
    first = false;
  };
  if (value.is_list()) {
    for (const Value& item : value.as_list()) {
      indent();
      *text += "- ";
      if (item.size() > 0)
        write(item, depth + 1, true, text);
      else
        *text += scalar(item) + "\n";
    }
    return;
  }
  Value::Map sorted = value.as_map();
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [key, item] : sorted) {
    indent();
    *text += text_scalar(key) + ":";
    if (item.size() == 0) {
      *text += " " + scalar(item) + "\n";
      continue;
    }
    *text += "\n";
    write(item, item.is_list() ? depth : depth + 1, false, text);  // as PyYAML indents them
  }
}

}  // namespace

std::string to_yaml(const Value& value) {
  check(value.is_null() || value.is_map(), {"to_yaml: a map is needed"});
  if (value.size() == 0) return "{}\n";
  std::string text;
  write(value, 0, false, &text);
  return text;
}

}  // namespace levin::inline v0

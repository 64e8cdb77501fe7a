#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>

#include "text.h"

namespace levin::inline v0 {
namespace {

// Text that YAML cannot take for anything else stands as it is.
bool plain(const std::string& text) {
  if (text.empty() ||
      !(std::isalpha(static_cast<unsigned char>(text[0])) || text[0] == '_' || text[0] == '/'))
    return false;
  for (const char c : text)
    if (!(std::isalnum(static_cast<unsigned char>(c)) ||
          std::string_view("_-./ ").find(c) != std::string_view::npos))
      return false;
  if (text.back() == ' ') return false;
  std::string lower = text;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const char* word : {"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
    if (lower == word) return false;
  return true;
}

std::string scalar(const std::string& text) {
  if (plain(text)) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c == '\n') {
      quoted += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(c));
      quoted += escaped;
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string scalar(const Value& value) {
  if (value.is_null()) return "null";
  if (value.is_bool()) return value.as_bool() ? "true" : "false";
  if (value.is_integer()) return std::to_string(value.as_integer());
  if (value.is_text()) return scalar(value.as_text());
  if (value.is_list()) return "[]";
  if (value.is_map()) return "{}";
  const double number = value.as_real();
  if (std::isnan(number)) return ".nan";
  if (std::isinf(number)) return number > 0 ? ".inf" : "-.inf";
  std::string text = python_repr(number);
  // YAML 1.1 takes 1e-05 for text; PyYAML writes 1.0e-05.
  const std::size_t e = text.find('e');
  if (e != std::string::npos && text.find('.') == std::string::npos) text.insert(e, ".0");
  return text;
}

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
    *text += scalar(key) + ":";
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
  if (value.size() == 0) return "{}\n";
  std::string text;
  write(value, 0, false, &text);
  return text;
}

}  // namespace levin::inline v0

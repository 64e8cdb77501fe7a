#include "html.h"

#include <algorithm>

#include "../../kernels/check.h"
#include "../files/text.h"

namespace levin::inline v0 {
namespace {

bool is_control(char32_t character) {
  const bool space = character == '\t' || character == '\n';
  return (character < 0x20 && !space) || (character >= 0x7F && character < 0xA0);
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::string_view before = text;
    const char32_t character = next_character(text);
    switch (character) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        if (character == 0xFFFD || is_control(character))
          result += "\uFFFD";
        else
          result += before.substr(0, before.size() - text.size());
    }
  }
  return result;
}

std::string script_json(const Value& value) {
  std::string result;
  for (const char c : to_json(value, -1, NonFinite::text))
    if (c == '<')
      result += "\\u003c";
    else
      result += c;
  return result;
}

std::string filled(std::string_view page, std::initializer_list<Slot> slots) {
  std::string result;
  for (std::size_t at; (at = page.find("{{")) != page.npos;) {
    const std::size_t end = page.find("}}", at);
    check(end != page.npos, {"report: a slot of the template is not closed"});
    const std::string_view name = page.substr(at + 2, end - at - 2);
    const auto slot = std::find_if(slots.begin(), slots.end(),
                                   [&](const Slot& slot) { return slot.name == name; });
    check(slot != slots.end(), {"report: nothing to put into the template's slot ", name});
    result += page.substr(0, at);
    result += slot->text;
    page.remove_prefix(end + 2);
  }
  return result += page;
}

}  // namespace levin::inline v0

// Text that goes into a page of HTML: nothing in it can become markup or script.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "../files/value.h"

namespace levin::inline v0 {

/// For content and for attributes in either kind of quotes. What is not UTF-8, and control characters,
/// become U+FFFD.
std::string escaped(std::string_view text);

/// JSON for the inside of a <script>, on one line and in ASCII: no "<" stands in it. NaN and
/// infinities are the texts "nan", "inf", "-inf".
std::string script_json(const Value& value);

struct Slot {
  std::string_view name, text;
};

/// The template with each {{name}} replaced, once: what is put in is not looked at. Throws
/// std::invalid_argument where a slot has no text.
std::string filled(std::string_view page, std::initializer_list<Slot> slots);

}

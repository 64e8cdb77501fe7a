// Values as text: numbers as Python writes them, JSON, YAML, tables of time.
#pragma once

#include <string>
#include <string_view>

#include "value.h"

namespace levin::inline v0 {

/// Python's repr(float): the shortest digits that read back as the same double; positional from
/// 1e-4 to below 1e16 ("0.0001", "1.0"), else "1e-05", "1.5e+16"; "nan", "inf", "-inf".
std::string python_repr(double number);
/// printf's "%.<digits>f"; "nan", "inf".
std::string fixed_text(double number, int digits);
/// "1,234,567"
std::string with_commas(int64_t number);
/// Python's list of texts: "['a', 'b']".
std::string python_list(const std::vector<std::string>& texts);

/// Takes the first character off text, which is UTF-8 and not empty; what is not UTF-8 gives U+FFFD
/// a byte.
char32_t next_character(std::string_view& text);
/// Characters, not bytes.
std::size_t character_count(std::string_view text);

/// What JSON, which knows finite numbers only, gets for the others.
enum class NonFinite : uint8_t {
  null,  ///< null: for files that people and other programs read
  text   ///< "nan", "inf", "-inf": read back by real_of()
};

/// Python's json.dumps(value, indent): every list element and map entry on its own line; indent < 0
/// puts all on one line. Text outside ASCII becomes \uXXXX; bytes that are not UTF-8 become U+FFFD.
std::string to_json(const Value& value, int indent, NonFinite non_finite);
/// Throws std::invalid_argument with `name` and the position where the text is not JSON, nested
/// deeper than 100, or holds a key twice.
Value from_json(std::string_view text, const std::string& name);
/// A double that to_json(NonFinite::text) may have written as text.
double real_of(const Value& value);

/// PyYAML's dump of a map in block style with sorted keys: "lr: 0.1\nname: x\n"; "{}\n" where it
/// is empty or null. Texts stay on one line, however long they are. Throws std::invalid_argument
/// for what is no map.
std::string to_yaml(const Value& value);

/// Seconds since 1970 with microseconds.
double seconds_now();
/// Local time "YYYY-MM-DD HH:MM:SS.ffffff"; the fraction is left out where it is 0.
std::string date_text(double seconds);
/// Python's str(timedelta): "0:00:01.938213", "1 day, 0:00:03.500000", "0:00:05".
std::string duration_text(double seconds);

}  // namespace levin::inline v0

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "../../kernels/check.h"
#include "text.h"

namespace levin::inline v0 {
namespace {

// nlohmann escapes a text as Python does once ensure_ascii is on.
std::string quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

class Writer {
 public:
  Writer(int indent, NonFinite non_finite) : indent_(indent), non_finite_(non_finite) {}

  void write(const Value& value, int depth) {
    if (value.is_null())
      text += "null";
    else if (value.is_bool())
      text += value.as_bool() ? "true" : "false";
    else if (value.is_integer())
      text += std::to_string(value.as_integer());
    else if (value.is_real())
      write_real(value.as_real());
    else if (value.is_text())
      text += quoted(value.as_text());
    else if (value.size() == 0)
      text += value.is_list() ? "[]" : "{}";
    else
      write_items(value, depth + 1);
  }

  std::string text;

 private:
  void write_real(double number) {
    if (std::isfinite(number))
      text += python_repr(number);
    else
      text += non_finite_ == NonFinite::null ? "null" : "\"" + python_repr(number) + "\"";
  }

  void write_items(const Value& value, int depth) {
    const char* separator = "";
    text += value.is_list() ? '[' : '{';
    const auto next = [&] {
      text += separator;
      separator = indent_ < 0 ? ", " : ",";
      new_line(depth);
    };
    if (value.is_list())
      for (const Value& item : value.as_list()) next(), write(item, depth);
    else
      for (const auto& [key, item] : value.as_map()) {
        next();
        text += quoted(key) + ": ";
        write(item, depth);
      }
    new_line(depth - 1);
    text += value.is_list() ? ']' : '}';
  }

  void new_line(int depth) {
    if (indent_ >= 0) text += "\n" + std::string(static_cast<std::size_t>(indent_) * depth, ' ');
  }

  const int indent_;
  const NonFinite non_finite_;
};

// Builds a Value from nlohmann's events: no tree of its own, so no memory beyond the value's.
class Reader : public nlohmann::json_sax<nlohmann::json> {
 public:
  Value result;
  std::string problem;

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(int64_t value) override { return add(value); }
  bool number_unsigned(uint64_t value) override {
    return value <= INT64_MAX ? add(value) : add(static_cast<double>(value));
  }
  bool number_float(double value, const std::string&) override { return add(value); }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return refuse("binary data"); }
  bool start_object(std::size_t) override { return open(Value(Value::Map())); }
  bool start_array(std::size_t) override { return open(Value(Value::List())); }
  bool end_object() override {
    std::vector<std::string_view> keys;
    for (const auto& [key, value] : open_.back()->as_map()) keys.push_back(key);
    std::sort(keys.begin(), keys.end());
    const auto twice = std::adjacent_find(keys.begin(), keys.end());
    if (twice != keys.end())
      return refuse("the key '" + std::string(*twice) + "' stands there twice");
    return open_.pop_back(), true;
  }
  bool end_array() override { return open_.pop_back(), true; }
  bool key(std::string& key) override {
    key_ = std::move(key);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception&) override {
    return refuse("no valid JSON at byte " + std::to_string(position));
  }

 private:
  static constexpr std::size_t kDeepest = 100;

  bool refuse(std::string why) {
    if (problem.empty()) problem = std::move(why);
    return false;
  }
  Value* place(Value value) {
    if (open_.empty()) return &(result = std::move(value));
    Value& parent = *open_.back();
    if (parent.is_map())
      return &parent.as_map().emplace_back(std::move(key_), std::move(value)).second;
    parent.push_back(std::move(value));
    return &parent.as_list().back();
  }
  bool add(Value value) { return place(std::move(value)), true; }
  bool open(Value value) {
    if (open_.size() == kDeepest) return refuse("it is nested too deeply");
    open_.push_back(place(std::move(value)));
    return true;
  }

  std::vector<Value*> open_;  // each the last child of the one before: no push moves them
  std::string key_;
};

}  // namespace

std::string to_json(const Value& value, int indent, NonFinite non_finite) {
  Writer writer(indent, non_finite);
  writer.write(value, 0);
  return std::move(writer.text);
}

Value from_json(std::string_view text, const std::string& name) {
  Reader reader;
  const bool read = nlohmann::json::sax_parse(text, &reader);
  check(read, {name, ": ", reader.problem});
  return std::move(reader.result);
}

double real_of(const Value& value) {
  if (!value.is_text()) return value.as_real();
  const std::string& text = value.as_text();
  if (text == "nan") return NAN;
  if (text == "inf") return INFINITY;
  check(text == "-inf", {"a number is needed, not '", text, "'"});
  return -INFINITY;
}

}  // namespace levin::inline v0

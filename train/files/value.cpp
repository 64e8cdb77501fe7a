#include "value.h"

#include <algorithm>

#include "../../kernels/check.h"

namespace levin::inline v0 {
namespace {

constexpr const char* kNames[] = {"null", "a bool", "an integer", "a double",
                                  "text", "a list", "a map"};

[[noreturn]] void fail_kind(std::size_t held, const char* wanted) {
  fail({"value: it is ", kNames[held], ", not ", wanted});
}

template <class Map>
auto find_key(Map& map, std::string_view key) {
  return std::find_if(map.begin(), map.end(),
                      [&](const auto& entry) { return entry.first == key; });
}

}  // namespace

int64_t Value::integer_of(uint64_t number) {
  check(number <= INT64_MAX, {"value: ", std::to_string(number), " does not fit into int64"});
  return static_cast<int64_t>(number);
}

bool Value::as_bool() const {
  if (const bool* held = std::get_if<bool>(&held_)) return *held;
  fail_kind(held_.index(), "a bool");
}

int64_t Value::as_integer() const {
  if (const int64_t* held = std::get_if<int64_t>(&held_)) return *held;
  fail_kind(held_.index(), "an integer");
}

double Value::as_real() const {
  if (const double* held = std::get_if<double>(&held_)) return *held;
  if (const int64_t* held = std::get_if<int64_t>(&held_)) return static_cast<double>(*held);
  fail_kind(held_.index(), "a double");
}

const std::string& Value::as_text() const {
  if (const std::string* held = std::get_if<std::string>(&held_)) return *held;
  fail_kind(held_.index(), "text");
}

const Value::List& Value::as_list() const {
  if (const List* held = std::get_if<List>(&held_)) return *held;
  fail_kind(held_.index(), "a list");
}

Value::List& Value::as_list() { return const_cast<List&>(std::as_const(*this).as_list()); }

const Value::Map& Value::as_map() const {
  if (const Map* held = std::get_if<Map>(&held_)) return *held;
  fail_kind(held_.index(), "a map");
}

Value::Map& Value::as_map() { return const_cast<Map&>(std::as_const(*this).as_map()); }

Value& Value::operator[](std::string_view key) {
  if (is_null()) held_ = Map();
  Map* map = std::get_if<Map>(&held_);
  if (!map) fail_kind(held_.index(), "a map");
  if (const auto found = find_key(*map, key); found != map->end()) return found->second;
  return map->emplace_back(key, Value()).second;
}

const Value* Value::find(std::string_view key) const {
  const Map* map = std::get_if<Map>(&held_);
  if (!map) return nullptr;
  const auto found = find_key(*map, key);
  return found == map->end() ? nullptr : &found->second;
}

const Value& Value::at(std::string_view key) const {
  if (const Value* found = find(key)) return *found;
  fail({"value: the map has no entry '", key, "'"});
}

bool Value::erase(std::string_view key) {
  Map* map = std::get_if<Map>(&held_);
  if (!map) return false;
  const auto found = find_key(*map, key);
  if (found == map->end()) return false;
  map->erase(found);
  return true;
}

std::size_t Value::size() const {
  if (is_list()) return as_list().size();
  return is_map() ? as_map().size() : 0;
}

void Value::push_back(Value value) {
  if (is_null()) held_ = List();
  as_list().push_back(std::move(value));
}

}  // namespace levin::inline v0

// Value: what JSON and YAML can hold. Hyper-parameters, the state of callbacks, metadata.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace levin::inline v0 {

/// Null, a bool, an integer, a double, text, a list, or a map that keeps the order of insertion.
/// Throws std::invalid_argument for an unsigned number that does not fit into int64.
class Value {
 public:
  using List = std::vector<Value>;
  using Map = std::vector<std::pair<std::string, Value>>;

  Value() = default;
  Value(std::nullptr_t) {}
  template <class T>
  requires std::is_arithmetic_v<T> Value(T number) {
    if constexpr (std::is_same_v<T, bool>)
      held_ = number;
    else if constexpr (std::is_unsigned_v<T> && sizeof(T) == sizeof(int64_t))
      held_ = integer_of(number);
    else if constexpr (std::is_integral_v<T>)
      held_ = static_cast<int64_t>(number);
    else
      held_ = static_cast<double>(number);
  }
  Value(const char* text) : held_(std::string(text)) {}
  Value(std::string text) : held_(std::move(text)) {}
  Value(std::string_view text) : held_(std::string(text)) {}
  Value(List list) : held_(std::move(list)) {}
  Value(Map map) : held_(std::move(map)) {}
  // Not the variant's own copy: that of libstdc++ 12 crashes where memory runs out in it.
  Value(const Value& other) {
    std::visit([this](const auto& held) { held_.emplace<std::decay_t<decltype(held)>>(held); },
               other.held_);
  }
  Value(Value&&) noexcept = default;
  Value& operator=(const Value& other) { return *this = Value(other); }
  Value& operator=(Value&&) noexcept = default;
  ~Value() = default;

  bool is_null() const { return std::holds_alternative<std::monostate>(held_); }
  bool is_bool() const { return std::holds_alternative<bool>(held_); }
  bool is_integer() const { return std::holds_alternative<int64_t>(held_); }
  bool is_real() const { return std::holds_alternative<double>(held_); }
  bool is_text() const { return std::holds_alternative<std::string>(held_); }
  bool is_list() const { return std::holds_alternative<List>(held_); }
  bool is_map() const { return std::holds_alternative<Map>(held_); }

  /// The content as this type; an integer is a double too. Throws std::invalid_argument for others.
  bool as_bool() const;
  int64_t as_integer() const;
  double as_real() const;
  const std::string& as_text() const;
  const List& as_list() const;
  const Map& as_map() const;
  List& as_list();
  Map& as_map();

  /// The entry of a map, made where it is missing; null becomes a map.
  Value& operator[](std::string_view key);
  /// Null where the key is missing or this is no map.
  const Value* find(std::string_view key) const;
  /// Throws std::invalid_argument where the key is missing.
  const Value& at(std::string_view key) const;
  bool erase(std::string_view key);
  /// Of a list or map; 0 for anything else.
  std::size_t size() const;
  /// Appends to a list; null becomes a list.
  void push_back(Value value);

  friend bool operator==(const Value&, const Value&) = default;

 private:
  static int64_t integer_of(uint64_t number);

  std::variant<std::monostate, bool, int64_t, double, std::string, List, Map> held_;
};

}  // namespace levin::inline v0

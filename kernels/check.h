// Errors: a check costs one branch; its message is put together only when it fails.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "device.h"
#include "dtype.h"
#include "layout.h"

namespace levin::inline v0 {

/// A piece of a message: text, a number, a shape, an element type or a device. Refers to what it is
/// made from.
class Part {
 public:
  // Only kept here, and measured in append_to(): a check that holds must cost next to nothing.
  Part(const char* text) : kind_(Kind::c_text), c_text_(text) {}
  Part(std::string_view text) : kind_(Kind::text), text_(text) {}
  Part(const std::string& text) : Part(std::string_view(text)) {}
  Part(int number) : Part(int64_t{number}) {}
  Part(int64_t number) : kind_(Kind::integer), integer_(number) {}
  Part(std::size_t number) : Part(static_cast<int64_t>(number)) {}
  Part(double number) : kind_(Kind::real), real_(number) {}
  Part(const Shape& shape) : kind_(Kind::shape), shape_(&shape) {}
  Part(DType dtype) : Part(name_of(dtype)) {}
  Part(Device device) : Part(name_of(device)) {}

  void append_to(std::string* message) const;

 private:
  enum class Kind : uint8_t { c_text, text, integer, real, shape };
  Kind kind_;
  union {
    const char* c_text_;
    std::string_view text_;
    int64_t integer_;
    double real_;
    const Shape* shape_;
  };
};

/// Whose fault an error is, and so which exception is thrown.
enum class Fault : uint8_t {
  argument,  ///< the caller's mistake: std::invalid_argument
  index,     ///< an index out of range: std::out_of_range
  order,     ///< the wrong order, or not possible: std::logic_error
  world      ///< files, memory, devices: std::runtime_error
};

/// Throws, with the path of the modules that are running (see Where) before the message.
[[noreturn]] void fail(Fault fault, std::initializer_list<Part> message);
[[noreturn]] inline void fail(std::initializer_list<Part> message) {
  fail(Fault::argument, message);
}

/// `check(a == b, {"add: ", a, " and ", b, ": shapes must be equal"})`
inline void check(bool ok, std::initializer_list<Part> message) {
  if (!ok) [[unlikely]]
    fail(Fault::argument, message);
}

/// A named place for error messages, for as long as the object lives: `Where where("model.2",
/// "Linear 63 -> 10")`. Both texts must outlive it. Errors inside read `model.2 (Linear 63 -> 10):
/// ...`.
class Where {
 public:
  Where(std::string_view name, std::string_view kind);
  ~Where();
  Where(const Where&) = delete;
  Where& operator=(const Where&) = delete;

 private:
  friend void fail(Fault, std::initializer_list<Part>);
  std::string_view name_, kind_;
  const Where* outer_;
};

}  // namespace levin::inline v0

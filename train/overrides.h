// Which hooks an object has of its own, without calling them.
#pragma once

#include <cstddef>
#include <cstring>

namespace levin::inline v0 {

/// The code that a virtual call of `function` reaches, as a number to compare. By the Itanium C++ ABI
/// (2.3) a pointer to a virtual member function holds, in bytes and one more, the place of its entry
/// in the table that the object's first word points to.
template <class Base, class Function>
std::size_t reached_by(const Base& object, Function Base::*function) {
  struct {
    std::size_t place_and_one;
    std::ptrdiff_t adjustment;
  } pointer;
  static_assert(sizeof pointer == sizeof function);
  std::memcpy(&pointer, &function, sizeof pointer);
  const char* table;
  std::memcpy(&table, static_cast<const void*>(&object), sizeof table);
  std::size_t code;
  std::memcpy(&code, table + pointer.place_and_one - 1, sizeof code);
  return code;
}

/// Does `object` override a virtual function of `plain`'s class?
template <class Base, class Function>
bool overrides(const Base& object, const Base& plain, Function Base::*function) {
  return reached_by(object, function) != reached_by(plain, function);
}

}  // namespace levin::inline v0

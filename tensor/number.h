// Number: a plain number beside a tensor, with Python's rules for what it does to the tensor's
// element type.
#pragma once

#include <cstdint>
#include <type_traits>

#include "../kernels/dtype.h"

namespace levin::inline v0 {

/// A number in an expression with tensors: `x > 0.5`, `full({2}, 7)`. It never widens a tensor of
/// its own kind or a higher one: float32 with 0.5 stays float32, int64 with 2 stays int64, int64
/// with 0.5 becomes float32.
struct Number {
  enum Kind : uint8_t { boolean, integer, real };
  double value = 0;
  Kind kind = integer;

  constexpr Number(double its_value, Kind its_kind) : value(its_value), kind(its_kind) {}
  template <class T>
  requires std::is_arithmetic_v<T>
  constexpr Number(T number)
      : value(static_cast<double>(number)),
        kind(std::is_same_v<T, bool> ? boolean
             : std::is_integral_v<T> ? integer
                                     : real) {}

  /// The element type that a tensor made of this number alone has.
  constexpr DType dtype() const {
    return kind == real ? kFloat32 : kind == integer ? kInt64 : kBool;
  }
};

}  // namespace levin::inline v0

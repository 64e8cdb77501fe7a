// Comparisons, predicates and logic.
#pragma once

#include "formula.h"

namespace levin::inline v0::formula {

struct Eq {
  static constexpr bool kPredicate = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x == z;
  }
};

struct Ne {
  static constexpr bool kPredicate = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x != z;
  }
};

struct Lt {
  static constexpr bool kPredicate = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x < z;
  }
};

struct Le {
  static constexpr bool kPredicate = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x <= z;
  }
};

struct Gt {
  static constexpr bool kPredicate = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x > z;
  }
};

struct Ge {
  static constexpr bool kPredicate = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x >= z;
  }
};

struct IsNan {
  static constexpr bool kPredicate = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return x != x;
  }
};

// inf - inf is NaN; of integers every difference is a number.
struct IsInf {
  static constexpr bool kPredicate = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return (x == x) & (x - x != x - x);
  }
};

struct IsFinite {
  static constexpr bool kPredicate = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return x - x == x - x;
  }
};

struct LogicalNot {
  static constexpr bool kPredicate = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return x == T(0);
  }
};

struct LogicalAnd {
  static constexpr bool kPredicate = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return (x != T(0)) & (z != T(0));
  }
};

struct LogicalOr {
  static constexpr bool kPredicate = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return (x != T(0)) | (z != T(0));
  }
};

struct LogicalXor {
  static constexpr bool kPredicate = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return (x != T(0)) != (z != T(0));
  }
};

struct BitwiseNot {
  static constexpr bool kIntegersOnly = true;
  template <class T>
  LEVIN_HD auto f(T x) const {
    return ~x;
  }
};

struct BitwiseAnd {
  static constexpr bool kIntegersOnly = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x & z;
  }
};

struct BitwiseOr {
  static constexpr bool kIntegersOnly = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x | z;
  }
};

struct BitwiseXor {
  static constexpr bool kIntegersOnly = true;
  template <class T>
  LEVIN_HD auto f(T x, T z) const {
    return x ^ z;
  }
};

}  // namespace levin::inline v0::formula

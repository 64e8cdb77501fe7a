// All elementwise formulas; formulas/formula.h says how they are written.
#pragma once

#include "formulas/activations.h"
#include "formulas/arithmetic.h"
#include "formulas/functions.h"
#include "formulas/predicates.h"
#include "formulas/select.h"

namespace levin::inline v0 {

template <class Formula>
constexpr bool gives_bool() {
  return requires { Formula::kPredicate; };
}

inline constexpr bool kPredicates[kOps] = {
#define OP(name, Struct, arguments, parameters) gives_bool<formula::Struct>(),
#define FORMULA OP
#include "ops.def"
#undef FORMULA
#undef OP
};

/// Does the formula give bool?
constexpr bool is_predicate(Op op) { return kPredicates[static_cast<int>(op)]; }

}  // namespace levin::inline v0

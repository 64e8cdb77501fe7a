// The numbers and names of the elementwise formulas, from ops.def: a number is a formula's only
// identity on a device.
#pragma once

#include <cstdint>

namespace levin::inline v0 {

enum class Op : uint8_t {
#define OP(name, Struct, arguments, parameters) name,
#define FORMULA OP
#include "ops.def"
#undef FORMULA
#undef OP
};

/// How many there are.
inline constexpr int kOps = 0
#define OP(name, Struct, arguments, parameters) +1
#define FORMULA OP
#include "ops.def"
#undef FORMULA
#undef OP
    ;

/// "sigmoid"
inline constexpr const char* kOpNames[kOps] = {
#define OP(name, Struct, arguments, parameters) #name,
#define FORMULA OP
#include "ops.def"
#undef FORMULA
#undef OP
};

constexpr const char* name_of(Op op) { return kOpNames[static_cast<int>(op)]; }

/// What is computed of a formula: its value, or the gradient g times its derivative by one
/// argument.
enum class OpPart : uint8_t { f, d0, d1, d2 };

inline constexpr int kOpParts = 4;

/// What a derivative reads beside g: nothing, the arguments, the output, or both. Decides what is
/// kept for backward.
enum Needs : uint8_t { nothing = 0, input = 1, output = 2, both = 3 };

}  // namespace levin::inline v0

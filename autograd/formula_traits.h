// What is known of each elementwise formula, from its struct.
#pragma once

#include "../kernels/op.h"
#include "sym.h"

namespace levin::inline v0 {

struct Traits {
  int arguments;
  int parameters;
  Needs needs;
  bool floats_only;
  bool integers_only;
  bool not_bool;
  bool predicate;
  bool differentiable;
  bool passes[2];    // the derivative by that argument is 1
  uint8_t reads[3];  // the arguments that a derivative reads, as bits
  // g times the derivative as a recorded expression; x holds the arguments and then y
  Tensor (*symbolic)(OpPart part, const Tensor& g, const Sym* x, const double* numbers);

  // Are tensors of this type taken without a conversion?
  bool keeps(DType type) const {
    return is_floating(type) ? !integers_only : !floats_only && (type != kBool || !not_bool);
  }
};

extern const Traits kTraits[kOps];
inline const Traits& traits_of(Op op) { return kTraits[static_cast<int>(op)]; }

}  // namespace levin::inline v0

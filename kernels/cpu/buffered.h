// Elementwise calls whose operands do not all lie contiguous in the compute type.
#pragma once

#include "../backend.h"
#include "isa.h"

namespace levin::inline v0::cpu {

/// A piece of work for one thread: below, threads cost more than they give.
inline constexpr int64_t kElementGrain = 32768;

/// n elements of `call`, whose tile function gives elements of type `result`.
void run_buffered(const ElementwiseCall& call, TileFunction tile, DType result, int64_t n);

}  // namespace levin::inline v0::cpu

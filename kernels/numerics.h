// The version of levin's arithmetic.
#pragma once

#include <cstdint>

namespace levin::inline v0 {

/// Names every rule that decides a result's bits: the order of additions in products and sums, the
/// polynomials of exp and its kin, the layout of random numbers. Stored in checkpoints: a run that
/// is resumed by a levin with another number goes on, but not bit for bit.
inline constexpr int64_t kNumerics = 2;

}  // namespace levin::inline v0

// The order in which the elements of a line are added, on every device.
#pragma once

#include <cstdint>

namespace levin::inline v0 {

/// A sum's elements go to this many lanes in turn, to fewer where there are few of them.
inline constexpr int64_t kLanes = 64, kFewLanes = 16, kFewElements = 256;
/// Long sums are cut into blocks of this many elements, whose sums are added pairwise.
inline constexpr int64_t kSumBlock = 4096;

}  // namespace levin::inline v0

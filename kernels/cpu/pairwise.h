// The tree by which the results of blocks become one.
#pragma once

#include <cstdint>

namespace levin::inline v0 {

/// Combines results in place, neighbours first, until one is left.
template <class T, class Combine>
T combine_pairwise(T* results, int64_t count, Combine combine) {
  for (; count > 1; count = (count + 1) / 2) {
    for (int64_t i = 0; i < count / 2; ++i)
      results[i] = combine(results[2 * i], results[2 * i + 1]);
    if (count % 2) results[count / 2] = results[count - 1];
  }
  return results[0];
}

}  // namespace levin::inline v0

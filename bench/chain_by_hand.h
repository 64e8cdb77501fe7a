// W4 in one pass over memory, as a person would write it: sum of relu(a b + c) d, and its slopes.
#pragma once

#include <cstdint>

/// Where the operands lie, n elements each.
struct ChainByHand {
  const float *a, *b, *c, *d;
  float *da, *db, *dc, *dd;
  int64_t n;

  float forward() const;
  /// Writes the slopes of the sum too.
  float forward_backward() const;
};

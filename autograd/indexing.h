// What the operations that index by tensors share.
#pragma once

#include <vector>

#include "launch.h"

namespace levin::inline v0 {

/// Throws std::out_of_range for the first of the indices that is not in [lowest, size).
[[noreturn]] void fail_index(const char* name, const Tensor& index, int dim, int64_t size,
                             int64_t lowest = 0);

/// Are all positions in [0, size)? A call of the backend: it can be recorded and replayed.
bool in_range(const Tensor& positions, int64_t size);

/// Calls the backend; names the index that is out of range.
void launch_index(const char* name, IndexKind kind, int dim, const Tensor& source,
                  const Tensor& index, const Tensor& out);

/// A vector of positions along `dim`, repeated over the other sizes of `shape`.
Tensor spread(const Tensor& positions, const Shape& shape, int dim);

/// Row-major positions of what is true. Reads on the host.
std::vector<int64_t> true_places(const Tensor& mask);

inline Tensor number_like(const Tensor& x, Number value) {
  return full({}, value, x.dtype(), x.device());
}

inline Tensor copy_without_history(const Tensor& x) {
  NoGrad no_grad;
  return x.clone();
}

}  // namespace levin::inline v0

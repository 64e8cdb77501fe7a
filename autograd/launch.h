// What every operation's function needs: operands for the backend, and errors with the operation's
// name.
#pragma once

#include "../kernels/backend.h"
#include "../kernels/check.h"
#include "../tensor/layout_math.h"
#include "autocast.h"
#include "node.h"

namespace levin::inline v0 {

inline Arg arg(const Tensor& tensor) { return {tensor.impl().block.get(), &tensor.layout()}; }

// Apart: compilers prepare parts of a message before they know that it is needed.
[[noreturn, gnu::noinline, gnu::cold]] inline void fail_launch(const char* error,
                                                               const char* operation,
                                                               const Tensor& x) {
  fail(Fault::argument,
       {operation, " of a ", x.dtype(), " tensor of shape ", x.shape(), " ", error});
}

/// Throws what a backend function returned.
inline void launched(const char* error, const char* operation, const Tensor& x) {
  if (error) [[unlikely]]
    fail_launch(error, operation, x);
}

inline void check_same_device(const char* operation, const TensorImpl& a, const TensorImpl& b) {
  if (a.block->device != b.block->device) [[unlikely]]
    fail({operation, ": tensors on ", a.block->device, " and ", b.block->device,
          ": both must be on one device"});
}
inline void check_same_device(const char* operation, const Tensor& a, const Tensor& b) {
  check_same_device(operation, a.impl(), b.impl());
}

/// 16-bit values as float32: what takes several steps is computed in it and rounded once.
inline Tensor widened(const Tensor& x) {
  return x.defined() && is_16_bit(x.dtype()) ? x.to(kFloat32) : x;
}

/// g summed to `shape`, from which it was broadcast.
Tensor sum_to(const Tensor& g, const Shape& shape);

}  // namespace levin::inline v0

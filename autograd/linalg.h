// Linear algebra of square matrices in float32 and float64, with torch.linalg's names. All take
// batches [.., n, n] and have derivatives; a matrix that has no result (singular, not positive
// definite) throws std::invalid_argument, which names it.
#pragma once

#include "../tensor/tensor.h"

namespace levin::inline v0::linalg {

/// Lower L with L L^T = a, for symmetric positive definite a (its lower half is read).
Tensor cholesky(const Tensor& a);
/// x with a x = b: b [.., n, k], or [.., n] where it has one dimension less than a.
Tensor solve(const Tensor& a, const Tensor& b);
/// a^-1
Tensor inv(const Tensor& a);
/// The determinant, [..]. A singular a has determinant 0 and a gradient.
Tensor det(const Tensor& a);

}  // namespace levin::inline v0::linalg

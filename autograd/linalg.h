// Linear algebra of square matrices in float32 and float64, with torch.linalg's names. All take
// batches [.., n, n] and have derivatives; a matrix that has no result (singular, not positive
// definite) throws std::invalid_argument, which names it.
#pragma once

#include "../tensor/tensor.h"

namespace levin::inline v0::linalg {

/// Lower L with L L^T = a, for symmetric positive definite a (its lower half is read).
Tensor cholesky(const Tensor& a);
/// x with a x = b, by LU decomposition: b [.., n, k], leading sizes broadcast; or vectors, [n] or
/// [.., n] with the leading sizes of a.
Tensor solve(const Tensor& a, const Tensor& b);
/// a^-1
Tensor inv(const Tensor& a);
/// The determinant, [..]. A singular a has determinant 0 and the cofactors as derivative, for which
/// backward reads the determinants on the host.
Tensor det(const Tensor& a);

}  // namespace levin::inline v0::linalg

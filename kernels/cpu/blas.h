// OpenBLAS in the place of levin's own matrix product, where the user asks for it by
// LEVIN_MATMUL=openblas. Its bits depend on shapes, threads and processors.
#pragma once

#include "isa.h"

namespace levin::inline v0 {

/// Null, or why products cannot be computed as LEVIN_MATMUL says. Loads the library when first
/// called.
const char* blas_error();
/// Did the user ask for it?
bool blas_is_chosen();
/// Computes x with OpenBLAS. False where the user did not ask for it, or its interface does not take
/// x: strides that are 1 in no direction, rows that overlap.
bool blas_multiply(const GemmProblem<float>& x);
bool blas_multiply(const GemmProblem<double>& x);

}  // namespace levin::inline v0

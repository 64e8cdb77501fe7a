// What the two halves of the matrix product share: matmul.cpp, which gives it to cublasLt, and
// matmul_any.cu, the kernels of levin's own.
#pragma once

#include "gpu.h"

namespace levin::inline v0::cuda {

/// `count` matrices of one size; strides in elements.
struct Matrices {
  void* data;
  int64_t row, column, next;
};

/// c = alpha a b + beta c + bias for each matrix: a [m, k], b [k, n], c [m, n], bias [n] or null.
struct Product {
  DType dtype;
  int64_t count, m, n, k;
  Matrices a, b, c;
  const void* bias;
  double alpha, beta;
};

/// By a kernel of levin's own: all types but bool, all strides.
const char* multiply_any(Gpu&, const Product&);

/// c = c + bias. With sums (float32, contiguous), c = sums + beta c + bias.
const char* add_bias(Gpu&, const Product&, const float* sums);

}  // namespace levin::inline v0::cuda

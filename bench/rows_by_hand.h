// The work of bench/rows.cpp as a person would write it for float32 and this one purpose: what levin
// is measured against. Rows [rows, n] are contiguous; functions work on any part of the rows (or
// columns), so that two threads can share them.
#pragma once

#include <cstdint>

namespace by_hand {

/// out[c] = the sum of column c, for `columns` of them; rows lie `stride` apart.
using SumColumns = void(const float* x, int64_t rows, int64_t stride, int64_t columns, float* out);
extern SumColumns* const sum_columns;
/// out[r] = the sum of row r.
using SumRows = void(const float* x, int64_t rows, int64_t n, float* out);
extern SumRows* const sum_rows;

/// The sum of the rows' losses -log_softmax(x)[target]; slopes, where it is not null, gets the
/// gradient of `scale` times that.
using CrossEntropy = float(const float* x, const int64_t* target, int64_t rows, int64_t n,
                           float scale, float* slopes);
extern CrossEntropy* const cross_entropy;

/// y = (x - mean) r weight + bias, r = 1 / sqrt(var + eps); keeps mean and r of each row.
using LayerNorm = void(const float* x, const float* weight, const float* bias, int64_t rows,
                       int64_t n, float* mean, float* scale, float* y);
extern LayerNorm* const layer_norm;
/// dx from g; adds to dweight and dbias.
using LayerNormBackward = void(const float* x, const float* weight, const float* mean,
                               const float* scale, const float* g, int64_t rows, int64_t n,
                               float* dx, float* dweight, float* dbias);
extern LayerNormBackward* const layer_norm_backward;

/// The sum of (x - target)^2; out = scale (x - target).
using Mse = float(const float* x, const float* target, int64_t n);
extern Mse* const mse;
using MseBackward = void(const float* x, const float* target, float scale, int64_t n, float* out);
extern MseBackward* const mse_backward;

}  // namespace by_hand

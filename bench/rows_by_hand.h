// The work of bench/rows.cpp as a person would write it for float32 and this one purpose: what levin
// is measured against. Rows [rows, n] are contiguous; functions work on any part of the rows (or
// columns), so that two threads can share them.
#pragma once

#include <cstdint>

namespace by_hand {

/// out[c] = the sum of column c, for `columns` of them; rows lie `stride` apart.
void sum_columns(const float* x, int64_t rows, int64_t stride, int64_t columns, float* out);
/// out[r] = the sum of row r.
void sum_rows(const float* x, int64_t rows, int64_t n, float* out);

/// The sum of the rows' losses -log_softmax(x)[target]; slopes, where it is not null, gets the
/// gradient of `scale` times that.
float cross_entropy(const float* x, const int64_t* target, int64_t rows, int64_t n, float scale,
                    float* slopes);

/// y = (x - mean) r weight + bias, r = 1 / sqrt(var + eps); keeps mean and r of each row.
void layer_norm(const float* x, const float* weight, const float* bias, int64_t rows, int64_t n,
                float* mean, float* scale, float* y);
/// dx from g; adds to dweight and dbias.
void layer_norm_backward(const float* x, const float* weight, const float* mean, const float* scale,
                         const float* g, int64_t rows, int64_t n, float* dx, float* dweight,
                         float* dbias);

/// The sum of (x - target)^2; out = scale (x - target).
float mse(const float* x, const float* target, int64_t n);
void mse_backward(const float* x, const float* target, float scale, int64_t n, float* out);

}  // namespace by_hand

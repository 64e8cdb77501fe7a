// Functions of n numbers as plain loops, which the compiler makes vectors of: exp, tanh and erf by the
// C library's vector functions.
#pragma once

#include <cstdint>

void exp_by_hand(const float* x, float* y, int64_t n);
void tanh_by_hand(const float* x, float* y, int64_t n);
void gelu_by_hand(const float* x, float* y, int64_t n);
void add_by_hand(const float* x, const float* z, float* y, int64_t n);

// Adam's update as a person would write it: one pass over a parameter.
#pragma once

#include <cstdint>

/// Step 1, 2, ..: m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
/// p -= lr m / (1 - b1^step) / (sqrt(v / (1 - b2^step)) + eps), with PyTorch's defaults. n elements
/// each; T is float or double.
template <class T>
void adam_by_hand(T* p, const T* g, T* m, T* v, int64_t n, T lr, int step);

// Running results along a dimension, in either direction and with derivatives of every order: what
// cumsum, cumprod and the derivative of prod are made of.
#pragma once

#include "../tensor/tensor.h"

namespace levin::inline v0 {

/// For each element the product of all others along `dim`, without a division.
Tensor product_of_others(const Tensor& x, int dim);

}  // namespace levin::inline v0

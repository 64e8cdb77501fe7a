#include "sequential.h"

namespace levin::inline v0::nn {

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  for (std::size_t i = 0; i < size(); ++i) y = (*this)[i](y);
  return y;
}

}  // namespace levin::inline v0::nn

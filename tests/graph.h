// What the tests of graphs share: leaves, their numbers, and the errors of calls.
#pragma once

#include <levin/autograd/ops.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace levin {

using Numbers = std::vector<double>;

/// A float64 vector that wants a gradient.
inline Tensor leaf(const Numbers& numbers) { return from_vector(numbers).requires_grad_(); }
inline Numbers numbers_of(const Tensor& x) { return x.to_vector<double>(); }

/// What `call` throws; empty where it throws nothing.
template <class F>
std::string error_of(F call) {
  try {
    call();
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "";
}

}  // namespace levin

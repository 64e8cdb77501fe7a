// Calls that PyTorch refuses, as calls of levin.
#pragma once

#include <levin/autograd/ops.h>

#include <functional>
#include <map>
#include <string>

namespace levin {

/// By PyTorch's call: the same with levin, and words of its message.
struct Wrong {
  std::function<void()> call;
  const char* words;
};
using WrongCalls = std::map<std::string, Wrong>;

WrongCalls wrong_losses();
WrongCalls wrong_reductions();
WrongCalls wrong_shapes();
WrongCalls wrong_indices();
WrongCalls wrong_linalg();

}  // namespace levin

// The same function on the CPU and on the GPU, which must give the same bits.
#pragma once

#include <levin/levin.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "gpu.h"

namespace levin {

using Tensors = std::vector<Tensor>;

/// Where the GPU's result differs first; "" where it does not.
inline std::string first_difference(const Tensor& cpu, const Tensor& gpu) {
  if (gpu.device() != kCUDA) return "it is not on the GPU";
  if (cpu.shape() != gpu.shape() || cpu.dtype() != gpu.dtype()) return "shape or type";
  const auto wanted = cpu.to_vector<double>(), got = gpu.to_vector<double>();
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (std::memcmp(&wanted[i], &got[i], sizeof(double)) != 0 &&
        (wanted[i] == wanted[i] || got[i] == got[i]))
      return "element " + std::to_string(i) + " of " + cpu.shape().text() + " is " +
             std::to_string(got[i]) + ", not " + std::to_string(wanted[i]);
  return "";
}

inline void expect_alike(const Tensors& inputs,
                         const std::function<Tensors(const Tensors&)>& results) {
  Tensors there;
  for (const Tensor& input : inputs) there.push_back(input.to(kCUDA));
  const Tensors cpu = results(inputs), gpu = results(there);
  ASSERT_EQ(cpu.size(), gpu.size());
  for (std::size_t i = 0; i < cpu.size(); ++i)
    EXPECT_EQ(first_difference(cpu[i], gpu[i]), "") << "result " << i;
}

/// f's value, and its gradients by all inputs.
inline Tensors with_gradients(const Tensors& inputs,
                              const std::function<Tensor(const Tensors&)>& f) {
  Tensors leaves;
  for (const Tensor& input : inputs) leaves.push_back(input.detach().requires_grad_());
  const Tensor value = f(leaves);
  // Other weights for other elements, equal on both devices.
  const Tensor weights =
      arange(0, value.numel()).view(value.shape()).to(value.dtype()).remainder(7);
  // Nobody else holds the gradient: a derivative may be written over it.
  (value * weights.to(value.device())).sum().backward();
  Tensors results{value.detach()};
  for (const Tensor& leaf : leaves) results.push_back(leaf.grad());
  return results;
}

}  // namespace levin

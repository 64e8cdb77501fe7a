// Turns a line of kernels/ops.def into the signatures of its member and its free function.
//   OP(maximum, Maximum, (x, other), ())                 maximum(const Tensor& other)
//   OP(leaky_relu, LeakyRelu, (x), (double slope = 0.1))  leaky_relu(double slope = 0.1)
#pragma once

// `LEVIN_MEMBER_ARGUMENTS arguments parameters`: what stands between the member's parentheses.
#define LEVIN_MEMBER_ARGUMENTS(x, ...) \
  __VA_OPT__(const Tensor& __VA_ARGS__) LEVIN_PARAMETERS_##__VA_OPT__(AFTER)
#define LEVIN_PARAMETERS_(...) __VA_ARGS__
#define LEVIN_PARAMETERS_AFTER(...) __VA_OPT__(, ) __VA_ARGS__

// The same for the free function, whose first argument is x.
#define LEVIN_FREE_ARGUMENTS(x, ...) \
  const Tensor& x __VA_OPT__(, const Tensor& __VA_ARGS__) LEVIN_PARAMETERS_AFTER

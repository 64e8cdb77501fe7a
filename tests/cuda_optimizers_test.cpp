// Optimizers on the GPU: the CPU's bits for parameters of all sizes at once, each of which counts its
// own steps; the same in a graph.
#include "cuda_alike.h"

namespace levin {
namespace {

const std::vector<int64_t> kSizes = {1, 7, 64, 1000, 2047, 2048, 2049, 5000, 3, 256};

Tensors parameters(Device device) {
  Generator generator(4);
  Tensors result;
  for (const int64_t n : kSizes) result.push_back(randn({n}, generator).to(device));
  for (const Tensor& p : result) p.requires_grad_();
  return result;
}

// One parameter is left out until the third step: it counts behind the others from then on.
template <class Optimizer>
void step(const Tensors& parameters, Optimizer& optimizer, int number) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (i == 2 && number < 2) continue;
    const NoGrad no_grad;
    parameters[i].set_grad(parameters[i].detach() * 0.5 + 0.1 * number);
  }
  optimizer.step();
}

template <class Optimizer, class Options>
void expect_bits_of_cpu(const Options& options) {
  const Tensors here = parameters(kCPU), there = parameters(kCUDA);
  Optimizer cpu(here, options), gpu(there, options);
  for (int i = 0; i < 5; ++i) step(here, cpu, i), step(there, gpu, i);
  for (std::size_t i = 0; i < here.size(); ++i)
    EXPECT_EQ(first_difference(here[i].detach(), there[i].detach()), "") << "parameter " << i;
}

TEST(CudaOptimizers, ParametersOfAllSizes) {
  LEVIN_NEEDS_GPU();
  expect_bits_of_cpu<optim::SGD>(optim::SGDOptions{.lr = 0.1});
  expect_bits_of_cpu<optim::SGD>(optim::SGDOptions{.lr = 0.1, .momentum = 0.9, .nesterov = true});
  expect_bits_of_cpu<optim::Adam>(optim::AdamOptions{.lr = 0.1});
  expect_bits_of_cpu<optim::AdamW>(optim::AdamWOptions{.lr = 0.1, .amsgrad = true});
  expect_bits_of_cpu<optim::NAdam>(optim::NAdamOptions{.lr = 0.1});
}

// More parameters than one kernel takes.
TEST(CudaOptimizers, ManyParameters) {
  LEVIN_NEEDS_GPU();
  Tensors here, there;
  for (int i = 0; i < 150; ++i) {
    here.push_back(full({i + 1}, i, kFloat32).requires_grad_());
    there.push_back(full({i + 1}, i, kFloat32, kCUDA).requires_grad_());
  }
  optim::Adam cpu(here, {.lr = 0.1}), gpu(there, {.lr = 0.1});
  for (int i = 0; i < 4; ++i) step(here, cpu, i), step(there, gpu, i);
  for (std::size_t i = 0; i < here.size(); ++i)
    EXPECT_EQ(first_difference(here[i].detach(), there[i].detach()), "") << "parameter " << i;
}

// Sums of metrics, of one number and of more than one block's; what is not finite is found.
TEST(CudaOptimizers, MetricsAreSummed) {
  LEVIN_NEEDS_GPU();
  for (const int64_t n : {1, 100, 256, 257, 3000})
    for (const bool broken : {false, true}) {
      std::vector<double> sums[2], counts[2];
      for (const Device device : {kCPU, kCUDA}) {
        const Tensor sum = zeros({n}, kFloat64, device), count = zeros({3}, kFloat64, device);
        count.select(0, 2).fill_(-1);
        for (int i = 0; i < 4; ++i) {
          const Tensor value = arange(0, n).to(kFloat32).to(device) / (i + 1);
          if (broken && i >= 2) value.select(0, n - 1).fill_(INFINITY);
          const auto arg = [](const Tensor& x) { return Arg{x.impl().block.get(), &x.layout()}; };
          ASSERT_EQ(backend(device).accumulate({0.5, arg(value), arg(sum), arg(count)}), nullptr);
        }
        sums[device == kCUDA] = sum.to_vector<double>();
        counts[device == kCUDA] = count.to_vector<double>();
      }
      EXPECT_EQ(sums[1], sums[0]);
      EXPECT_EQ(counts[1], counts[0]) << n;
      EXPECT_EQ(counts[1][2], broken ? 2 : -1);
    }
}

}  // namespace
}  // namespace levin

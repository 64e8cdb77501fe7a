// Matrix products on the GPU with what may be fused behind them: every way gives the same. Elements are
// small integers (but where a function follows), so sums are exact in every order. The suite runs these
// also where cublasLt has no epilogues, and where it has no algorithm at all.
#include "cuda_alike.h"

namespace levin {
namespace {

Tensor integers(const Shape& shape, uint64_t seed, DType dtype = kFloat32) {
  Generator generator(seed);
  return randint(-4, 5, shape, generator).to(dtype);
}

TEST(CudaProducts, BiasAndActivationFollow) {
  LEVIN_NEEDS_GPU();
  for (const DType dtype : {kFloat32, kFloat64})
    for (const auto& [m, n, k] : {std::array{1, 1, 1}, {3, 5, 7}, {8, 16, 33}, {5, 12, 300}})
      expect_alike(
          {integers({m, k}, 1, dtype), integers({n, k}, 2, dtype), integers({n}, 3, dtype)},
          [](const Tensors& in) {
            Tensors results;
            for (const Tensor& bias : {Tensor(), in[2]}) {
              results.push_back(linear(in[0], in[1], bias));
              for (const Op op : {Op::relu, Op::gelu_tanh, Op::gelu, Op::tanh})
                results.push_back(linear(in[0], in[1], bias, op));
            }
            return results;
          });
}

// A bias that begins between the places where cublasLt's kernels read.
TEST(CudaProducts, BiasOfAnyPlace) {
  LEVIN_NEEDS_GPU();
  for (const int64_t first : {0, 1, 3, 4})
    expect_alike({integers({6, 9}, 1), integers({8, 9}, 2), integers({16}, 3)},
                 [first](const Tensors& in) {
                   const Tensor bias = in[2].narrow(0, first, 8);
                   return Tensors{linear(in[0], in[1], bias), linear(in[0], in[1], bias, Op::relu),
                                  linear(in[0], in[1], bias, Op::gelu_tanh)};
                 });
}

// Layers of one size share a plan, but nothing else.
TEST(CudaProducts, LayersOfOneSize) {
  LEVIN_NEEDS_GPU();
  Tensors inputs;
  for (int i = 0; i < 9; ++i) inputs.push_back(i % 3 < 2 ? integers({8, 8}, i) : integers({8}, i));
  expect_alike(inputs, [](const Tensors& in) {
    Tensors results;
    for (int i = 0; i < 9; i += 3) results.push_back(linear(in[i], in[i + 1], in[i + 2], Op::relu));
    return results;
  });
}

TEST(CudaProducts, NarrowTypesRoundOnce) {
  LEVIN_NEEDS_GPU();
  for (const DType dtype : {kBFloat16, kFloat16})
    expect_alike(
        {integers({6, 900}, 1, dtype), integers({16, 900}, 2, dtype), integers({16}, 3, dtype)},
        [](const Tensors& in) {
          return Tensors{linear(in[0], in[1], in[2]), in[0].matmul(in[1].t()),
                         linear(in[0], in[1], in[2], Op::relu)};
        });
}

// Factors, and what was there before; sums that are cut into blocks.
TEST(CudaProducts, FactorsAndAddends) {
  LEVIN_NEEDS_GPU();
  for (const DType dtype : {kFloat32, kBFloat16, kInt64, kInt32})
    for (const int64_t k : {0, 1, 5, 255, 256, 257, 600})
      expect_alike({integers({4, 3}, 1, dtype), integers({4, k}, 2, dtype) * 0 + 1,
                    integers({k, 3}, 3, dtype) * (k > 50 ? 0 : 1) + (k > 50 ? 1 : 0)},
                   [](const Tensors& in) {
                     return Tensors{in[0].addmm(in[1], in[2]), in[0].addmm(in[1], in[2], 2, 3),
                                    in[0].addmm(in[1], in[2], 0, 1), in[1].matmul(in[2])};
                   });
}

TEST(CudaProducts, BatchesOfEveryLayout) {
  LEVIN_NEEDS_GPU();
  for (const DType dtype : {kFloat32, kFloat64, kInt64})
    expect_alike({integers({2, 3, 4, 5}, 1, dtype), integers({2, 3, 5, 6}, 2, dtype),
                  integers({3, 5, 6}, 3, dtype), integers({4, 5}, 4, dtype)},
                 [](const Tensors& in) {
                   return Tensors{in[0].matmul(in[1]),
                                  in[0].matmul(in[2]),
                                  in[3].matmul(in[1]),
                                  in[3].matmul(in[2]),
                                  in[0].transpose(0, 1).matmul(in[1].transpose(0, 1)),
                                  in[1].transpose(2, 3).matmul(in[0].transpose(2, 3)),
                                  in[3].slice(1, 0, 5, 2).matmul(in[2].slice(1, 0, 5, 2)),
                                  in[3].select(1, 2).outer(in[3].select(1, 3))};
                 });
}

// Activations behind the products of a batch, each at its own place.
TEST(CudaProducts, RowsOfABatchAreActivated) {
  LEVIN_NEEDS_GPU();
  expect_alike({integers({3, 4, 5}, 1), integers({6, 5}, 2), integers({6}, 3)},
               [](const Tensors& in) {
                 return Tensors{linear(in[0], in[1], in[2], Op::relu),
                                linear(in[0].transpose(0, 1), in[1], in[2], Op::gelu_tanh)};
               });
}

}  // namespace
}  // namespace levin

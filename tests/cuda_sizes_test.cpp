// The GPU's kernels at the sizes where their ways part: of few elements, of whole and broken lanes,
// tiles and blocks, of lines cut into pieces. Each gives the CPU's bits.
#include "cuda_alike.h"

namespace levin {
namespace {

Tensor normal(const Shape& shape, uint64_t seed = 1) {
  Generator generator(seed);
  return randn(shape, generator);
}
Tensor integers(int64_t low, int64_t high, const Shape& shape, uint64_t seed = 1) {
  Generator generator(seed);
  return randint(low, high, shape, generator);
}

const std::vector<int64_t> kLengths = {1,   5,    16,   17,   255,  256,  257,  288,
                                       511, 1024, 1025, 1500, 4095, 4096, 4097, 9001};

TEST(CudaSizes, LinesAreReduced) {
  LEVIN_NEEDS_GPU();
  std::vector<int64_t> lengths = kLengths;
  lengths.insert(lengths.end(), {32768, 32769, 70001, 300000});
  for (const int64_t n : lengths)
    expect_alike({normal({3, n})}, [](const Tensors& x) {
      return Tensors{x[0].sum(), x[0].sum({1}), x[0].mean({1}), x[0].var({1}), x[0].argmax(1)};
    });
}

TEST(CudaSizes, ManyLinesAreReduced) {
  LEVIN_NEEDS_GPU();
  for (const int64_t lines : {15, 16, 64, 65, 256, 600})
    for (const int64_t n : {7, 300})
      expect_alike({normal({lines, n})}, [](const Tensors& x) {
        return Tensors{x[0].sum({1}), x[0].argmin(1)};
      });
}

TEST(CudaSizes, ColumnsAreReduced) {
  LEVIN_NEEDS_GPU();
  std::vector<int64_t> lengths = kLengths;
  lengths.push_back(70001);
  for (const int64_t n : lengths)
    for (const int64_t columns : n < 2000 ? std::vector<int64_t>{8, 40} : std::vector<int64_t>{8})
      expect_alike({normal({n, columns})}, [](const Tensors& x) {
        return Tensors{x[0].sum({0}), x[0].mean({0}), x[0].var({0}), x[0].argmax(0)};
      });
}

TEST(CudaSizes, TheFirstOfEqualsIsFound) {
  LEVIN_NEEDS_GPU();
  for (const int64_t n : {40, 300, 5000}) {
    const Tensor equal = integers(0, 3, {4, n}).to(kFloat32);
    const Tensor missing = where(integers(0, 50, {4, n}, 2) == 0, NAN, equal);
    for (const Tensor& x : {equal, missing, equal.t().contiguous(), missing.t().contiguous()})
      expect_alike({x}, [](const Tensors& in) {
        return Tensors{in[0].argmax(), in[0].argmin(0), in[0].argmax(1), in[0].amax({0})};
      });
  }
}

// Of powers of two, and of integers: exact in every order.
TEST(CudaSizes, ProductsAreReduced) {
  LEVIN_NEEDS_GPU();
  for (const int64_t n : {3, 128, 300, 1000, 5000}) {
    const Tensor signs = integers(0, 2, {5, n}) * 2 - 1, twos = pow(2, signs).to(kFloat32);
    expect_alike({signs, twos}, [](const Tensors& x) {
      return Tensors{x[0].prod({1}), x[1].prod({1}), x[1].prod({0}), x[1].prod()};
    });
  }
}

TEST(CudaSizes, RowsAreNormalised) {
  LEVIN_NEEDS_GPU();
  std::vector<int64_t> lengths = kLengths;
  lengths.insert(lengths.end(), {40000, 100001});
  for (const int64_t n : lengths) {
    const Tensor x = normal({3, n}), weight = normal({n}, 2), bias = normal({n}, 3);
    expect_alike({x}, [](const Tensors& in) {
      return with_gradients(in, [](const Tensors& leaf) { return leaf[0].softmax(1); });
    });
    expect_alike({x}, [](const Tensors& in) {
      return with_gradients(in, [](const Tensors& leaf) { return leaf[0].log_softmax(1); });
    });
    expect_alike({x, weight, bias}, [n](const Tensors& in) {
      return with_gradients(
          in, [n](const Tensors& leaf) { return layer_norm(leaf[0], {n}, leaf[1], leaf[2]); });
    });
    expect_alike({x, integers(0, n, {3})}, [](const Tensors& in) {
      return with_gradients({in[0]},
                            [&](const Tensors& leaf) { return cross_entropy(leaf[0], in[1]); });
    });
  }
}

TEST(CudaSizes, ManyRowsAreNormalised) {
  LEVIN_NEEDS_GPU();
  for (const int64_t rows : {17, 129, 700, 5000}) {
    const int64_t n = rows < 1000 ? 20 : 3;
    const Tensor x = normal({rows, n}), weight = normal({n}, 2), bias = normal({n}, 3);
    expect_alike({x, weight, bias}, [n](const Tensors& in) {
      return with_gradients(
          in, [n](const Tensors& leaf) { return layer_norm(leaf[0], {n}, leaf[1], leaf[2]); });
    });
    // A gradient of its own for each row; some rows do not count.
    const Tensor target = integers(-1, n, {rows});
    for (const LossReduction reduction : {LossReduction::mean, LossReduction::none})
      expect_alike({x, where(target < 0, -100, target)}, [&](const Tensors& in) {
        return with_gradients({in[0]}, [&](const Tensors& leaf) {
          return cross_entropy(leaf[0], in[1], {.reduction = reduction});
        });
      });
  }
}

TEST(CudaSizes, LinesAreScanned) {
  LEVIN_NEEDS_GPU();
  for (const Shape& shape : {Shape{1}, Shape{31}, Shape{1024}, Shape{1025}, Shape{3, 3000},
                             Shape{300, 33}, Shape{200, 70}, Shape{9, 40}, Shape{100, 3, 5}})
    expect_alike({normal(shape)}, [](const Tensors& in) {
      return with_gradients(
          in, [](const Tensors& leaf) { return leaf[0].cumsum(0) + leaf[0].cumsum(-1); });
    });
}

TEST(CudaSizes, PositionsGatherAndScatter) {
  LEVIN_NEEDS_GPU();
  for (const int64_t n : {5000, 2049, 2048, 1000, 100, 17, 10}) {  // over what longer sorts left
    const Tensor x = normal({30, 6}), source = normal({n, 6}, 2), index = integers(0, 30, {n}, 3);
    expect_alike({x, source, index}, [n](const Tensors& in) {
      const Tensor slices = in[2].unsqueeze(1).expand({n, 6});
      return Tensors{in[0].index_select(0, in[2]), in[0].scatter(0, slices, in[1]),
                     in[0].scatter_add(0, slices, in[1]),
                     in[0].t().contiguous().gather(1, slices.t())};
    });
    expect_alike({normal({8, 50}), normal({8, n}, 2), integers(0, 50, {8, n}, 4)},
                 [](const Tensors& in) {
                   return Tensors{in[0].scatter(1, in[2], in[1]),
                                  in[0].scatter_add(1, in[2], in[1]), in[0].gather(1, in[2])};
                 });
  }
}

TEST(CudaSizes, RandomNumbersAreTheCpus) {
  LEVIN_NEEDS_GPU();
  for (const DType dtype : {kFloat32, kFloat64, kBFloat16})
    for (const int64_t n : {1, 3, 4, 5, 1023, 1024, 1025, 5000})
      for (const int64_t step : {1, 2})
        expect_alike({zeros({n * step}, dtype)}, [&](const Tensors& in) {
          Generator generator(9);
          const GeneratorGuard guard(generator);
          const Tensor drawn = in[0].clone();
          Tensors results;
          for (int i = 0; i < 3; ++i) {
            drawn.slice(0, 0, n * step, step).uniform_(-1, 3);
            results.push_back(drawn.clone());
          }
          results.push_back(dropout(drawn + 5, 0.3));
          return results;
        });
}

TEST(CudaSizes, SquaresOfDistancesAreAdded) {
  LEVIN_NEEDS_GPU();
  for (const int64_t n : {1, 100, 256, 1024, 1025, 5000, 40000})
    expect_alike({normal({n}), normal({n}, 2)}, [](const Tensors& in) {
      return with_gradients(in, [](const Tensors& x) { return mse_loss(x[0], x[1]); });
    });
}

// What lies before and behind the elements that are written stays as it is.
TEST(CudaSizes, NothingIsWrittenBesideTheResult) {
  LEVIN_NEEDS_GPU();
  for (const DType dtype : {kFloat32, kFloat64, kBFloat16})
    for (const int64_t n : {1, 5, 48, 1000, 2047, 2048, 2053})
      for (const int64_t first : {16, 19})
        expect_alike({full({first + n + 20}, 0.5, dtype)}, [&](const Tensors& in) {
          Tensors results;
          const auto change = [&](const std::function<void(const Tensor&)>& f) {
            Generator generator(9);
            const GeneratorGuard guard(generator);
            results.push_back(in[0].clone());
            f(results.back().narrow(0, first, n));
          };
          change([](const Tensor& x) { x.mul_(3); });
          change([](const Tensor& x) { x.exp_(); });
          change([](const Tensor& x) { x.fill_(2); });
          change([](const Tensor& x) { x.copy_(x.clone() + 1); });
          change([](const Tensor& x) { x.uniform_(); });
          change([](const Tensor& x) { x.scatter_add_(0, zeros_like(x).to(kInt64), x.clone()); });
          return results;
        });
}

// Blocks of memory that are wholly used: what is written behind them would be somebody else's.
TEST(CudaSizes, ResultsThatFillTheirMemory) {
  LEVIN_NEEDS_GPU();
  for (const int64_t n : {16, 64, 256, 2048})
    expect_alike({normal({n, 17}), normal({n}, 2)}, [](const Tensors& in) {
      return Tensors{in[0].sum({1}), in[0].softmax(1).sum({1}), in[1].cumsum(0), in[1].relu(),
                     with_gradients({in[1]}, [](const Tensors& x) {
                       return mse_loss(x[0], zeros_like(x[0]));
                     })[1]};
    });
}

}  // namespace
}  // namespace levin

// Matrix products of 16-bit numbers and of integers.
#include <gtest/gtest.h>
#include <levin/autograd/ops.h>

#include <cstring>

#include "threads.h"

namespace levin {
namespace {

// The same bytes?
bool equal(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.is_contiguous() && b.is_contiguous() &&
         std::memcmp(a.impl().block->data, b.impl().block->data,
                     a.numel() * item_size(a.dtype())) == 0;
}

// m, n, k: small, longer than a buffer, several blocks of k, cut over threads by rows and by
// columns.
constexpr int64_t kShapes[][3] = {{3, 5, 2},      {49, 65, 7},    {2, 3, 513},  {60, 130, 300},
                                  {300, 10, 256}, {10, 300, 257}, {1, 1, 2000}, {4, 4, 0}};

TEST(ProductTypes, SixteenBitsAreComputedInFloat32AndRoundedOnce) {
  Generator generator(1);
  for (const DType dtype : {kBFloat16, kFloat16}) {
    for (const auto& [m, n, k] : kShapes) {
      const Tensor a = randn({m, k}, generator).to(dtype), b = randn({k, n}, generator).to(dtype),
                   bias = randn({n}, generator).to(dtype);
      const Tensor a_t = a.t().contiguous().t(), b_t = b.t().contiguous().t();
      const Tensor wide_a = a.to(kFloat32), wide_b = b.to(kFloat32), wide_bias = bias.to(kFloat32);
      const Tensor product = matmul(wide_a, wide_b).to(dtype);
      const Tensor sum = wide_bias.addmm(wide_a, wide_b, 0.3, -2).to(dtype);
      const Tensor biased = linear(wide_a, wide_b.t(), wide_bias).to(dtype);
      for (const int threads : kThreadCounts) {
        const Threads set(threads);
        SCOPED_TRACE(product.shape().text() + " " + std::to_string(threads) + " threads");
        EXPECT_TRUE(equal(matmul(a, b), product));
        EXPECT_TRUE(equal(matmul(a_t, b_t), product));
        EXPECT_TRUE(equal(bias.addmm(a, b_t, 0.3, -2), sum));
        EXPECT_TRUE(equal(linear(a_t, b.t(), bias), biased));
      }
    }
  }
}

TEST(ProductTypes, IntegersAreExactAndWrapAround) {
  const int64_t large = (int64_t{1} << 62) + 1;
  const Tensor x = from_vector(std::vector<int64_t>{large, 3}, {1, 2});
  EXPECT_EQ(matmul(x, x.t()).to_vector<int64_t>(), std::vector<int64_t>{INT64_MIN + 10});
  const Tensor wrapped = matmul(x, from_vector(std::vector<int64_t>{4, 1}, {2, 1}));
  EXPECT_EQ(wrapped.to_vector<int64_t>(), std::vector<int64_t>{7});
  const Tensor bytes = full({1, 3}, 100, kInt8);
  EXPECT_EQ(matmul(bytes, bytes.t()).to_vector<int64_t>(), std::vector<int64_t>{30000 - 117 * 256});
  const Tensor exact = from_vector(std::vector<int64_t>{(int64_t{1} << 53) + 1}, {1, 1});
  EXPECT_EQ(matmul(exact, ones({1, 1}, kInt64)).to_vector<int64_t>(), exact.to_vector<int64_t>());
}

}  // namespace
}  // namespace levin

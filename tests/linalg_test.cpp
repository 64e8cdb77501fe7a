// Linear algebra beyond the rows of the table: singular determinants, large matrices, equal bits.
#include <gtest/gtest.h>
#include <levin/autograd/linalg.h>
#include <levin/autograd/ops.h>

#include "array.h"

namespace levin {
namespace {

double minor_of(const Array& a, int64_t i, int64_t j) {
  double left[4];
  int count = 0;
  for (int64_t r = 0; r < 3; ++r)
    for (int64_t c = 0; c < 3; ++c)
      if (r != i && c != j) left[count++] = a.at({r, c});
  return left[0] * left[3] - left[1] * left[2];
}

// The derivative of the determinant of a [3, 3].
Array cofactors_of(const Array& a) {
  return make_array({3, 3}, [&](const Index& i) {
    return ((i[0] + i[1]) % 2 ? -1 : 1) * minor_of(a, i[0], i[1]);
  });
}

double weighted_sum(const Array& weights, const Array& x) {
  double sum = 0;
  for (std::size_t i = 0; i < x.numbers.size(); ++i) sum += weights[i] * x[i];
  return sum;
}

// Exact, since cofactors are quadratic in every element.
Array second_derivative_of(const Array& a, const Array& weights) {
  Array result = a;
  for (std::size_t i = 0; i < a.numbers.size(); ++i) {
    Array up = a, down = a;
    up.numbers[i] += 1, down.numbers[i] -= 1;
    result.numbers[i] =
        (weighted_sum(weights, cofactors_of(up)) - weighted_sum(weights, cofactors_of(down))) / 2;
  }
  return result;
}

TEST(Linalg, SingularMatricesHaveTheCofactorsAsDerivative) {
  const Array weights{{3, 3}, {1, -2, 3, 0, 2, 1, -1, 4, -3}};
  const Array matrices[] = {{{3, 3}, {1, 2, 3, 2, 4, 6, 1, 0, 1}},
                            {{3, 3}, {1, 1, 1, 1, 1, 1, 1, 1, 1}},
                            {{3, 3}, {0, 0, 0, 0, 0, 0, 0, 0, 0}},
                            {{3, 3}, {0, 0, 0, 0, 3, 1, 0, 2, 5}}};
  for (const Array& matrix : matrices) {
    const Tensor a = place(matrix, kFloat64).requires_grad_();
    const Tensor det = linalg::det(a);
    EXPECT_EQ(det.item(), 0);
    const Tensor first = grad({det}, {a}, {}, false, true)[0];
    EXPECT_EQ(difference(read(first), cofactors_of(matrix), 0, 1e-14), "");
    const Tensor second = grad({(first * place(weights, kFloat64)).sum()}, {a})[0];
    EXPECT_EQ(difference(read(second), second_derivative_of(matrix, weights), 0, 1e-13), "");
  }
}

TEST(Linalg, SingularMatricesAmongOthers) {
  const Tensor a = place({{2, 2, 2}, {1, 2, 2, 4, 3, 1, 1, 2}}, kFloat64).requires_grad_();
  linalg::det(a).sum().backward();
  const Array expected{{2, 2, 2}, {4, -2, -2, 1, 2, -1, -1, 3}};
  EXPECT_EQ(difference(read(a.grad()), expected, 0, 1e-14), "");
  const Tensor one = zeros({1, 1}, kFloat64).requires_grad_();
  linalg::det(one).backward();
  EXPECT_EQ(one.grad().item(), 1);
}

TEST(Linalg, CholeskyReadsTheLowerHalfOfEveryLayout) {
  const Array numbers{{2, 2, 2}, {4, 99, 2, 5, 9, 99, 3, 17}};
  const Array lower{{2, 2, 2}, {2, 0, 1, 2, 3, 0, 1, 4}};
  for (const Arrangement arrangement :
       {Arrangement::contiguous, Arrangement::transposed, Arrangement::sliced})
    EXPECT_EQ(
        difference(read(linalg::cholesky(place(numbers, kFloat64, arrangement))), lower, 0, 0), "");
}

// n = 7: every matrix of the batch is aligned differently. n = 130: blocked.
TEST(Linalg, SameBitsWhereverAMatrixLies) {
  for (const int64_t n : {7, 60, 130}) {
    Generator generator(3);
    for (const DType dtype : {kFloat32, kFloat64}) {
      const Tensor x = randn({5, n, n}, generator, dtype);
      const Tensor a = matmul(x, x.transpose(1, 2)) / n + eye(n).to(dtype);
      const Tensor inverse = linalg::inv(a), lower = linalg::cholesky(a), det = linalg::det(a);
      const Tensor solution = linalg::solve(a, x);
      for (int64_t i = 0; i < 5; ++i) {
        const Tensor one = a[i].clone();
        EXPECT_TRUE(same_bits(read(linalg::inv(one)), read(inverse[i])));
        EXPECT_TRUE(same_bits(read(linalg::cholesky(one)), read(lower[i])));
        EXPECT_TRUE(same_bits(read(linalg::det(one)), read(det[i])));
        EXPECT_TRUE(same_bits(read(linalg::solve(one, x[i])), read(solution[i])));
      }
    }
  }
}

TEST(Linalg, LargeMatrices) {
  const int64_t n = 520;
  Generator generator(4);
  const Tensor x = randn({n, n}, generator, kFloat64), identity = eye(n).to(kFloat64);
  const Tensor a = matmul(x, x.t()) / n + identity;
  const auto error = [](const Tensor& left, const Tensor& right) {
    return (left - right).abs().max().item();
  };
  EXPECT_LT(error(matmul(a, linalg::inv(a)), identity), 1e-11);
  EXPECT_LT(error(matmul(a, linalg::solve(a, x)), x), 1e-11);
  const Tensor lower = linalg::cholesky(a);
  EXPECT_LT(error(matmul(lower, lower.t()), a), 1e-11);
}

}  // namespace
}  // namespace levin

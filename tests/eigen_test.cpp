#include <gtest/gtest.h>
#include <levin/autograd/ops.h>
#include <levin/tensor/eigen.h>

#include "scratch.h"

namespace levin {
namespace {

using Numbers = std::vector<double>;

// [3, 4]: 0, 1, .. 11
Tensor counting() { return arange(0, 12, 1, kFloat64).reshape({3, 4}); }

template <class F>
std::string refusal(F call) {
  return error_of<std::invalid_argument>(call);
}

template <class Matrix>
void expect_equal(const Matrix& matrix, const Tensor& tensor) {
  ASSERT_EQ(Shape({matrix.rows(), matrix.cols()}), tensor.shape());
  for (int64_t i = 0; i < matrix.rows(); ++i)
    for (int64_t j = 0; j < matrix.cols(); ++j)
      EXPECT_EQ(matrix(i, j), tensor.select(0, i).select(0, j).item());
}

TEST(Eigen, ReadsEveryLayout) {
  const Tensor x = counting();
  for (const Tensor& view :
       {x, x.t(), x.narrow(1, 1, 2), x.narrow(0, 1, 2).t(), x.select(0, 1).unsqueeze(1),
        x.select(1, 2).unsqueeze(0).expand({5, 3}), x.narrow(0, 3, 0), x.to(kFloat64)})
    expect_equal(as_const_eigen<double>(view), view);
  EXPECT_EQ(as_const_eigen_vector<double>(x.select(1, 2)), Eigen::Vector3d(2, 6, 10));
  EXPECT_EQ(as_const_eigen_vector<double>(x.select(0, 2)), Eigen::Vector4d(8, 9, 10, 11));
}

TEST(Eigen, WritesThroughEveryLayout) {
  const Tensor x = counting();
  as_eigen<double>(x.t().narrow(0, 1, 2)).setConstant(-1);
  EXPECT_EQ(x.to_vector<double>(), (Numbers{0, -1, -1, 3, 4, -1, -1, 7, 8, -1, -1, 11}));
  as_eigen_vector<double>(x.select(1, 0)) *= 2;
  EXPECT_EQ(x.select(1, 0).to_vector<double>(), (Numbers{0, 8, 16}));
}

TEST(Eigen, CalculatesWithTensors) {
  const Tensor a = randn({4, 3}, kFloat64), b = randn({4, 5}, kFloat64),
               c = zeros({3, 5}, kFloat64);
  as_eigen<double>(c).noalias() = as_const_eigen<double>(a.t()) * as_const_eigen<double>(b);
  EXPECT_LT((c - matmul(a.t(), b)).abs().max().item(), 1e-14);
}

TEST(Eigen, OnlyWritingCountsAsAWrite) {
  const Tensor x = counting();
  const uint32_t version = x.version();
  as_const_eigen<double>(x);
  as_const_eigen_vector<double>(x.select(0, 0));
  EXPECT_EQ(x.version(), version);
  as_eigen<double>(x);
  as_eigen_vector<double>(x.select(0, 0));
  EXPECT_EQ(x.version(), version + 2);
  const Tensor y = (x * ones({3, 4}, kFloat64).requires_grad_()).sum();
  as_eigen<double>(x);
  const std::string error = error_of<std::logic_error>([&] { y.backward(); });
  EXPECT_NE(error.find("was changed in place by as_eigen"), std::string::npos) << error;
}

TEST(Eigen, CopiesExpressions) {
  const Eigen::Matrix<float, 2, 3> matrix{{1, 2, 3}, {4, 5, 6}};
  const Tensor x = from_eigen(matrix), turned = from_eigen(matrix.transpose());
  EXPECT_EQ(x.dtype(), kFloat32);
  EXPECT_EQ(x.shape(), (Shape{2, 3}));
  EXPECT_EQ(x.to_vector<double>(), (Numbers{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(turned.shape(), (Shape{3, 2}));
  EXPECT_EQ(turned.to_vector<double>(), (Numbers{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(from_eigen(matrix * 2.0f + matrix).to_vector<double>(), (Numbers{3, 6, 9, 12, 15, 18}));
  EXPECT_EQ(from_eigen(matrix.array().square()).to_vector<double>(),
            (Numbers{1, 4, 9, 16, 25, 36}));
  EXPECT_EQ(from_eigen(Eigen::Vector3d(1, 2, 3)).shape(), Shape{3});
  EXPECT_EQ(from_eigen(matrix.row(1)).to_vector<double>(), (Numbers{4, 5, 6}));
  EXPECT_EQ(from_eigen(Eigen::MatrixXd(0, 3)).shape(), (Shape{0, 3}));
  EXPECT_EQ(from_eigen(Eigen::MatrixXd::Ones(4, 1)).shape(), (Shape{4, 1}));
}

TEST(Eigen, EveryMisuseIsNamed) {
  const Tensor x = counting();
  EXPECT_EQ(refusal([&] { as_eigen<double>(x.select(0, 0)); }),
            "as_eigen: a tensor of shape [4]: 2 dimensions are needed");
  EXPECT_EQ(refusal([&] { as_const_eigen_vector<double>(x); }),
            "as_const_eigen_vector: a tensor of shape [3, 4]: 1 dimension is needed");
  EXPECT_EQ(refusal([&] { as_const_eigen<float>(x); }),
            "as_const_eigen: elements are float64, asked for are float32");
  EXPECT_EQ(refusal([&] { as_eigen_vector<double>(ones({1}, kFloat64).expand({3})); }),
            "as_eigen_vector: several elements of a tensor of shape [3] lie in one place: use "
            "contiguous(), or read only");
  EXPECT_THROW(as_eigen<double>(Tensor()), std::invalid_argument);
  EXPECT_EQ(refusal([&] {
              as_const_eigen<double>(
                  make_tensor(Block::wrap(nullptr, 8, {Device::cuda, 0}, nullptr, nullptr),
                              Layout::of({1, 1}, kFloat64)));
            }),
            "as_const_eigen: the tensor is on cuda, not on the CPU");
}

}  // namespace
}  // namespace levin

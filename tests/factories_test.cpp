// Tensors made from numbers.
#include <gtest/gtest.h>
#include <levin/tensor/factories.h>

#include <stdexcept>

namespace levin {
namespace {

using Numbers = std::vector<double>;

void expect(const Tensor& x, const Shape& shape, DType dtype, const Numbers& numbers) {
  EXPECT_EQ(x.shape().text(), shape.text());
  EXPECT_STREQ(name_of(x.dtype()), name_of(dtype));
  EXPECT_EQ(x.to_vector<double>(), numbers);
}

TEST(Factories, TensorTakesItsTypeFromTheNumbers) {
  expect(tensor(3), {}, kInt64, {3});
  expect(tensor(2.5), {}, kFloat32, {2.5});
  expect(tensor(true), {}, kBool, {1});
  expect(tensor({1, 2, 3}), {3}, kInt64, {1, 2, 3});
  expect(tensor({1}), {1}, kInt64, {1});
  expect(tensor({1, 2.5}), {2}, kFloat32, {1, 2.5});
  expect(tensor({true, false}), {2}, kBool, {1, 0});
  expect(tensor({true, 2}), {2}, kInt64, {1, 2});
}

TEST(Factories, TensorOfRowsIsAMatrix) {
  expect(tensor({{1, 2, 3}, {4, 5, 6}}), {2, 3}, kInt64, {1, 2, 3, 4, 5, 6});
  expect(tensor({{1.5, 2.0}, {3.0, 4.0}}), {2, 2}, kFloat32, {1.5, 2, 3, 4});
  try {
    tensor({{1, 2, 3}, {4, 5}});
    FAIL() << "rows of different lengths";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "tensor: rows of 3 and 2 numbers: all must have the same length");
  }
}

}  // namespace
}  // namespace levin

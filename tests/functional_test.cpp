// Jacobians, Hessians and their products with vectors, against closed forms.
#include <gtest/gtest.h>
#include <levin/autograd/functional.h>
#include <levin/autograd/gradcheck.h>

#include "graph.h"

namespace levin {
namespace {

using namespace autograd::functional;

Tensor vector_of(const Numbers& numbers) { return from_vector(numbers); }

TEST(Jacobian, OfElementwiseFunctionsIsDiagonal) {
  const Tensor j = jacobian([](const Tensor& x) { return x * x; }, vector_of({2, 3}));
  EXPECT_EQ(j.shape(), (Shape{2, 2}));
  EXPECT_EQ(numbers_of(j), (Numbers{4, 0, 0, 6}));
  EXPECT_FALSE(j.requires_grad());
}

TEST(Jacobian, ShapesAreThoseOfOutputAndInput) {
  const Tensor a = vector_of({1, 2, 3, 4, 5, 6}).view({2, 3}), x = vector_of({1, 2, 3});
  const auto product = [](const std::vector<Tensor>& in) { return in[0].matmul(in[1]); };
  const Tensors j = jacobian(product, {a, x});
  EXPECT_EQ(j[0].shape(), (Shape{2, 2, 3}));
  EXPECT_EQ(numbers_of(j[0]), (Numbers{1, 2, 3, 0, 0, 0, 0, 0, 0, 1, 2, 3}));
  EXPECT_EQ(j[1].shape(), (Shape{2, 3}));
  EXPECT_EQ(numbers_of(j[1]), numbers_of(a));
  EXPECT_EQ(jacobian([](const Tensor& v) { return v.sum(); }, x).shape(), (Shape{3}));
}

TEST(Jacobian, OfWhatIsNotUsedIsZero) {
  const auto f = [](const std::vector<Tensor>& in) { return in[0] * 2; };
  EXPECT_EQ(numbers_of(jacobian(f, {vector_of({1}), vector_of({1, 2})})[1]), (Numbers{0, 0}));
  const auto constant = [](const Tensor&) { return ones({2}, kFloat64); };
  EXPECT_EQ(numbers_of(jacobian(constant, vector_of({1}))), (Numbers{0, 0}));
  EXPECT_EQ(jacobian([](const Tensor& x) { return x.slice(0, 0, 0); }, vector_of({1, 2})).shape(),
            (Shape{0, 2}));
}

TEST(Jacobian, CanBeDifferentiatedAgain) {
  const auto f = [](const std::vector<Tensor>& x) {
    return Tensors{jacobian([](const Tensor& v) { return v.sin() * v.sum(); }, x[0], true)};
  };
  EXPECT_EQ(gradcheck(f, {leaf({0.4, -1.2})}), "");
}

TEST(Hessian, OfAQuadraticFormIsItsMatrix) {
  const Tensor a = vector_of({2, 1, 0, 3}).view({2, 2});
  const auto form = [&](const Tensor& x) { return (x * a.matmul(x)).sum(); };
  EXPECT_EQ(numbers_of(hessian(form, vector_of({5, 7}))), (Numbers{4, 1, 1, 6}));  // A + A^T
  const auto two = [](const std::vector<Tensor>& in) { return (in[0] * in[1].sum()).sum(); };
  const auto h = hessian(two, {vector_of({1, 2}), vector_of({1, 2, 3})});
  EXPECT_EQ(h[0][0].shape(), (Shape{2, 2}));
  EXPECT_EQ(h[0][1].shape(), (Shape{2, 3}));
  EXPECT_EQ(numbers_of(h[0][0]), Numbers(4, 0.0));
  EXPECT_EQ(numbers_of(h[0][1]), Numbers(6, 1.0));
  EXPECT_EQ(h[1][0].shape(), (Shape{3, 2}));
  EXPECT_NE(error_of([] {
              hessian([](const Tensor& x) { return x * 2; }, zeros({2}));
            }).find("hessian: the function must give one element, not a tensor of shape [2]"),
            std::string::npos);
}

TEST(Products, AreTheJacobianTimesAVector) {
  const auto f = [](const std::vector<Tensor>& in) {
    return (in[0].unsqueeze(1) * in[1]).sin().sum({1}) * in[0];
  };
  const Tensors x{vector_of({0.3, -0.8}), vector_of({1.1, 0.2, -0.5})};
  const Tensors j = jacobian(f, x);
  const Tensor u = vector_of({2, -3});
  const Tensors v{vector_of({0.5, 4}), vector_of({1, -1, 2})};
  const auto [y, left] = vjp(f, x, u);
  const auto [same, right] = jvp(f, x, v);
  EXPECT_EQ(numbers_of(y), numbers_of(f(x)));
  EXPECT_EQ(numbers_of(same), numbers_of(y));
  EXPECT_FALSE(right.requires_grad() || left[0].requires_grad() || y.requires_grad());
  for (int i = 0; i < 2; ++i) {
    const Numbers expected = numbers_of(u.matmul(j[i])), got = numbers_of(left[i]);
    for (std::size_t k = 0; k < got.size(); ++k) EXPECT_NEAR(got[k], expected[k], 1e-12);
  }
  const Numbers expected = numbers_of(j[0].matmul(v[0]) + j[1].matmul(v[1]));
  for (int k = 0; k < 2; ++k) EXPECT_NEAR(numbers_of(right)[k], expected[k], 1e-12);
}

TEST(Products, TheVectorMayBeLeftOutForOneElement) {
  const auto cube = [](const Tensor& x) { return x * x * x; };
  EXPECT_EQ(vjp(cube, vector_of({2})).second.item(), 12);
  EXPECT_EQ(jvp(cube, vector_of({2})).second.item(), 12);
  const Tensor two = vector_of({1, 2});
  EXPECT_NE(error_of([&] { vjp(cube, two); }).find("v may be left out"), std::string::npos);
  EXPECT_NE(error_of([&] { jvp(cube, two); }).find("v may be left out"), std::string::npos);
  EXPECT_NE(error_of([&] {
              vjp(cube, two, zeros({3}));
            }).find("vjp: v of shape [3] for an output of shape [2]"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              jvp(cube, two, zeros({3}));
            }).find("jvp: v of shape [3] for input 0 of shape [2]"),
            std::string::npos);
}

// With history asked for, the caller's graph goes on through the result.
TEST(Products, CreateGraph) {
  const Tensor x = leaf({2}), inner = x * x;
  const auto cube = [](const Tensor& v) { return v * v * v; };
  vjp(cube, inner, {}, true).second.backward();  // 3 x^4
  EXPECT_EQ(x.grad().item(), 96);
  EXPECT_EQ(grad({jvp(cube, x * x, {}, true).second}, {x})[0].item(), 96);
  EXPECT_FALSE(vjp(cube, x).second.requires_grad());
}

}  // namespace
}  // namespace levin

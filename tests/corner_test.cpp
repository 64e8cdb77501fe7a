// Gradients where a derivative jumps, ties, or meets infinities: as PyTorch 2.11 has them.
#include <gtest/gtest.h>
#include <levin/autograd/ops.h>

#include <cmath>
#include <functional>

#include "array.h"

namespace levin {
namespace {

using Numbers = std::vector<double>;

constexpr double kInf = INFINITY, kNaN = NAN;

// The gradients of f(x..) by each x, with `upstream` (or ones) at its result.
std::vector<Numbers> gradients(const std::function<Tensor(const std::vector<Tensor>&)>& f,
                               const std::vector<Numbers>& inputs, const Numbers& upstream = {}) {
  std::vector<Tensor> leaves;
  for (const Numbers& input : inputs) leaves.push_back(from_vector(input).requires_grad_());
  const Tensor y = f(leaves);
  y.backward(upstream.empty() ? ones_like(y) : from_vector(upstream, y.shape()));
  std::vector<Numbers> result;
  for (const Tensor& leaf : leaves) result.push_back(leaf.grad().to_vector<double>());
  return result;
}

void expect_numbers(const Numbers& actual, const Numbers& expected) {
  const auto count = static_cast<int64_t>(actual.size());
  ASSERT_EQ(actual.size(), expected.size());
  EXPECT_EQ(difference({{count}, actual}, {{count}, expected}, 1e-12, 0), "");
}

struct Corner {
  const char* what;
  std::function<Tensor(const std::vector<Tensor>&)> f;
  std::vector<Numbers> inputs, expected;
  Numbers upstream = {};
};

using X = const std::vector<Tensor>&;

std::vector<Corner> corners() {
  return {
      {"relu", [](X x) { return x[0].relu(); }, {{0, -0.0, 1, kNaN}}, {{0, 0, 1, 1}}},
      {"abs", [](X x) { return x[0].abs(); }, {{0, -0.0, 2, -2}}, {{0, 0, 1, -1}}},
      {"clamp at its bounds and beyond",
       [](X x) { return x[0].clamp(-1, 1); },
       {{-1, 1, 2, kNaN}},
       {{1, 1, 0, 0}}},
      {"maximum",
       [](X x) { return maximum(x[0], x[1]); },
       {{1, 2, 1}, {1, 1, 2}},
       {{0.5, 1, 0}, {0.5, 0, 1}}},
      {"minimum",
       [](X x) { return minimum(x[0], x[1]); },
       {{1, 2, 1}, {1, 1, 2}},
       {{0.5, 0, 1}, {0.5, 1, 0}}},
      {"amax shares among ties", [](X x) { return x[0].amax(); }, {{3, 3, 1}}, {{0.5, 0.5, 0}}},
      {"max shares among ties", [](X x) { return x[0].max(); }, {{3, 3, 1}}, {{0.5, 0.5, 0}}},
      {"max along a dimension takes the first",
       [](X x) { return x[0].max(0).first; },
       {{1, 3, 3}},
       {{0, 1, 0}}},
      {"min along a dimension takes the first",
       [](X x) { return x[0].min(0).first; },
       {{1, 3, 1}},
       {{1, 0, 0}}},
      {"sqrt", [](X x) { return x[0].sqrt(); }, {{0, 4}}, {{kInf, 0.25}}},
      {"x^0", [](X x) { return x[0].pow(0); }, {{0, 2}}, {{0, 0}}},
      {"x^2.5", [](X x) { return x[0].pow(2.5); }, {{0}}, {{0}}},
      {"x^1", [](X x) { return x[0].pow(1); }, {{0}}, {{1}}},
      {"x^0.5", [](X x) { return x[0].pow(0.5); }, {{0}}, {{kInf}}},
      {"pow by its exponent",
       [](X x) { return pow(x[0], x[1]); },
       {{0, 0, -2}, {0, 2, 2}},
       {{0, 0, -4}, {0, 0, kNaN}}},
      {"where", [](X x) { return where(x[0] > 0, x[0], -x[0]); }, {{1, kNaN}}, {{1, -1}}},
      {"where before an infinite derivative",
       [](X x) { return where(x[0] > 0, x[0].sqrt(), x[0]); },
       {{0}},
       {{kNaN}}},
  };
}

std::vector<Corner> norms_and_products() {
  const auto norm = [](double p) { return [p](X x) { return x[0].norm(p); }; };
  return {
      {"std of equal elements", [](X x) { return x[0].std(); }, {{2, 2}}, {{0, 0}}},
      {"norm of 0", norm(2), {{0, 0}}, {{0, 0}}},
      {"1-norm of 0", norm(1), {{0, 0}}, {{0, 0}}},
      {"3-norm of 0", norm(3), {{0, 0}}, {{0, 0}}},
      {"inf-norm of 0", norm(kInf), {{0, 0}}, {{0, 0}}},
      {"inf-norm shares among ties", norm(kInf), {{2, -2, 1}}, {{0.5, -0.5, 0}}},
      {"0.5-norm with a 0", norm(0.5), {{0, 4}}, {{0, 1}}},
      {"prod with a 0", [](X x) { return x[0].prod(); }, {{2, 0, 3}}, {{0, 6, 0}}},
      {"prod with two", [](X x) { return x[0].prod(); }, {{0, 0, 3}}, {{0, 0, 0}}},
      {"cumprod with a 0", [](X x) { return x[0].cumprod(0); }, {{2, 0, 3}}, {{1, 8, 0}}},
      {"logsumexp of nothing possible",
       [](X x) { return x[0].logsumexp(0); },
       {{-kInf, -kInf}},
       {{kNaN, kNaN}}},
  };
}

// An infinite gradient is stopped where nothing passes: 0 times infinity would be NaN.
std::vector<Corner> stopped() {
  const Tensor mask = from_vector(std::vector<int64_t>{0, 1}).to(kBool);
  return {
      {"where",
       [=](X x) { return where(mask, x[0], x[1]); },
       {{1, 2}, {3, 4}},
       {{0, kInf}, {kInf, 0}},
       {kInf, kInf}},
      {"log of where", [=](X x) { return where(mask, x[0], 0).log(); }, {{1, 5}}, {{0, 0.2}}},
      {"relu", [](X x) { return x[0].relu(); }, {{-1, 1}}, {{0, kInf}}, {kInf, kInf}},
      {"sqrt of relu", [](X x) { return x[0].relu().sqrt(); }, {{-1, 4}}, {{0, 0.25}}},
      {"clamp", [](X x) { return x[0].clamp(-1, 1); }, {{-2, 0}}, {{0, kInf}}, {kInf, kInf}},
      {"maximum",
       [](X x) { return maximum(x[0], x[1]); },
       {{-1, 1}, {0, 0}},
       {{0, kInf}, {kInf, 0}},
       {kInf, kInf}},
      {"minimum",
       [](X x) { return minimum(x[0], x[1]); },
       {{-1, 1}, {0, 0}},
       {{kInf, 0}, {0, kInf}},
       {kInf, kInf}},
      {"x^0", [](X x) { return x[0].pow(0); }, {{1, 2}}, {{0, 0}}, {kInf, kInf}},
  };
}

TEST(Corners, GradientsOfPyTorch) {
  std::vector<Corner> all = corners();
  for (const Corner& corner : norms_and_products()) all.push_back(corner);
  for (const Corner& corner : all) {
    SCOPED_TRACE(corner.what);
    const std::vector<Numbers> actual = gradients(corner.f, corner.inputs);
    for (std::size_t i = 0; i < actual.size(); ++i) expect_numbers(actual[i], corner.expected[i]);
  }
}

// In one kernel and as recorded operations.
TEST(Corners, WhatDoesNotPassIsZeroWhateverTheGradient) {
  for (const Corner& corner : stopped()) {
    SCOPED_TRACE(corner.what);
    const std::vector<Numbers> actual = gradients(corner.f, corner.inputs, corner.upstream);
    for (std::size_t i = 0; i < actual.size(); ++i) expect_numbers(actual[i], corner.expected[i]);
    std::vector<Tensor> leaves;
    for (const Numbers& input : corner.inputs)
      leaves.push_back(from_vector(input).requires_grad_());
    const Tensor y = corner.f(leaves);
    const Tensor start =
        corner.upstream.empty() ? ones_like(y) : from_vector(corner.upstream, y.shape());
    const std::vector<Tensor> recorded = grad({y}, leaves, {start}, false, true);
    for (std::size_t i = 0; i < recorded.size(); ++i)
      expect_numbers(recorded[i].to_vector<double>(), corner.expected[i]);
  }
}

// Ignored rows count nothing, also where their logits are infinite.
TEST(Corners, CrossEntropyIgnoresWholeRows) {
  const Tensor x =
      from_vector(Numbers{-kInf, 1, 0, 0}, {2, 2}).requires_grad_();  // class 0 is impossible
  const Tensor target = from_vector(std::vector<int64_t>{-100, 1});
  const Tensor loss = cross_entropy(x, target);
  EXPECT_NEAR(loss.item(), std::log(2), 1e-15);
  loss.backward();
  expect_numbers(x.grad().to_vector<double>(), {0, 0, 0.5, -0.5});
  const Tensor nothing = from_vector(std::vector<int64_t>{-100, -100});
  EXPECT_TRUE(std::isnan(cross_entropy(x, nothing).item())) << "0 of 0";
  EXPECT_EQ(cross_entropy(x, nothing, {.reduction = LossReduction::sum}).item(), 0);
}

TEST(Corners, SoftmaxOfNothingPossible) {
  const Tensor y = from_vector(Numbers{-kInf, -kInf}).softmax(0);
  expect_numbers(y.to_vector<double>(), {kNaN, kNaN});
  expect_numbers(from_vector(Numbers{-kInf, 0}).softmax(0).to_vector<double>(), {0, 1});
  expect_numbers(from_vector(Numbers{1000, 1000}).softmax(0).to_vector<double>(), {0.5, 0.5});
}

TEST(Corners, NaNWinsAndIsFoundFirst) {
  const Tensor x = from_vector(Numbers{1, kNaN, 3, kNaN});
  EXPECT_TRUE(std::isnan(x.max().item()) && std::isnan(x.amin().item()));
  EXPECT_EQ(x.max(0).second.item<int64_t>(), 1);
  EXPECT_EQ(x.argmin().item<int64_t>(), 1);
  EXPECT_TRUE(std::isnan(maximum(x, zeros_like(x))[1].item()));
  EXPECT_TRUE(std::isnan(minimum(zeros_like(x), x)[1].item()));
  EXPECT_FALSE((x == x)[1].item<bool>());
  EXPECT_TRUE((x != x)[1].item<bool>());
}

TEST(Corners, NothingToReduce) {
  const Tensor none = zeros({0}, kFloat64);
  EXPECT_EQ(none.sum().item(), 0);
  EXPECT_TRUE(std::isnan(none.mean().item()));
  EXPECT_TRUE(std::isnan(none.var().item()));
  EXPECT_TRUE(std::isnan(from_vector(Numbers{3}).var().item()));
  EXPECT_EQ(from_vector(Numbers{3}).var({}, 0).item(), 0);
  expect_numbers(zeros({2, 0}, kFloat64).sum({1}).to_vector<double>(), {0, 0});
  EXPECT_EQ(none.prod().item(), 1);
  EXPECT_EQ(none.norm().item(), 0);
  EXPECT_EQ(none.logsumexp({}).item(), -kInf);
  EXPECT_TRUE(none.all().item<bool>() && !none.any().item<bool>());
}

}  // namespace
}  // namespace levin

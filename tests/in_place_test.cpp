// What in-place operations do to derivatives: versions, views, leaves, overlaps. Either PyTorch's
// gradient or an error, never a wrong one.
#include <gtest/gtest.h>
#include <levin/autograd/node.h>

#include "graph.h"

namespace levin {
namespace {

TEST(InPlace, AChangedSavedTensorIsNamed) {
  const Tensor x = leaf({2, 3}) * 1;
  const Tensor y = x * x;
  x.add_(1);
  EXPECT_EQ(
      error_of([&] { y.sum().backward(); }),
      "backward of mul: a tensor of shape [2] that it needs was changed in place by add_ "
      "(version 0 was saved, it is at 1): use the operation that is not in place, or clone()");
}

TEST(InPlace, AChangedOutputIsNamed) {
  const Tensor y = leaf({2, 3}).exp();
  y.detach().mul_(2);
  EXPECT_NE(error_of([&] { y.sum().backward(); }).find("backward of exp"), std::string::npos);
}

TEST(InPlace, WritingThroughDataIsNoticed) {
  const Tensor w = leaf({2, 3});
  const Tensor y = w * w;
  w.data<double>()[0] = 7;
  EXPECT_NE(error_of([&] { y.sum().backward(); }).find("changed in place by data()"),
            std::string::npos);
}

TEST(InPlace, ReadingIsNoWrite) {
  const Tensor w = leaf({2, 3});
  const Tensor y = w * w;
  EXPECT_EQ(w.const_data<double>()[0], 2);
  EXPECT_EQ(w.text(), "tensor([2., 3.], dtype=float64, requires_grad=True)");
  y.sum().backward();
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{4, 6}));
}

// add's derivative reads nothing, so its arguments may change.
TEST(InPlace, WhatNoDerivativeNeedsMayChange) {
  const Tensor w = leaf({2, 3}), x = w * 1;
  const Tensor y = x + x;
  x.zero_();
  y.sum().backward();
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{2, 2}));
}

TEST(InPlace, AChainHasTheGradientOfTheOrdinaryOperations) {
  const Tensor w = leaf({2, 3}), v = leaf({5, 7});
  const Tensor x = w * 1;
  x.mul_(v).add_(w, 2).div_(v).sub_(1).relu_();
  const Numbers expected = numbers_of((w * v + w * 2) / v - 1);
  EXPECT_EQ(numbers_of(x), expected);
  (x * x).sum().backward();
  const Tensor w2 = leaf({2, 3}), v2 = leaf({5, 7});
  const Tensor plain = ((w2 * v2 + w2 * 2) / v2 - 1).relu();
  (plain * plain).sum().backward();
  EXPECT_EQ(numbers_of(w.grad()), numbers_of(w2.grad()));
  EXPECT_EQ(numbers_of(v.grad()), numbers_of(v2.grad()));
}

TEST(InPlace, AConstantTargetBecomesPartOfTheGraph) {
  const Tensor w = leaf({2, 3}), x = zeros({2}, kFloat64);
  x.add_(w);
  EXPECT_TRUE(x.requires_grad());
  EXPECT_FALSE(x.is_leaf());
  (x * x).sum().backward();
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{4, 6}));
}

TEST(InPlace, OverwritingEndsTheHistory) {
  const Tensor w = leaf({2, 3}), v = leaf({5, 7});
  const Tensor x = w * 2;
  x.copy_(v);
  x.sum().backward();
  EXPECT_FALSE(w.grad().defined());
  EXPECT_EQ(numbers_of(v.grad()), (Numbers{1, 1}));
}

TEST(InPlace, LeavesMayChangeWithoutHistoryOnly) {
  const Tensor w = leaf({2, 3});
  EXPECT_EQ(error_of([&] { w.add_(1); }),
            "add_: a leaf of shape [2] that requires a gradient cannot be changed in place: use "
            "NoGrad");
  EXPECT_NE(error_of([&] { w[0].fill_(1); }), "");
  {
    NoGrad no_grad;
    w.add_(1);
    w[0].fill_(9);
  }
  EXPECT_EQ(numbers_of(w), (Numbers{9, 4}));
  EXPECT_TRUE(w.is_leaf() && w.requires_grad());
  w.detach().zero_();
  EXPECT_EQ(numbers_of(w), (Numbers{0, 0}));
}

// A view that nobody else shares memory with is as good as its base: linear of three dimensions.
TEST(InPlace, TheLastViewMayChange) {
  const Tensor w = leaf({2, -3, 5, 7}).reshape({2, 2}).detach().requires_grad_();
  const Tensor x = ones({3, 1, 2}, kFloat64);
  const Tensor y = linear(x, w);
  ASSERT_TRUE(y.impl().is_view);
  y.relu_();
  y.mul_(2);
  y.sum().backward();
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{0, 0, 6, 6}));
  const Tensor plain = zeros({4}, kFloat64).view({2, 2});
  plain.add_(w);
  plain.sum().backward();
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{1, 1, 7, 7}));
}

TEST(InPlace, AnotherHandleSeesTheChange) {
  const Tensor w = leaf({2, 3}), x = w * 1;
  const Tensor same = x;
  x.mul_(3);
  same.sum().backward();
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{3, 3}));
}

TEST(InPlace, OverlapsAreRefused) {
  const Tensor x = arange(12).reshape({3, 4}).to(kFloat64);
  EXPECT_NE(error_of([&] { x.slice(0, 1, 3).add_(x.slice(0, 0, 2)); }).find("overlap"),
            std::string::npos);
  EXPECT_NE(error_of([&] { x.slice(1, 0, 3).copy_(x.slice(1, 1, 4)); }).find("overlap"),
            std::string::npos);
  EXPECT_NE(error_of([&] { x.slice(1, 0, 3).copy_(x.slice(1, 0, 3).t()); }).find("overlap"),
            std::string::npos);
  EXPECT_NE(error_of([&] { x.add_(x[0]); }).find("overlap"), std::string::npos);
  EXPECT_NE(error_of([&] {
              x[0].unsqueeze(0).expand({3, 4}).add_(1);
            }).find("expanded"),
            std::string::npos);
  EXPECT_EQ(x.sum().item(), 66) << "nothing was written";
}

// Columns lie between each other in memory without touching.
TEST(InPlace, WhatOnlySeemsToOverlapIsAllowed) {
  const Tensor x = arange(12).reshape({3, 4}).to(kFloat64);
  x.select(1, 0).add_(x.select(1, 3));
  x.slice(1, 0, 2).copy_(x.slice(1, 2, 4));
  x.slice(1, 0, 4, 2).mul_(x.slice(1, 1, 4, 2));
  EXPECT_EQ(numbers_of(x), (Numbers{6, 3, 6, 3, 42, 7, 42, 7, 110, 11, 110, 11}));
  x.mul_(x);
  EXPECT_EQ(numbers_of(x[0]), (Numbers{36, 9, 36, 9})) << "element by element it is itself";
}

TEST(InPlace, VersionsCountWritesThroughAnyView) {
  const Tensor x = zeros({2, 2});
  const uint32_t start = x.version();
  x.add_(1);
  x.t().mul_(2);
  x[0].fill_(3);
  x.data<float>();
  EXPECT_EQ(x.version(), start + 4);
  x.const_data<float>();
  x.to_vector<double>();
  x + x;
  EXPECT_EQ(x.version(), start + 4);
}

TEST(InPlace, NothingIsWrittenByARefusedOperation) {
  const Tensor x = zeros({2}, kInt64);
  EXPECT_NE(error_of([&] { x.add_(0.5); }), "");
  EXPECT_NE(error_of([&] { x.copy_(ones({3})); }), "");
  EXPECT_EQ(x.version(), 0u);
  EXPECT_EQ(numbers_of(x), (Numbers{0, 0}));
}

}  // namespace
}  // namespace levin

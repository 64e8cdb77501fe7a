// Hooks on tensors: what they see, what they change, in which order.
#include <gtest/gtest.h>
#include <levin/autograd/hooks.h>

#include "graph.h"

namespace levin {
namespace {

TEST(Hooks, SeeAndChangeTheGradientOfAResult) {
  const Tensor x = leaf({2, 3}), y = x * x;
  Numbers seen;
  y.register_hook([&](const Tensor& g) { seen = numbers_of(g); });
  y.register_hook([](const Tensor& g) { return g * 10; });
  (y * from_vector(Numbers{1, 2})).sum().backward();
  EXPECT_EQ(seen, (Numbers{1, 2}));
  EXPECT_EQ(numbers_of(x.grad()), (Numbers{40, 120}));
}

TEST(Hooks, RunInTheOrderOfTheirRegistration) {
  const Tensor x = leaf({2});
  x.register_hook([](const Tensor& g) { return g + 1; });
  x.register_hook([](const Tensor& g) { return g * 10; });
  (x * 3).sum().backward();
  EXPECT_EQ(numbers_of(x.grad()), (Numbers{40}));
}

// The sum of this backward's contributions, once, and not what grad() held before.
TEST(Hooks, OnALeafSeeTheSumOfAllContributionsOnce) {
  const Tensor x = leaf({2, 3});
  std::vector<Numbers> seen;
  x.register_hook([&](const Tensor& g) { seen.push_back(numbers_of(g)); });
  for (int i = 0; i < 2; ++i) (x * x + x).sum().backward();
  EXPECT_EQ(seen, (std::vector<Numbers>{{5, 7}, {5, 7}}));
  EXPECT_EQ(numbers_of(x.grad()), (Numbers{10, 14}));
}

TEST(Hooks, OfALeafChangeWhatItCollectsAndGradGivesOut) {
  const Tensor x = leaf({2, 3});
  x.register_hook([](const Tensor& g) { return -g; });
  EXPECT_EQ(numbers_of(grad({(x * x).sum()}, {x})[0]), (Numbers{-4, -6}));
  EXPECT_FALSE(x.grad().defined());
  x.backward(ones_like(x));  // a leaf as the root
  EXPECT_EQ(numbers_of(x.grad()), (Numbers{-1, -1}));
}

TEST(Hooks, AreRemovedByTheirHandles) {
  const Tensor x = leaf({2});
  HookHandle second;
  HookHandle first = x.register_hook([&](const Tensor& g) {
    second.remove();  // this run has its list already
    return g * 2;
  });
  second = x.register_hook([](const Tensor& g) { return g * 5; });
  const auto gradient = [&] { return grad({x * 1}, {x})[0].item(); };
  EXPECT_EQ(gradient(), 10);
  EXPECT_EQ(gradient(), 2);
  first.remove();
  first.remove();
  HookHandle().remove();
  EXPECT_EQ(gradient(), 1);
}

TEST(Hooks, HoldNothingAlive) {
  const auto token = std::make_shared<int>(0);
  HookHandle handle;
  {
    const Tensor x = leaf({2});
    handle = x.register_hook([token](const Tensor&) {});
    x.register_post_accumulate_grad_hook([token](const Tensor&) {});
    (x * x).sum().backward();
    EXPECT_EQ(token.use_count(), 3);
  }
  EXPECT_EQ(token.use_count(), 1);
  handle.remove();
}

TEST(Hooks, OneThatThrowsLeavesTheEngineUsable) {
  const Tensor x = leaf({2, 3}), w = leaf({5, 7});
  bool broken = true;
  w.register_hook([&](const Tensor&) {
    if (broken) throw std::runtime_error("broken");
  });
  const Tensor y = (x * w).sum();
  EXPECT_THROW(y.backward({}, true), std::runtime_error);
  broken = false;
  x.zero_grad();
  y.backward();
  EXPECT_EQ(numbers_of(x.grad()), (Numbers{5, 7}));
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{2, 3}));
}

TEST(Hooks, AddedWhileBackwardRunsLosesNothing) {
  const Tensor x = leaf({2});
  int calls = 0;
  const Tensor y = x * 1;
  y.register_hook([&](const Tensor&) { x.register_hook([&](const Tensor&) { ++calls; }); });
  (y * 3 + x * 5).sum().backward();
  EXPECT_EQ(x.grad().item(), 8);
  EXPECT_EQ(calls, 1);
}

TEST(Hooks, AreRecordedWithCreateGraph) {
  const Tensor x = leaf({2});
  x.register_hook([](const Tensor& g) { return g * g; });
  const Tensor slope = grad({x * x * x}, {x}, {}, false, true)[0];  // (3 x^2)^2 = 9 x^4
  EXPECT_EQ(slope.item(), 144);
  EXPECT_EQ(grad({slope}, {x}, {}, false, true)[0].item(), 288.0 * 288.0);
}

TEST(Hooks, OnAViewWhoseBaseWasChanged) {
  const Tensor x = leaf({2, 3}), y = x * 1, part = y.slice(0, 1, 2);
  y.mul_(10);
  Numbers seen;
  part.register_hook([&](const Tensor& g) { seen = numbers_of(g); });
  (part * 7).sum().backward();
  EXPECT_EQ(seen, (Numbers{7}));
  EXPECT_EQ(numbers_of(x.grad()), (Numbers{0, 70}));
}

TEST(Hooks, WhatTheyGiveMustFit) {
  const Tensor x = leaf({2, 3}), y = x.exp();
  const HookHandle shape = y.register_hook([](const Tensor&) { return zeros({3}, kFloat64); });
  EXPECT_NE(error_of([&] { y.sum().backward({}, true); })
                .find("a hook of exp: it gave a float64 gradient of shape [3] for a float64 tensor "
                      "of shape [2]"),
            std::string::npos);
  HookHandle(shape).remove();
  y.register_hook([](const Tensor& g) { return g.to(kFloat32); });
  EXPECT_NE(error_of([&] { y.sum().backward({}, true); }).find("gave a float32 gradient"),
            std::string::npos);
  const auto nothing = [](const Tensor&) {};
  EXPECT_NE(error_of([&] { zeros({2}).register_hook(nothing); }).find("requires no gradient"),
            std::string::npos);
  EXPECT_NE(error_of([&] { zeros({2}).retain_grad(); }).find("requires no gradient"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              y.register_post_accumulate_grad_hook(nothing);
            }).find("the result of exp is no leaf"),
            std::string::npos);
}

TEST(RetainGrad, KeepsTheGradientOfAResult) {
  const Tensor x = leaf({2, 3}), y = x * x;
  EXPECT_FALSE(y.retains_grad());
  y.retain_grad();
  EXPECT_TRUE(y.retains_grad());
  EXPECT_FALSE(y.grad().defined());
  y.register_hook([](const Tensor& g) { return g * 2; });  // also later ones come first
  (y * 5).sum().backward({}, true);
  EXPECT_EQ(numbers_of(y.grad()), (Numbers{10, 10}));
  EXPECT_EQ(numbers_of(x.grad()), (Numbers{40, 60}));
  (y * 7).sum().backward();
  EXPECT_EQ(numbers_of(y.grad()), (Numbers{24, 24}));
  y.zero_grad(false);
  EXPECT_EQ(numbers_of(y.grad()), (Numbers{0, 0}));
  y.zero_grad();
  EXPECT_FALSE(y.grad().defined());
  x.retain_grad();
  EXPECT_FALSE(x.retains_grad()) << "a leaf does so anyway";
}

TEST(RetainGrad, FollowsTheTensorThroughOperationsInPlace) {
  const Tensor x = leaf({2, 3}), y = x * 1;
  Numbers seen;
  y.register_hook([&](const Tensor& g) { seen = numbers_of(g); });
  y.retain_grad();
  y.mul_(10);
  y.sum().backward();
  EXPECT_EQ(seen, (Numbers{10, 10})) << "the hook belongs to the value of its moment";
  EXPECT_EQ(numbers_of(y.grad()), (Numbers{1, 1}));
  const Tensor z = x * 1;
  z.retain_grad();
  z.zero_();  // has no history any more
  EXPECT_FALSE(z.requires_grad() || z.retains_grad());
}

TEST(PostAccumulate, RunsOnceWhenTheGradientIsComplete) {
  const Tensor x = leaf({2, 3});
  std::vector<Numbers> seen;
  HookHandle handle = x.register_post_accumulate_grad_hook(
      [&](const Tensor& leaf) { seen.push_back(numbers_of(leaf.grad())); });
  const auto step = [&] { (x * x + x).sum().backward(); };
  step();
  step();
  grad({x.sum()}, {x});
  EXPECT_EQ(seen, (std::vector<Numbers>{{5, 7}, {10, 14}}));
  handle.remove();
  step();
  EXPECT_EQ(seen.size(), 2u);
}

// What it is for: the optimizer's step in backward, so that no two gradients live at once.
TEST(PostAccumulate, MayStepAndForget) {
  const Tensor a = leaf({2}), b = leaf({5});
  int together = 0;
  for (const Tensor& p : {a, b})
    p.register_post_accumulate_grad_hook([&](const Tensor& leaf) {
      together += a.grad().defined() && b.grad().defined();
      leaf.sub_(leaf.grad(), 0.5);
      leaf.zero_grad();
    });
  const Tensor wide = a * from_vector(Numbers{1, 1});  // a comes first, b behind a longer way
  (wide.sum() + b.exp().log().sum()).backward();
  EXPECT_EQ(numbers_of(a), (Numbers{1}));
  EXPECT_NEAR(b.item(), 4.5, 1e-12);
  EXPECT_EQ(together, 0);
}

// A leaf is done as soon as its last contribution is there, not when the whole graph is.
TEST(PostAccumulate, ComesAtOnce) {
  const Tensor w = leaf({2}), x = leaf({3});
  std::vector<std::string> order;
  w.register_post_accumulate_grad_hook([&](const Tensor&) { order.push_back("w"); });
  const Tensor deep = x.exp();
  deep.register_hook([&](const Tensor&) { order.push_back("deep"); });
  (w * deep.log()).sum().backward();
  EXPECT_EQ(order, (std::vector<std::string>{"w", "deep"}));
}

TEST(Leaves, ThatAreTurnedOffKeepTheirGradientAndHooks) {
  const Tensor x = leaf({2, 3});
  int calls = 0;
  x.register_hook([&](const Tensor&) { ++calls; });
  (x * x).sum().backward();
  x.requires_grad_(false);
  EXPECT_FALSE(x.requires_grad());
  EXPECT_EQ(numbers_of(x.grad()), (Numbers{4, 6}));
  x.requires_grad_();
  EXPECT_EQ(numbers_of(x.grad()), (Numbers{4, 6}));
  (x * x).sum().backward();
  EXPECT_EQ(numbers_of(x.grad()), (Numbers{8, 12}));
  EXPECT_EQ(calls, 2);
  x.requires_grad_(false).zero_grad();
  EXPECT_FALSE(x.grad().defined());
}

}  // namespace
}  // namespace levin

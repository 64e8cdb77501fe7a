// Gradients as users meet them: graphs of every form, modes, leaves.
#include <gtest/gtest.h>
#include <levin/autograd/node.h>

#include <cmath>

#include "graph.h"

namespace levin {
namespace {

TEST(Backward, DiamondsAddUp) {
  const Tensor x = leaf({3});
  Tensor y = x;
  for (int i = 0; i < 20; ++i) y = y + y;  // 2^20 paths
  y.sum().backward();
  EXPECT_EQ(x.grad().item(), std::ldexp(1, 20));
}

TEST(Backward, OfALeafItself) {
  const Tensor x = leaf({3}).sum().detach().requires_grad_();
  x.backward();
  EXPECT_EQ(x.grad().item(), 1);
  x.backward(full({}, 5, kFloat64));
  EXPECT_EQ(x.grad().item(), 6);
}

// The sum of three contributions depends on their order in the last bit: the graph alone decides.
TEST(Backward, TheGraphAloneDecidesTheOrder) {
  const auto gradient = [](int waste) {
    std::vector<Tensor> kept;
    for (int i = 0; i < waste; ++i) kept.push_back(zeros({i + 1}));  // other addresses
    const Tensor x = leaf({1});
    const Tensor a = x * 1e16, b = x * 1, c = x * -1e16;
    (a + b + c).sum().backward();
    return x.grad().item();
  };
  const double first = gradient(0);
  for (int waste = 1; waste < 20; ++waste) EXPECT_EQ(gradient(waste), first);
}

TEST(Backward, Messages) {
  EXPECT_NE(error_of([] {
              zeros({3}).requires_grad_().backward();
            }).find("backward: a tensor of shape [3] needs a gradient of its shape"),
            std::string::npos);
  EXPECT_NE(
      error_of([] { zeros({}).backward(); }).find("depends on nothing that requires a gradient"),
      std::string::npos);
  EXPECT_NE(error_of([] {
              leaf({1, 2}).sum().backward(ones({2}));
            }).find("a gradient of shape [2] for a tensor of shape []"),
            std::string::npos);
  const Tensor y = leaf({1}).exp().sum();
  y.backward();
  EXPECT_NE(error_of([&] { y.backward(); }).find("pass retain_graph = true"), std::string::npos);
}

TEST(Grad, UnusedInputs) {
  const Tensor x = leaf({2}), unused = leaf({5});
  const Tensor y = (x * x).sum();
  EXPECT_NE(error_of([&] {
              grad({y}, {x, unused}, {}, true);
            }).find("grad: the outputs do not depend on input 1: pass allow_unused = true"),
            std::string::npos);
  const std::vector<Tensor> both = grad({y}, {x, unused}, {}, true, false, true);
  EXPECT_EQ(numbers_of(both[0]), (Numbers{4}));
  EXPECT_FALSE(both[1].defined());
  EXPECT_FALSE(x.grad().defined()) << "grad() collects nothing in leaves";
  EXPECT_NE(error_of([&] { grad({y}, {zeros({1})}); }).find("grad, of an input"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              grad({y}, {x}, {ones({}), ones({})});
            }).find("1 outputs but 2"),
            std::string::npos);
}

TEST(Grad, SeveralOutputsAreSummed) {
  const Tensor x = leaf({2, 3});
  const std::vector<Tensor> g =
      grad({x * x, x.sum()}, {x}, {from_vector(Numbers{1, 10}), full({}, 100, kFloat64)});
  EXPECT_EQ(numbers_of(g[0]), (Numbers{104, 160}));
}

// d^3/dx^3 of tanh, sigmoid, exp(x^2): by the closed forms.
TEST(Grad, ThirdDerivatives) {
  const auto third = [](auto f, double at) {
    const Tensor x = leaf({at});
    Tensor y = f(x).sum();
    for (int order = 0; order < 3; ++order) y = grad({y}, {x}, {}, false, true)[0].sum();
    return y.item();
  };
  for (const double x : {-0.9, 0.2, 1.1}) {
    const double t = std::tanh(x), s = 1 / (1 + std::exp(-x));
    EXPECT_NEAR(third([](const Tensor& v) { return v.tanh(); }, x), (1 - t * t) * (6 * t * t - 2),
                1e-12);
    EXPECT_NEAR(third([](const Tensor& v) { return v.sigmoid(); }, x),
                s * (1 - s) * (1 - 6 * s + 6 * s * s), 1e-12);
    EXPECT_NEAR(third([](const Tensor& v) { return v.square().exp(); }, x),
                std::exp(x * x) * (8 * x * x * x + 12 * x), 1e-10);
    EXPECT_NEAR(third([](const Tensor& v) { return v.softmax(0).log().pow(2) * v.pow(5); }, x), 0,
                1e-12);
    EXPECT_NEAR(third([](const Tensor& v) { return (v + 3).pow(-2.5); }, x),
                -2.5 * -3.5 * -4.5 * std::pow(x + 3, -5.5), 1e-12);
  }
}

TEST(Grad, CreateGraphThroughBackward) {
  const Tensor x = leaf({2, 3});
  (x * x * x).sum().backward({}, false, true);
  const Tensor g = x.grad();
  EXPECT_TRUE(g.requires_grad());
  x.zero_grad();
  g.sum().backward();
  EXPECT_EQ(numbers_of(x.grad()), (Numbers{12, 18}));
  EXPECT_FALSE(x.grad().requires_grad()) << "the second gradient was not asked for its history";
}

TEST(Modes, NoGradAndEnableGrad) {
  const Tensor x = leaf({2});
  EXPECT_TRUE(is_grad_enabled());
  {
    NoGrad no_grad;
    EXPECT_FALSE((x * 2).requires_grad());
    EXPECT_TRUE(x.requires_grad());
    {
      EnableGrad enable_grad;
      EXPECT_TRUE((x * 2).requires_grad());
    }
    EXPECT_FALSE(is_grad_enabled());
  }
  EXPECT_TRUE(is_grad_enabled());
  try {
    NoGrad no_grad;
    zeros({2}) + zeros({3});
  } catch (const std::invalid_argument&) {
  }
  EXPECT_TRUE(is_grad_enabled()) << "also after an error";
}

TEST(Modes, BackwardLeavesTheModeAsItWas) {
  const Tensor x = leaf({2}), y = x.exp().sum();
  NoGrad no_grad;
  y.backward({}, true, true);
  EXPECT_FALSE(is_grad_enabled());
  EXPECT_TRUE(x.grad().requires_grad());
  x.zero_grad();  // the gradient's history holds x
}

TEST(Leaves, RequiresGradRules) {
  const Tensor x = zeros({2});
  EXPECT_TRUE(x.is_leaf());
  EXPECT_FALSE(x.requires_grad());
  EXPECT_TRUE(x.requires_grad_().is_same(x));
  EXPECT_TRUE(x.is_leaf() && x.requires_grad());
  const Tensor y = x * 2;
  EXPECT_FALSE(y.is_leaf());
  EXPECT_NE(error_of([&] { y.requires_grad_(false); }).find("the result of mul has a history"),
            std::string::npos);
  x.requires_grad_(false);
  EXPECT_FALSE((x * 2).requires_grad());
  EXPECT_NE(error_of([] { zeros({2}, kInt64).requires_grad_(); }).find("a int64 tensor"),
            std::string::npos);
}

TEST(Leaves, ComparisonsAndPositionsHaveNoGradient) {
  const Tensor x = leaf({2, 3});
  EXPECT_FALSE((x > 2).requires_grad());
  EXPECT_FALSE(x.argmax().requires_grad());
  EXPECT_FALSE(x.to(kInt64).requires_grad());
  EXPECT_FALSE(x.max(0).second.requires_grad());
}

TEST(Leaves, DetachSharesMemoryWithoutHistory) {
  const Tensor x = leaf({2, 3}), y = x * 2, d = y.detach();
  EXPECT_FALSE(d.requires_grad());
  EXPECT_TRUE(d.is_leaf());
  EXPECT_EQ(d.impl().block.get(), y.impl().block.get());
  (y * d).sum().backward();
  EXPECT_EQ(numbers_of(x.grad()), (Numbers{8, 12})) << "d counts as a constant";
}

TEST(Leaves, GradientsAreAddedAndTheirMemoryStays) {
  const Tensor w = leaf({2, 3});
  const auto step = [&] { (w * w).sum().backward(); };
  step();
  step();
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{8, 12}));
  const void* memory = w.grad().const_data<double>();
  for (int i = 0; i < 3; ++i) {
    w.zero_grad();
    EXPECT_FALSE(w.grad().defined());
    step();
    EXPECT_EQ(numbers_of(w.grad()), (Numbers{4, 6}));
    EXPECT_EQ(w.grad().const_data<double>(), memory);
  }
  w.zero_grad(false);
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{0, 0}));
  step();
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{4, 6}));
  EXPECT_EQ(w.grad().const_data<double>(), memory);
}

TEST(Leaves, AGradientThatSomebodyKeepsIsNotOverwritten) {
  const Tensor w = leaf({2, 3});
  (w * w).sum().backward();
  const Tensor kept = w.grad();
  w.zero_grad();
  (w * 5).sum().backward();
  EXPECT_EQ(numbers_of(kept), (Numbers{4, 6}));
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{5, 5}));
}

// Both gradients of one operation go to one leaf, whose memory is there already.
TEST(Leaves, TwoGradientsAtOnce) {
  const Tensor w = leaf({2, 4});
  for (int i = 0; i < 2; ++i) {
    w.zero_grad();
    (w / w + w).sum().backward();
    EXPECT_EQ(numbers_of(w.grad()), (Numbers{1, 1}));
  }
}

TEST(Leaves, TheStartOfBackwardIsNotTheirGradient) {
  const Tensor w = leaf({2, 3}), start = from_vector(Numbers{5, 7});
  w.backward(start);
  w.backward(start);
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{10, 14}));
  EXPECT_EQ(numbers_of(start), (Numbers{5, 7}));
  const Tensor a = leaf({1, 1}), b = leaf({1, 1});
  (a + b).backward(start);
  a.grad().mul_(2);
  EXPECT_EQ(numbers_of(b.grad()), (Numbers{5, 7})) << "each has a gradient of its own";
}

TEST(Leaves, ClearedGradientsForgetTheirHistory) {
  const Tensor w = leaf({2, 3});
  (w * w).sum().backward({}, false, true);
  ASSERT_TRUE(w.grad().requires_grad());
  w.zero_grad();
  (w * w).sum().backward();
  EXPECT_FALSE(w.grad().requires_grad());
  (w * w).sum().backward({}, false, true);
  w.zero_grad(false);
  EXPECT_FALSE(w.grad().requires_grad());
}

// With create_graph too each leaf has a gradient of its own, in one piece.
TEST(Leaves, RecordedGradientsAreTheirOwn) {
  const Tensor a = leaf({1, 2}), b = leaf({1, 2}), start = from_vector(Numbers{5, 7});
  (a + b).backward(start, false, true);
  (a * 2).backward(start);
  EXPECT_EQ(numbers_of(a.grad()), (Numbers{15, 21}));
  EXPECT_EQ(numbers_of(b.grad()), (Numbers{5, 7}));
  EXPECT_EQ(numbers_of(start), (Numbers{5, 7}));
  const Tensor w = leaf({2, 3});
  w.sum().backward({}, false, true);
  (w * w).sum().backward();
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{5, 7}));
  w.zero_grad();
  w.sum().backward({}, false, true);
  w.zero_grad();
  (w * w).sum().backward();
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{4, 6}));
}

TEST(Leaves, AGradientThatWasSetMayLieAnyhow) {
  const Tensor w = leaf({2, 3});
  w.set_grad(from_vector(Numbers{1}).expand({2}));
  (w * w).sum().backward();
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{5, 7}));
  w.set_grad(from_vector(Numbers{1}).expand({2}));
  w.zero_grad();
  (w * w).sum().backward();
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{4, 6}));
}

TEST(Leaves, SetGrad) {
  const Tensor w = leaf({2, 3});
  w.set_grad(from_vector(Numbers{1, 2}));
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{1, 2}));
  w.sum().backward();
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{2, 3}));
  w.set_grad({});
  EXPECT_FALSE(w.grad().defined());
  EXPECT_NE(error_of([&] { w.set_grad(zeros({3}, kFloat64)); }), "");
  EXPECT_NE(error_of([&] { w.set_grad(zeros({2})); }), "");
  EXPECT_NE(error_of([&] { (w * 2).set_grad(zeros({2}, kFloat64)); }), "");
}

TEST(Leaves, MixedTypesGetGradientsOfTheirOwn) {
  const Tensor single = ones({2}).requires_grad_(), wide = leaf({2, 3});
  (single * wide).sum().backward();
  EXPECT_EQ(single.grad().dtype(), kFloat32);
  EXPECT_EQ(wide.grad().dtype(), kFloat64);
  EXPECT_EQ(numbers_of(single.grad()), (Numbers{2, 3}));
}

}  // namespace
}  // namespace levin

// autograd::checkpoint: the same gradients from less memory.
#include <gtest/gtest.h>
#include <levin/autograd/checkpoint.h>
#include <levin/autograd/gradcheck.h>
#include <levin/autograd/hooks.h>

#include <cmath>

#include "graph.h"

namespace levin {
namespace {

using autograd::checkpoint;
using Tensors = std::vector<Tensor>;

// The gradients of x and w, plain and by checkpoints.
std::vector<Numbers> gradients(bool by_checkpoint) {
  const Tensor x = leaf({0.1, -0.4}), w = leaf({0.7, 1.3});
  Tensor y = x;
  for (int i = 0; i < 3; ++i) {
    const auto layer = [w](const Tensors& in) { return (in[0] * w).tanh() * w + in[0]; };
    y = by_checkpoint ? checkpoint(layer, {y}) : layer({y});
  }
  (y * y).sum().backward();
  return {numbers_of(x.grad()), numbers_of(w.grad())};
}

TEST(Checkpoint, GivesTheBitsOfTheFunctionItself) { EXPECT_EQ(gradients(true), gradients(false)); }

TEST(Checkpoint, CapturedParametersAloneGetTheirGradients) {
  const Tensor x = from_vector(Numbers{2, 3}), w = leaf({5, 7});
  const Tensor y = checkpoint([&](const Tensors& in) { return in[0] * w.square(); }, {x}).sum();
  EXPECT_EQ(numbers_of(grad({y}, {w}, {}, true)[0]), (Numbers{20, 42}));
  y.backward();
  EXPECT_EQ(numbers_of(w.grad()), (Numbers{20, 42}));
}

// What is behind one input is another one, and also captured: none counts twice.
TEST(Checkpoint, InputsThatDependOnEachOther) {
  const Tensor a = leaf({2, 3}), b = a * a, c = a.exp();
  const auto f = [&](const Tensors& in) { return in[0] * in[1] * in[0] * c * a; };
  const auto gradient = [&](const Tensor& y) { return grad({y.sum()}, {a}, {}, true)[0]; };
  const Numbers plain = numbers_of(gradient(f({b, a}))),
                again = numbers_of(gradient(checkpoint(f, {b, a})));
  for (int i = 0; i < 2; ++i) EXPECT_NEAR(again[i], plain[i], 1e-12 * std::abs(plain[i]));
}

TEST(Checkpoint, OfAViewWhoseBaseWasChanged) {
  const auto gradient = [](bool by_checkpoint) {
    const auto f = [](const Tensors& in) { return in[0] * in[0]; };
    const Tensor x = leaf({2, 3}), y = x * 1, part = y.slice(0, 1, 2);
    y.mul_(10);
    (by_checkpoint ? checkpoint(f, {part}) : f({part})).sum().backward();
    return numbers_of(x.grad());
  };
  EXPECT_EQ(gradient(true), gradient(false));
  EXPECT_EQ(gradient(true), (Numbers{0, 600}));
}

TEST(Checkpoint, WhatTheFunctionKeptIsGone) {
  const Tensor x = leaf({1, 2, 3});
  Ref<Block> kept;
  int calls = 0;
  const auto f = [&](const Tensors& in) {
    const Tensor e = in[0].exp();  // keeps its output
    if (calls++ == 0) kept = e.impl().block;
    return e * 2;
  };
  const Tensor plain = f({x});
  EXPECT_FALSE(kept.unique()) << "the graph holds it";
  calls = 0;
  const Tensor y = checkpoint(f, {x});
  EXPECT_TRUE(kept.unique());
  EXPECT_EQ(calls, 1);
  y.sum().backward();
  EXPECT_EQ(calls, 2);
  EXPECT_EQ(numbers_of(x.grad()), numbers_of(plain));
}

TEST(Checkpoint, DrawsTheSameRandomNumbersAgain) {
  const Tensor x = leaf(Numbers(200, 1.0));
  manual_seed(7);
  const Tensor y = checkpoint(
      [](const Tensors& in) { return in[0] * rand({200}, default_generator(), kFloat64); }, {x});
  const Tensor later = rand({3});
  y.sum().backward();
  EXPECT_EQ(numbers_of(x.grad()), numbers_of(y)) << "d (x r) = r, x = 1";
  const Tensor next = rand({3});
  manual_seed(7);
  rand({200}, default_generator(), kFloat64);
  EXPECT_EQ(numbers_of(rand({3})), numbers_of(later));
  EXPECT_EQ(numbers_of(rand({3})), numbers_of(next)) << "backward draws nothing from the generator";
}

TEST(Checkpoint, Nested) {
  const Tensor x = leaf({0.3, -0.7}), w = leaf({2, 0.5});
  int calls = 0;
  const auto inner = [&](const Tensors& in) { return ++calls, (in[0] * w).tanh(); };
  const auto outer = [&](const Tensors& in) {
    return checkpoint(inner, {checkpoint(inner, in).exp()});
  };
  const Tensor plain = inner({inner({x}).exp()});
  const Tensors expected = grad({plain.sum()}, {x, w});
  calls = 0;
  checkpoint(outer, {x}).sum().backward();
  EXPECT_EQ(calls, 6);  // forward, the outer one again, each inner one again
  EXPECT_EQ(numbers_of(x.grad()), numbers_of(expected[0]));
  EXPECT_EQ(numbers_of(w.grad()), numbers_of(expected[1]));
}

TEST(Checkpoint, HasEveryDerivative) {
  const auto f = [](const Tensors& x) {
    return Tensors{checkpoint([](const Tensors& in) { return (in[0] * in[1]).tanh() * in[0]; }, x)};
  };
  const Tensors x{leaf({0.5, -1.5}), leaf({0.3, 0.8})};
  EXPECT_EQ(gradcheck(f, x), "");
  EXPECT_EQ(gradgradcheck(f, x), "");
}

TEST(Checkpoint, WithoutHistory) {
  const Tensor x = leaf({2});
  const auto f = [](const Tensors& in) { return in[0] * 2; };
  {
    const NoGrad no_grad;
    EXPECT_FALSE(checkpoint(f, {x}).requires_grad());
  }
  EXPECT_FALSE(checkpoint(f, {x.detach()}).requires_grad());
  EXPECT_TRUE(checkpoint([](const Tensors& in) { return in[0]; }, {x}).is_same(x));
}

TEST(Checkpoint, ErrorsAndHooks) {
  const Tensor x = leaf({2, 3});
  int calls = 0;
  const Tensor y =
      checkpoint([&](const Tensors& in) { return calls++ ? in[0].sum() * 2 : in[0] * 2; }, {x});
  EXPECT_NE(error_of([&] {
              y.sum().backward();
            }).find("gave shape [2] at first, and [] when backward ran it again"),
            std::string::npos);
  const Tensor z = checkpoint([](const Tensors& in) { return in[0] * 2; }, {x});
  int hooks = 0;
  x.register_hook([&](const Tensor&) { ++hooks; });
  z.sum().backward({}, true);
  EXPECT_EQ(hooks, 1) << "in the outer run only";
  {
    const NoGrad no_grad;
    x.add_(1);
  }
  EXPECT_NE(error_of([&] { z.sum().backward(); }).find("backward of checkpoint: a tensor of shape"),
            std::string::npos);
}

}  // namespace
}  // namespace levin

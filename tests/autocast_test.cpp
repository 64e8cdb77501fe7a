// Mixed precision: which operations run in which types, and that backward follows.
#include <gtest/gtest.h>
#include <levin/levin.h>

#include <functional>

#include "scratch.h"

namespace levin {
namespace {

std::vector<double> values(const Tensor& x) { return x.to(kFloat64).to_vector<double>(); }

void expect_same(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.dtype(), b.dtype());
  EXPECT_EQ(a.shape(), b.shape());
  EXPECT_EQ(values(a), values(b));
}

TEST(Autocast, RunsProductsInItsType) {
  const Tensor x = rand({3, 4}), weight = rand({5, 4}), bias = rand({5}), v = rand({4});
  for (const DType type : {kBFloat16, kFloat16}) {
    const auto cast = [&](const Tensor& t) { return t.to(type); };
    const Tensor product = matmul(cast(x), cast(weight.t()));
    const Tensor with_bias = linear(cast(x), cast(weight), cast(bias));
    const Tensor activated = linear(cast(x), cast(weight), cast(bias), Op::relu);
    const Tensor dot = cast(v).dot(cast(v)), mv = cast(x).mv(cast(v));
    const Tensor batched = cast(x.unsqueeze(0)).bmm(cast(weight.t().unsqueeze(0)));
    const Tensor added = cast(bias).addmm(cast(x), cast(weight.t()));
    const Tensor sums = einsum("ij,kj->ik", {cast(x), cast(weight)});
    const Autocast autocast(type);
    expect_same(matmul(x, weight.t()), product);
    expect_same(matmul(cast(x), weight.t()), product);
    expect_same(linear(x, weight, bias), with_bias);
    expect_same(linear(x, weight, bias, Op::relu), activated);
    expect_same(v.dot(v), dot);
    expect_same(x.mv(v), mv);
    expect_same(x.unsqueeze(0).bmm(weight.t().unsqueeze(0)), batched);
    expect_same(bias.addmm(x, weight.t()), added);
    expect_same(einsum("ij,kj->ik", {x, weight}), sums);
    EXPECT_EQ(matmul(x.to(kFloat64), weight.to(kFloat64).t()).dtype(), kFloat64);
  }
  EXPECT_EQ(matmul(x, weight.t()).dtype(), kFloat32);
}

TEST(Autocast, ComputesInFloat32WhatNeedsIt) {
  using Function = std::function<Tensor(const Tensor&)>;
  const Tensor classes = tensor({1, 0, 3}), target = rand({3, 4});
  const std::vector<std::pair<const char*, Function>> functions = {
      {"exp", [](auto& x) { return x.exp(); }},
      {"expm1", [](auto& x) { return x.expm1(); }},
      {"log", [](auto& x) { return x.log(); }},
      {"log1p", [](auto& x) { return x.log1p(); }},
      {"log2", [](auto& x) { return x.log2(); }},
      {"log10", [](auto& x) { return x.log10(); }},
      {"reciprocal", [](auto& x) { return x.reciprocal(); }},
      {"rsqrt", [](auto& x) { return x.rsqrt(); }},
      {"softplus", [](auto& x) { return x.softplus(2); }},
      {"tan", [](auto& x) { return x.tan(); }},
      {"asin", [](auto& x) { return x.asin(); }},
      {"acos", [](auto& x) { return x.acos(); }},
      {"sinh", [](auto& x) { return x.sinh(); }},
      {"cosh", [](auto& x) { return x.cosh(); }},
      {"pow", [](auto& x) { return x.pow(3); }},
      {"pow 2", [](auto& x) { return x.pow(2); }},
      {"pow of two", [](auto& x) { return x.pow(x); }},
      {"pow of a number", [](auto& x) { return levin::pow(2, x); }},
      {"sum", [](auto& x) { return x.sum(); }},
      {"sum along", [](auto& x) { return x.sum({0}, true); }},
      {"prod", [](auto& x) { return x.prod(); }},
      {"norm", [](auto& x) { return x.norm(); }},
      {"cumsum", [](auto& x) { return x.cumsum(1); }},
      {"cumprod", [](auto& x) { return x.cumprod(1); }},
      {"softmax", [](auto& x) { return x.softmax(-1); }},
      {"log_softmax", [](auto& x) { return x.log_softmax(0); }},
      {"layer_norm", [](auto& x) { return layer_norm(x, {4}, ones({4}), zeros({4})); }},
      {"mse_loss", [&](auto& x) { return mse_loss(x, target); }},
      {"l1_loss", [&](auto& x) { return l1_loss(x, target); }},
      {"l1_loss of 16 bits", [&](auto& x) { return l1_loss(x, x * 2); }},
      {"smooth_l1_loss", [&](auto& x) { return smooth_l1_loss(x, target); }},
      {"hinge_embedding_loss", [&](auto& x) { return hinge_embedding_loss(x, target.sign()); }},
      {"cosine_similarity", [&](auto& x) { return cosine_similarity(x, target, 1); }},
      {"cross_entropy", [&](auto& x) { return cross_entropy(x, classes); }},
      {"nll_loss", [&](auto& x) { return nll_loss(x, classes); }},
      {"binary_cross_entropy_with_logits",
       [&](auto& x) { return binary_cross_entropy_with_logits(x, target); }},
      {"kl_div", [&](auto& x) { return kl_div(x, target); }},
  };
  const Tensor x = (rand({3, 4}) * 0.9 + 0.05).to(kBFloat16);
  for (const auto& [name, function] : functions) {
    SCOPED_TRACE(name);
    const Tensor expected = function(x.to(kFloat32));
    const Autocast autocast(kBFloat16);
    expect_same(function(x), expected);
  }
}

TEST(Autocast, LeavesOtherOperationsToTheirOperands) {
  const Autocast autocast(kFloat16);
  const Tensor x = rand({3}), half = x.to(kFloat16);
  EXPECT_EQ(half.relu().dtype(), kFloat16);
  EXPECT_EQ(half.tanh().dtype(), kFloat16);
  EXPECT_EQ(half.mean().dtype(), kFloat16);
  EXPECT_EQ((half + half).dtype(), kFloat16);
  EXPECT_EQ((half + x).dtype(), kFloat32);
  EXPECT_EQ(tensor({1, 2}).exp().dtype(), kFloat32);
  EXPECT_EQ(x.to(kFloat64).exp().dtype(), kFloat64);
}

TEST(Autocast, EndsWithItsScopeAndRefusesOtherTypes) {
  EXPECT_FALSE(is_autocast_enabled());
  {
    const Autocast outer(kBFloat16);
    {
      const Autocast inner(kFloat16);
      EXPECT_EQ(matmul(ones({1, 1}), ones({1, 1})).dtype(), kFloat16);
    }
    EXPECT_EQ(matmul(ones({1, 1}), ones({1, 1})).dtype(), kBFloat16);
  }
  EXPECT_FALSE(is_autocast_enabled());
  const auto other = [] { Autocast autocast(kFloat64); };
  EXPECT_EQ(error_of<std::invalid_argument>(other),
            "Autocast: float64: bfloat16 or float16 is needed");
}

// A network of two layers: its loss, written with the conversions by hand, or by Autocast.
struct Network {
  Tensor w1 = (rand({8, 5}) - 0.5).requires_grad_(), b1 = (rand({8}) - 0.5).requires_grad_(),
         w2 = (rand({4, 8}) - 0.5).requires_grad_();

  Tensor loss(const Tensor& x, const Tensor& classes) const {
    return cross_entropy(linear(linear(x, w1, b1).tanh(), w2), classes);
  }
  Tensor loss_by_hand(const Tensor& x, const Tensor& classes) const {
    const auto cast = [](const Tensor& t) { return t.to(kBFloat16); };
    const Tensor hidden = linear(cast(x), cast(w1), cast(b1)).tanh();
    return cross_entropy(linear(hidden, cast(w2)).to(kFloat32), classes);
  }
  std::vector<Tensor> gradients() const { return {w1.grad(), b1.grad(), w2.grad()}; }
  void forget() const {
    for (const Tensor& p : {w1, b1, w2}) p.zero_grad();
  }
};

TEST(Autocast, BackwardFollowsTheTypesOfForward) {
  const Network network;
  const Tensor x = rand({6, 5}), classes = tensor({1, 0, 3, 2, 2, 1});
  network.loss_by_hand(x, classes).backward();
  const std::vector<Tensor> expected = network.gradients();
  const auto expect_gradients = [&](auto run) {
    network.forget();
    run();
    for (int i = 0; i < 3; ++i) expect_same(network.gradients()[i], expected[i]);
  };
  expect_gradients([&] {
    Tensor loss;
    {
      const Autocast autocast(kBFloat16);
      loss = network.loss(x, classes);
    }
    EXPECT_EQ(loss.dtype(), kFloat32);
    loss.backward();
  });
  expect_gradients([&] {  // inside, too
    const Autocast autocast(kBFloat16);
    network.loss(x, classes).backward();
    EXPECT_TRUE(is_autocast_enabled());
  });
  expect_gradients([&] {  // and where forward runs once more
    Tensor loss;
    {
      const Autocast autocast(kBFloat16);
      loss =
          autograd::checkpoint([&](const auto& in) { return network.loss(in[0], classes); }, {x});
    }
    loss.backward();
  });
}

TEST(Autocast, IsReplayedAndKeptApart) {
  const Network eager, captured{eager.w1.detach().clone().requires_grad_(),
                                eager.b1.detach().clone().requires_grad_(),
                                eager.w2.detach().clone().requires_grad_()};
  const auto all = [](const Network& n) { return std::vector{n.w1, n.b1, n.w2}; };
  optim::SGD one(all(eager), {.lr = 0.1}), two(all(captured), {.lr = 0.1});
  const Tensor classes = tensor({1, 0, 3, 2});
  CapturedStep step;
  int replayed = 0;
  for (int i = 0; i < 12; ++i) {
    const Tensor x = rand({4, 5});
    std::optional<Autocast> autocast;
    if (i % 2) autocast.emplace(kBFloat16);
    const auto train = [&](const Network& network, optim::Optimizer& optimizer) {
      optimizer.zero_grad();
      const Tensor loss = network.loss(x, classes);
      loss.backward();
      optimizer.step();
      return loss;
    };
    const Tensor expected = train(eager, one);
    const Tensor& loss = step.run({x}, [&] { return train(captured, two); });
    replayed += step.has_replayed();
    expect_same(loss, expected);
    for (int p = 0; p < 3; ++p) expect_same(all(captured)[p], all(eager)[p]);
  }
  EXPECT_GE(replayed, 6);
}

TEST(MatmulPrecision, IsSaidInPyTorchsWords) {
  EXPECT_EQ(get_float32_matmul_precision(), "highest");
  set_float32_matmul_precision("medium");
  EXPECT_EQ(get_float32_matmul_precision(), "medium");
  set_float32_matmul_precision("highest");
  EXPECT_EQ(error_of<std::invalid_argument>([] { set_float32_matmul_precision("low"); }),
            "set_float32_matmul_precision: 'low': 'highest', 'high' or 'medium' is needed");
}

}  // namespace
}  // namespace levin

// autograd::Function: operations of a user's own.
#include <gtest/gtest.h>
#include <levin/autograd/function.h>
#include <levin/autograd/gradcheck.h>

#include <cmath>

#include "graph.h"

namespace levin {
namespace {

using autograd::Context;
using Tensors = std::vector<Tensor>;

struct Cube : autograd::Function<Cube> {
  static Tensor forward(Context& ctx, const Tensor& x) {
    ctx.save_for_backward({x});
    return x * x * x;
  }
  static Tensors backward(Context& ctx, const Tensors& grads) {
    const Tensor x = ctx.get_saved_variables()[0];
    return {grads[0] * 3 * x * x};
  }
};

// a e^(factor x): saves its output, has a number among its arguments.
struct Growth : autograd::Function<Growth> {
  static constexpr const char* kName = "growth";
  static Tensor forward(Context& ctx, const Tensor& x, double factor, const Tensor& a) {
    const Tensor y = a * (x * factor).exp();
    ctx.saved_data["factor"] = factor;
    ctx.save_for_backward({y, x});
    return y;
  }
  static Tensors backward(Context& ctx, const Tensors& grads) {
    const double factor = std::any_cast<double>(ctx.saved_data["factor"]);
    const Tensors saved = ctx.get_saved_variables();
    Tensor of_a;
    if (ctx.needs_input_grad(2)) of_a = grads[0] * (saved[1] * factor).exp();
    return {grads[0] * saved[0] * factor, Tensor(), of_a};
  }
};

TEST(Function, HasEveryDerivative) {
  const auto cube = [](const Tensors& x) { return Tensors{Cube::apply(x[0])}; };
  EXPECT_EQ(gradcheck(cube, {leaf({0.5, -1.5, 2})}), "");
  EXPECT_EQ(gradgradcheck(cube, {leaf({0.5, -1.5, 2})}), "");
  const auto growth = [](const Tensors& x) { return Tensors{Growth::apply(x[0], 0.7, x[1])}; };
  const Tensors x{leaf({0.5, -1.5, 2}), leaf({2, 3, 4})};
  EXPECT_EQ(gradcheck(growth, x), "");
  EXPECT_EQ(gradgradcheck(growth, x), "");
}

TEST(Function, RecordsOnlyWhereAGradientIsWanted) {
  const Tensor x = leaf({2}), constant = from_vector(Numbers{3});
  EXPECT_FALSE(Cube::apply(constant).requires_grad());
  const Tensor y = Growth::apply(x, 1.0, constant);
  y.backward();
  EXPECT_NEAR(x.grad().item(), 3 * std::exp(2), 1e-12);
  const NoGrad no_grad;
  EXPECT_FALSE(Cube::apply(x).requires_grad());
}

struct WithoutBias : autograd::Function<WithoutBias> {
  static Tensor forward(autograd::Context& ctx, const Tensor& x, const Tensor& bias) {
    ctx.save_for_backward({x, bias});
    return x * x;
  }
  static Tensors backward(autograd::Context& ctx, const Tensors& g) {
    const Tensors saved = ctx.get_saved_variables();
    EXPECT_FALSE(saved[1].defined());
    return {g[0] * saved[0] * 2, Tensor()};
  }
};

TEST(Function, AnUndefinedTensorMayBeSaved) {
  const Tensor x = full({2}, 3.0, kFloat64).requires_grad_();
  WithoutBias::apply(x, Tensor()).sum().backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{6, 6}));
}

TEST(Function, SavedTensorsAreWatched) {
  const Tensor x = leaf({2});
  const Tensor y = Cube::apply(x), z = Growth::apply(x, 1.0, x);
  z.detach().add_(1);
  EXPECT_NE(error_of([&] { z.backward(); }).find("backward of growth: a tensor of shape [1]"),
            std::string::npos);
  {
    const NoGrad no_grad;
    x.add_(1);
  }
  EXPECT_NE(error_of([&] { y.backward(); }).find("was changed in place by add_"),
            std::string::npos);
}

// A node that holds its own output is never freed.
TEST(Function, ASavedOutputIsFreed) {
  Ref<Block> memory;
  {
    const Tensor x = leaf({2});
    const Tensor y = Growth::apply(x, 1.0, x);
    memory = y.impl().block;
    EXPECT_FALSE(memory.unique());
  }
  EXPECT_TRUE(memory.unique());
}

struct Itself : autograd::Function<Itself> {
  static Tensor forward(Context&, const Tensor& x) { return x; }
  static Tensors backward(Context&, const Tensors& grads) { return {grads[0] * -1}; }
};

TEST(Function, MayGiveItsInput) {
  const Tensor x = leaf({2});
  const Tensor y = Itself::apply(x);
  EXPECT_TRUE(x.is_leaf());
  EXPECT_FALSE(y.is_same(x));
  y.backward();
  EXPECT_EQ(x.grad().item(), -1);
}

template <int kind>
struct Wrong : autograd::Function<Wrong<kind>> {
  static constexpr const char* kName = "wrong";
  static Tensor forward(Context&, const Tensor& x, double) { return x * 1; }
  static Tensors backward(Context&, const Tensors& grads) {
    if (kind == 0) return {grads[0]};
    if (kind == 1) return {grads[0], grads[0]};
    return {grads[0].sum(), Tensor()};
  }
};

TEST(Function, WrongGradientsAreNamed) {
  const Tensor x = leaf({2, 3});
  const auto error = [](const Tensor& y) { return error_of([&] { y.sum().backward(); }); };
  EXPECT_EQ(error(Wrong<0>::apply(x, 1.0)),
            "backward of wrong: it gave 1 gradients for 2 arguments of forward");
  EXPECT_EQ(error(Wrong<1>::apply(x, 1.0)),
            "backward of wrong: a gradient for argument 1, which is no tensor");
  EXPECT_EQ(error(Wrong<2>::apply(x, 1.0)),
            "backward of wrong: it gave a gradient of shape [] for input 0 of shape [2]");
}

}  // namespace
}  // namespace levin

// Operations that users record themselves, gradcheck that proves them, and the symbols that second
// derivatives are made of.
#include <gtest/gtest.h>
#include <levin/autograd/gradcheck.h>
#include <levin/autograd/node.h>
#include <levin/autograd/sym.h>

#include "graph.h"

namespace levin {
namespace {

// The operation of node.h's comment.
Tensor cube(const Tensor& x) {
  Tensor y;
  {
    NoGrad no_grad;
    y = x * x * x;
  }
  if (!recording(x)) return y;
  return record("cube", y, {&x}, [x = Saved(x)](const Tensor& g, Grads& grads) {
    grads.set(0, g * 3 * x.tensor(grads).square());
  });
}

TEST(Custom, TenLinesHaveEveryDerivative) {
  const auto f = [](const std::vector<Tensor>& x) { return std::vector<Tensor>{cube(x[0])}; };
  const Tensor x = leaf({0.5, -1.5, 2});
  EXPECT_EQ(gradcheck(f, {x}), "");
  EXPECT_EQ(gradgradcheck(f, {x}), "");
  EXPECT_FALSE(cube(x.detach()).requires_grad());
  {
    const NoGrad no_grad;
    EXPECT_FALSE(cube(x).requires_grad());
  }
  const Tensor y = cube(x);
  {
    NoGrad no_grad;
    x.add_(1);
  }
  EXPECT_NE(error_of([&] { y.sum().backward(); }).find("backward of cube"), std::string::npos);
}

TEST(Custom, AGradientOfAnotherShapeIsNamed) {
  const Tensor x = leaf({1, 2});
  const Tensor y = record("odd", x.detach() * 1, {&x},
                          [](const Tensor&, Grads& grads) { grads.set(0, zeros({3}, kFloat64)); });
  EXPECT_NE(error_of([&] {
              y.sum().backward();
            }).find("backward of odd: it gave a gradient of shape [3] for input 0 of shape [2]"),
            std::string::npos);
}

// A node that failed half-way has lost edges: it must not run again as if they had never been.
TEST(Custom, AGraphThatFailedIsGone) {
  const Tensor a = leaf({1}), b = leaf({1}), x = a * 1, z = b * 1;
  const Tensor y = record("odd", zeros({1}, kFloat64), {&x, &z}, [](const Tensor& g, Grads& grads) {
    grads.set(0, g * 1);
    grads.set(1, zeros({3}, kFloat64));
  });
  EXPECT_NE(error_of([&] { y.backward(); }).find("for input 1"), std::string::npos);
  EXPECT_NE(error_of([&] { y.backward(); }).find("pass retain_graph"), std::string::npos);
}

TEST(Custom, GradientsThatAreNotSetAreZero) {
  const Tensor x = leaf({1, 2}), z = leaf({3, 4});
  const Tensor y = record("first", x.detach() * 1, {&x, &z},
                          [](const Tensor& g, Grads& grads) { grads.set(0, g * 1); });
  (y + z * 0).sum().backward();
  EXPECT_EQ(numbers_of(x.grad()), (Numbers{1, 1}));
  EXPECT_EQ(numbers_of(z.grad()), (Numbers{0, 0}));
}

TEST(Custom, OnlyWantedGradientsAreAskedFor) {
  const Tensor x = leaf({1}), constant = zeros({1}, kFloat64), other = leaf({1});
  Numbers wanted;
  const auto op = [&] {
    return record(
        "spy", zeros({1}, kFloat64), {&x, &constant, &other},
        [&wanted](const Tensor&, Grads& grads) {
          wanted = {double(grads.wants(0)), double(grads.wants(1)), double(grads.wants(2))};
        });
  };
  op().backward();
  EXPECT_EQ(wanted, (Numbers{1, 0, 1}));
  grad({op()}, {other}, {}, false, false, true);
  EXPECT_EQ(wanted, (Numbers{0, 0, 1}));
}

// Numbers that a formula chooses between are of the type it computes in.
TEST(Sym, ChosenNumbersAreAsExactAsWhatIsCompared) {
  const Tensor x = from_vector(Numbers{-1, 1});
  const Sym chosen = select(Sym(x) > Sym(0), Sym(0.1), Sym(0.01));
  EXPECT_EQ(numbers_of(chosen.tensor()), (Numbers{0.01, 0.1}));
  const Sym single = select(!(Sym(x.to(kFloat32)) > Sym(0)), Sym(1), Sym(2));
  EXPECT_EQ(single.tensor().dtype(), kFloat32);
  EXPECT_EQ(numbers_of(single.tensor()), (Numbers{1, 2}));
}

TEST(Gradcheck, FindsAWrongDerivative) {
  const auto wrong = [](const std::vector<Tensor>& inputs) {
    const Tensor& x = inputs[0];
    return std::vector<Tensor>{
        record("wrong", x.detach() * 2, {&x},
               [](const Tensor& g, Grads& grads) { grads.set(0, g * 2.01); })};
  };
  EXPECT_NE(gradcheck(wrong, {leaf({1, 2})}).find("backward gives 2.01"), std::string::npos);
  const auto wrong_second = [](const std::vector<Tensor>& inputs) {
    const Tensor& x = inputs[0];
    return std::vector<Tensor>{
        record("wrong", x.detach().square(), {&x}, [x = Saved(x)](const Tensor& g, Grads& grads) {
          grads.set(0, g * 2 * x.tensor(grads).detach());
        })};
  };
  EXPECT_EQ(gradcheck(wrong_second, {leaf({1, 2})}), "");
  EXPECT_NE(gradgradcheck(wrong_second, {leaf({1, 2})}), "");
  EXPECT_NE(error_of([&] { gradcheck(wrong, {ones({2}).requires_grad_()}); }).find("float64"),
            std::string::npos);
}

}  // namespace
}  // namespace levin

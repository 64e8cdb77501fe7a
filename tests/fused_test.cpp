// Fused operations against the composition of simple ones that says what they are.
#include <gtest/gtest.h>
#include <levin/levin.h>

#include <functional>

namespace levin {
namespace {

struct Outcome {
  std::vector<std::vector<double>> numbers;  // the result, then the gradient of each input
};

Outcome outcome(const std::vector<Tensor>& inputs, const Tensor& result) {
  for (const Tensor& input : inputs) input.zero_grad();
  (result * result.detach().cos()).sum().backward();
  Outcome outcome{{result.to_vector<double>()}};
  for (const Tensor& input : inputs) outcome.numbers.push_back(input.grad().to_vector<double>());
  return outcome;
}

void expect_near(const std::vector<Tensor>& inputs, const Tensor& fused, const Tensor& composed) {
  const Outcome a = outcome(inputs, fused), b = outcome(inputs, composed);
  for (std::size_t i = 0; i < a.numbers.size(); ++i)
    for (std::size_t j = 0; j < a.numbers[i].size(); ++j)
      EXPECT_NEAR(a.numbers[i][j], b.numbers[i][j], 1e-12) << "part " << i << ", element " << j;
}

Tensor parameter(const Shape& shape) { return randn(shape, kFloat64).requires_grad_(); }

TEST(Fused, LinearIsAProductABiasAndAnActivation) {
  const Tensor x = parameter({5, 7}), w = parameter({6, 7}), b = parameter({6});
  expect_near({x, w, b}, linear(x, w, b), x.matmul(w.t()) + b);
  expect_near({x, w, b}, linear(x, w, b, Op::relu), relu(x.matmul(w.t()) + b));
  expect_near({x, w, b}, linear(x, w, b, Op::tanh), tanh(x.matmul(w.t()) + b));
  expect_near({x, w, b}, linear(x, w, b, Op::gelu), gelu(x.matmul(w.t()) + b));
}

TEST(Fused, ActivationsInAProductHaveTheBitsOfTheirOwn) {
  const Tensor x = randn({9, 40}), w = randn({33, 40}), b = randn({33});
  for (const Op op : {Op::relu, Op::tanh, Op::gelu, Op::sigmoid}) {
    const Tensor y = linear(x, w, b);
    const Tensor expected = op == Op::relu   ? relu(y)
                            : op == Op::tanh ? tanh(y)
                            : op == Op::gelu ? gelu(y)
                                             : sigmoid(y);
    EXPECT_EQ(linear(x, w, b, op).to_vector<float>(), expected.to_vector<float>());
  }
}

TEST(Fused, CrossEntropyIsTheLogOfASoftmaxAtTheTarget) {
  const Tensor x = parameter({6, 9}), target = from_vector(std::vector<int64_t>{0, 8, 3, 3, 1, 5});
  const Tensor log_p = x.log_softmax(1).gather(1, target.unsqueeze(1)).squeeze(1);
  expect_near({x}, cross_entropy(x, target), -log_p.mean());
  const Tensor again = x.log_softmax(1).gather(1, target.unsqueeze(1)).squeeze(1);
  expect_near({x}, cross_entropy(x, target, {.reduction = LossReduction::none}), -again);
}

TEST(Fused, LayerNormIsADeviationByItsRoot) {
  const Tensor x = parameter({5, 11}), w = parameter({11}), b = parameter({11});
  const auto composed = [&] {
    const Tensor d = x - x.mean({1}, true);
    return d / (d.square().mean({1}, true) + 1e-5).sqrt() * w + b;
  };
  expect_near({x, w, b}, layer_norm(x, {11}, w, b, 1e-5), composed());
}

TEST(Fused, MseIsAMeanOfSquares) {
  const Tensor x = parameter({5, 7}), target = randn({5, 7}, kFloat64);
  expect_near({x}, mse_loss(x, target), (x - target).square().mean());
}

}  // namespace
}  // namespace levin

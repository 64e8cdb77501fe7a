// The layers: what each computes is an operation of the table; here are its options, names and
// modes.
#include <gtest/gtest.h>
#include <levin/nn/activation.h>
#include <levin/nn/dropout.h>
#include <levin/nn/embedding.h>
#include <levin/nn/flatten.h>
#include <levin/nn/layer_norm.h>
#include <levin/nn/linear.h>
#include <levin/nn/module_list.h>
#include <levin/nn/sequential.h>

#include "scratch.h"

namespace levin {
namespace {

using Numbers = std::vector<float>;

std::vector<std::string> keys_of(const nn::Module& module) {
  std::vector<std::string> keys;
  for (const auto& [name, tensor] : module.state_dict()) keys.push_back(name);
  return keys;
}

// What tables and errors say of it.
std::string text_of(const nn::Module& module) {
  const std::string extra = module.extra_text();
  return module.type_name() + (extra.empty() ? "" : " " + extra);
}

struct One {
  nn::AnyModule module;
  std::string text;
  std::function<Tensor(const Tensor&)> expected;
};

std::vector<One> activations() {
  return {
      {nn::ReLU(), "ReLU", [](const Tensor& x) { return x.relu(); }},
      {nn::SELU(), "SELU", [](const Tensor& x) { return x.selu(); }},
      {nn::SiLU(), "SiLU", [](const Tensor& x) { return x.silu(); }},
      {nn::Mish(), "Mish", [](const Tensor& x) { return x.mish(); }},
      {nn::Tanh(), "Tanh", [](const Tensor& x) { return x.tanh(); }},
      {nn::Sigmoid(), "Sigmoid", [](const Tensor& x) { return x.sigmoid(); }},
      {nn::LogSigmoid(), "LogSigmoid", [](const Tensor& x) { return x.logsigmoid(); }},
      {nn::Softsign(), "Softsign", [](const Tensor& x) { return x.softsign(); }},
      {nn::Hardsigmoid(), "Hardsigmoid", [](const Tensor& x) { return x.hardsigmoid(); }},
      {nn::Hardswish(), "Hardswish", [](const Tensor& x) { return x.hardswish(); }},
      {nn::Identity(), "Identity", [](const Tensor& x) { return x; }},
      {nn::LeakyReLU(), "LeakyReLU slope 0.01", [](const Tensor& x) { return x.leaky_relu(0.01); }},
      {nn::LeakyReLU(0.2), "LeakyReLU slope 0.2",
       [](const Tensor& x) { return x.leaky_relu(0.2); }},
      {nn::ELU(), "ELU alpha 1", [](const Tensor& x) { return x.elu(1); }},
      {nn::ELU(2), "ELU alpha 2", [](const Tensor& x) { return x.elu(2); }},
      {nn::CELU(), "CELU alpha 1", [](const Tensor& x) { return x.celu(1); }},
      {nn::CELU(3), "CELU alpha 3", [](const Tensor& x) { return x.celu(3); }},
      {nn::GELU(), "GELU approximate none", [](const Tensor& x) { return x.gelu("none"); }},
      {nn::GELU("tanh"), "GELU approximate tanh", [](const Tensor& x) { return x.gelu("tanh"); }},
      {nn::Softplus(), "Softplus beta 1, threshold 20",
       [](const Tensor& x) { return x.softplus(1, 20); }},
      {nn::Softplus(2, 1), "Softplus beta 2, threshold 1",
       [](const Tensor& x) { return x.softplus(2, 1); }},
      {nn::Hardtanh(), "Hardtanh min -1, max 1", [](const Tensor& x) { return x.hardtanh(-1, 1); }},
      {nn::Hardtanh(-2, 0.5), "Hardtanh min -2, max 0.5",
       [](const Tensor& x) { return x.hardtanh(-2, 0.5); }},
      {nn::ReLU6(), "ReLU6 min 0, max 6", [](const Tensor& x) { return x.hardtanh(0, 6); }},
      {nn::Softmax(1), "Softmax dim 1", [](const Tensor& x) { return x.softmax(1); }},
      {nn::LogSoftmax(0), "LogSoftmax dim 0", [](const Tensor& x) { return x.log_softmax(0); }},
  };
}

TEST(Layers, ActivationsAreTheirFunctions) {
  Generator generator(1);
  const Tensor x = randn({4, 5}, generator) * 4;
  for (const One& one : activations()) {
    SCOPED_TRACE(one.text);
    EXPECT_EQ(text_of(*one.module), one.text);
    EXPECT_EQ((*one.module)(x).to_vector<float>(), one.expected(x).to_vector<float>());
    EXPECT_TRUE(keys_of(*one.module).empty());
  }
  EXPECT_TRUE(nn::Identity()(x).is_same(x));
  EXPECT_NE(error_of<std::invalid_argument>([&] { nn::GELU("fast")(x); }).find("(GELU approximate"),
            std::string::npos)
      << "errors name the module";
}

TEST(Layers, FlattenJoinsDimensions) {
  const Tensor x = zeros({2, 3, 4, 5});
  EXPECT_EQ(nn::Flatten()(x).shape(), Shape({2, 60}));
  EXPECT_EQ(nn::Flatten(0)(x).shape(), Shape({120}));
  EXPECT_EQ(nn::Flatten(1, 2)(x).shape(), Shape({2, 12, 5}));
  EXPECT_EQ(text_of(nn::Flatten()), "Flatten 1 to -1");
}

TEST(Layers, DropoutIsForTraining) {
  const Tensor x = ones({1000});
  nn::Dropout layer(0.25);
  EXPECT_EQ(text_of(layer), "Dropout p 0.25");
  manual_seed(3);
  const Numbers dropped = layer(x).to_vector<float>();
  EXPECT_NE(layer(x).to_vector<float>(), dropped) << "new numbers in every call";
  manual_seed(3);
  EXPECT_EQ(dropped, dropout(x, 0.25).to_vector<float>());
  layer.eval();
  EXPECT_TRUE(layer(x).is_same(x));
  nn::Sequential model{nn::Linear(3, 3), nn::Dropout()};
  model.eval();
  EXPECT_EQ(model(ones({2, 3})).to_vector<float>(), model[0](ones({2, 3})).to_vector<float>());
  EXPECT_EQ(error_of<std::invalid_argument>([] { nn::Dropout(1.5); }),
            "Dropout: p is 1.5: it must lie in [0, 1]");
}

TEST(Layers, LayerNormHasItsParameters) {
  Generator generator(2);
  const Tensor x = randn({2, 3, 4}, generator);
  nn::LayerNorm layer(Shape{3, 4}, 0.1);
  EXPECT_EQ(keys_of(layer), (std::vector<std::string>{"weight", "bias"}));
  EXPECT_EQ(text_of(layer), "LayerNorm [3, 4]");
  EXPECT_EQ(layer(x).to_vector<float>(), layer_norm(x, {3, 4}, {}, {}, 0.1).to_vector<float>());
  {
    const NoGrad no_grad;
    layer.weight.fill_(2);
    layer.bias.fill_(1);
  }
  EXPECT_EQ(layer(x).to_vector<float>(),
            layer_norm(x, {3, 4}, layer.weight, layer.bias, 0.1).to_vector<float>());
  layer(x).sum().backward();
  EXPECT_EQ(layer.bias.grad().to_vector<float>(), Numbers(12, 2));
  layer.reset_parameters();
  EXPECT_EQ(layer.weight.to_vector<float>(), Numbers(12, 1));
  EXPECT_EQ(layer.bias.to_vector<float>(), Numbers(12, 0));
  EXPECT_EQ(keys_of(nn::LayerNorm(4, 1e-5, true, false)), std::vector<std::string>{"weight"});
  EXPECT_TRUE(keys_of(nn::LayerNorm(4, 1e-5, false)).empty());
  EXPECT_EQ(nn::LayerNorm(4, 1e-5, false)(x).to_vector<float>(),
            layer_norm(x, 4).to_vector<float>());
  EXPECT_THROW(nn::LayerNorm(Shape{}), std::invalid_argument);
}

TEST(Layers, EmbeddingGivesRows) {
  nn::Embedding layer(5, 3);
  EXPECT_EQ(keys_of(layer), std::vector<std::string>{"weight"});
  EXPECT_EQ(text_of(layer), "Embedding 5 x 3");
  const Tensor index = from_vector(std::vector<int64_t>{4, 0, 4, 1}, {2, 2});
  const Tensor y = layer(index);
  EXPECT_EQ(y.shape(), Shape({2, 2, 3}));
  EXPECT_EQ(y[1][0].to_vector<float>(), layer.weight[4].to_vector<float>());
  y.sum().backward();
  EXPECT_EQ(layer.weight.grad().sum({1}).to_vector<float>(), (Numbers{3, 3, 0, 0, 6}));
}

TEST(Layers, EmbeddingLeavesPaddingAlone) {
  for (const int64_t padding : {1, -4}) {
    nn::Embedding layer(5, 3, padding);
    EXPECT_EQ(layer.weight[1].to_vector<float>(), Numbers(3, 0));
    EXPECT_NE(layer.weight[4].to_vector<float>(), Numbers(3, 0)) << "the others are drawn";
    layer(from_vector(std::vector<int64_t>{1, 4, 1})).sum().backward();
    EXPECT_EQ(layer.weight.grad().sum({1}).to_vector<float>(), (Numbers{0, 0, 0, 0, 3}));
  }
  EXPECT_EQ(text_of(nn::Embedding(5, 3, 1)), "Embedding 5 x 3, padding 1");
  EXPECT_THROW(nn::Embedding(5, 3, 5), std::invalid_argument);
  EXPECT_THROW(nn::Embedding(5, 3, -6), std::invalid_argument);
  EXPECT_THROW(nn::Embedding(-1, 3), std::invalid_argument);
}

struct Ladder : nn::Module {
  nn::ModuleList steps{nn::Linear(3, 3), nn::Linear(3, 3, false)};
  void members(nn::Members& m) override { m("steps", steps); }
  Tensor forward(const Tensor& x) override {
    Tensor y = x;
    for (std::size_t i = 0; i < steps.size(); ++i) y = y + steps[i](y);
    return y;
  }
};

TEST(Layers, ModuleListHoldsParts) {
  Ladder ladder;
  ladder.steps.append(nn::Linear(3, 3, false));
  EXPECT_EQ(keys_of(ladder), (std::vector<std::string>{"steps.0.weight", "steps.0.bias",
                                                       "steps.1.weight", "steps.2.weight"}));
  EXPECT_EQ(ladder(ones({2, 3})).shape(), Shape({2, 3}));
  ladder.eval();
  EXPECT_FALSE(ladder.steps[2].is_training());
  Ladder copy = clone(ladder);
  EXPECT_NE(&copy.steps[0], &ladder.steps[0]);
  EXPECT_EQ(copy(ones({1, 3})).to_vector<float>(), ladder(ones({1, 3})).to_vector<float>());
  EXPECT_THROW(ladder.steps[3], std::out_of_range);
  EXPECT_THROW(ladder.steps.append(nn::AnyModule()), std::invalid_argument);
  EXPECT_EQ(error_of<std::logic_error>([&] { ladder.steps(ones({3})); }),
            "steps (ModuleList): ModuleList: forward(x) is not implemented");
  EXPECT_EQ(nn::ModuleList().size(), 0u);
  ladder.set_name("model");
  EXPECT_EQ(error_of<std::invalid_argument>([&] {
              ladder(ones({2, 4}));
            }).rfind("model.steps.0 (Linear 3 -> 3): linear: ", 0),
            0u)
      << error_of<std::invalid_argument>([&] {
           ladder(ones({2, 4}));
         });
}

}  // namespace
}  // namespace levin

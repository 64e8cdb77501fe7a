#include <gtest/gtest.h>
#include <levin/nn/activation.h>
#include <levin/nn/linear.h>
#include <levin/nn/sequential.h>

#include <cmath>

#include "scratch.h"

namespace levin {
namespace {

using nn::AnyModule;
using nn::Linear;
using nn::Module;
using nn::Sequential;
using Numbers = std::vector<float>;

std::vector<std::string> names_of(const nn::NamedTensors& tensors) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors) names.push_back(name);
  return names;
}

// Parameters, a buffer and parts, named in an order that is not PyTorch's.
struct Net : Module {
  Linear in{3, 4};
  Tensor scale = ones({4}).requires_grad_(), mean = zeros({4});
  Sequential out{Linear(4, 4), nn::Tanh(), Linear(4, 2, false)};

  void members(nn::Members& m) override {
    m("in", in).buffer("mean", mean)("scale", scale)("out", out);
  }
  Tensor forward(const Tensor& x) override { return out((in(x)-mean) * scale); }
};

Numbers all_numbers(const Module& module) {
  Numbers numbers;
  for (const auto& [name, tensor] : module.state_dict())
    for (const float number : tensor.to_vector<float>()) numbers.push_back(number);
  return numbers;
}

TEST(Module, NamesAndOrderArePyTorchs) {
  const Net net;
  EXPECT_EQ(names_of(net.state_dict()),
            (std::vector<std::string>{"scale", "mean", "in.weight", "in.bias", "out.0.weight",
                                      "out.0.bias", "out.2.weight"}));
  EXPECT_EQ(names_of(net.named_parameters()),
            (std::vector<std::string>{"scale", "in.weight", "in.bias", "out.0.weight", "out.0.bias",
                                      "out.2.weight"}));
  EXPECT_EQ(names_of(net.named_buffers()), std::vector<std::string>{"mean"});
  EXPECT_EQ(net.num_parameters(), 4 + 12 + 4 + 16 + 4 + 8);
  std::vector<std::string> children;
  for (const auto& [name, child] : net.named_children())
    children.push_back(name + ":" + child->type_name());
  EXPECT_EQ(children, (std::vector<std::string>{"in:Linear", "out:Sequential"}));
}

TEST(Module, ASharedParameterIsOneParameter) {
  const Linear first(3, 3);
  const Sequential tied{first, nn::ReLU(), first};  // a copied module shares its tensors
  EXPECT_EQ(names_of(tied.named_parameters()), (std::vector<std::string>{"0.weight", "0.bias"}));
  EXPECT_EQ(tied.parameters().size(), 2u);
  EXPECT_EQ(tied.num_parameters(), 12);
  EXPECT_EQ(names_of(tied.state_dict()),
            (std::vector<std::string>{"0.weight", "0.bias", "2.weight", "2.bias"}));
}

TEST(Module, ForwardIsTheComposition) {
  Net net;
  const Tensor x = rand({5, 3});
  const Tensor h = matmul(x, net.in.weight.t()) + net.in.bias;
  const auto* first = dynamic_cast<Linear*>(&net.out[0]);
  const auto* last = dynamic_cast<Linear*>(&net.out[2]);
  ASSERT_TRUE(first && last);
  EXPECT_FALSE(last->bias.defined());
  const Tensor wanted =
      matmul((matmul(h, first->weight.t()) + first->bias).tanh(), last->weight.t());
  EXPECT_EQ(net(x).to_vector<float>(), wanted.to_vector<float>());
  EXPECT_EQ(nn::Sigmoid()(zeros({2})).to_vector<float>(), (Numbers{0.5, 0.5}));
  EXPECT_EQ(nn::ReLU()(from_vector(Numbers{-1, 2})).to_vector<float>(), (Numbers{0, 2}));
}

TEST(Module, LoadStateDictCopiesValuesAndKeepsHandles) {
  Net from, to;
  const Tensor handle = to.in.weight;
  to.load_state_dict(from.state_dict());
  EXPECT_EQ(all_numbers(to), all_numbers(from));
  EXPECT_TRUE(to.in.weight.is_same(handle));
  EXPECT_FALSE(to.in.weight.is_same(from.in.weight));
  EXPECT_TRUE(to.in.weight.requires_grad() && to.in.weight.is_leaf());
  from.in.weight.data<float>()[0] = 100;
  EXPECT_NE(all_numbers(to), all_numbers(from)) << "values were copied, not shared";
}

TEST(Module, LoadStateDictConvertsTypes) {
  Linear from(2, 2), to(2, 2);
  from.to(kFloat64);
  to.load_state_dict(from.state_dict());
  EXPECT_EQ(to.weight.dtype(), kFloat32);
  EXPECT_EQ(to.weight.to_vector<float>(), from.weight.to_vector<float>());
}

TEST(Module, LoadStateDictListsAllThatDoesNotFitAndChangesNothing) {
  Net net;
  const Numbers before = all_numbers(net);
  nn::NamedTensors state = Net().state_dict();
  state.erase(state.begin() + 3);                    // in.bias
  state[0].second = ones({5});                       // scale
  state[2].second = ones({3, 4});                    // in.weight
  state.emplace_back("out.1.weight", ones({1, 2}));  // of a Tanh
  const std::string error = error_of<std::invalid_argument>([&] { net.load_state_dict(state); });
  EXPECT_EQ(error,
            "load_state_dict of Net: what is loaded does not fit:\n"
            "  another shape: scale is [5], the module has [4]\n"
            "  another shape: in.weight is [3, 4], the module has [4, 3]\n"
            "  missing: in.bias [4]\n"
            "  not in the module: out.1.weight [1, 2]");
  EXPECT_EQ(all_numbers(net), before);
  EXPECT_THROW(net.load_state_dict(state, false), std::invalid_argument) << "shapes still count";
  EXPECT_EQ(all_numbers(net), before);
}

TEST(Module, LoadStateDictMayLeaveNamesOut) {
  Net net;
  const Numbers before = net.in.bias.to_vector<float>();
  net.load_state_dict({{"scale", full({4}, 7.0)}, {"unknown", ones({1})}}, false);
  EXPECT_EQ(net.scale.to_vector<float>(), (Numbers{7, 7, 7, 7}));
  EXPECT_EQ(net.in.bias.to_vector<float>(), before);
}

TEST(Module, CloneHasParametersOfItsOwn) {
  Net net;
  Net copy = clone(net);
  EXPECT_EQ(all_numbers(copy), all_numbers(net));
  const auto own = net.state_dict(), other = copy.state_dict();
  for (std::size_t i = 0; i < own.size(); ++i) {
    EXPECT_EQ(own[i].first, other[i].first);
    EXPECT_NE(own[i].second.impl().block.get(), other[i].second.impl().block.get());
    EXPECT_EQ(own[i].second.requires_grad(), other[i].second.requires_grad());
    EXPECT_TRUE(other[i].second.is_leaf());
  }
  copy(ones({1, 3})).sum().backward();
  for (const Tensor& parameter : net.parameters()) EXPECT_FALSE(parameter.grad().defined());
  for (const Tensor& parameter : copy.parameters()) EXPECT_TRUE(parameter.grad().defined());
}

TEST(Module, ACloneSharesInsideWhatTheOriginalShares) {
  const Linear layer(3, 3);
  const AnyModule activation = nn::ReLU(), part = Linear(3, 3);
  const Sequential tied(std::vector<AnyModule>{layer, activation, layer, activation, part, part});
  const Sequential copy = clone(tied);
  EXPECT_EQ(copy.parameters().size(), 4u);
  EXPECT_EQ(&copy[1], &copy[3]);
  EXPECT_EQ(&copy[4], &copy[5]);
  EXPECT_NE(&copy[4], &tied[4]);
  EXPECT_FALSE(copy.parameters()[0].is_same(tied.parameters()[0]));
  const AnyModule any = part.clone();
  EXPECT_FALSE(any->parameters()[0].is_same(part->parameters()[0]));
  EXPECT_EQ(all_numbers(*any), all_numbers(*part));
}

TEST(Module, ToKeepsHandlesAndGradients) {
  Net net;
  const Tensor handle = net.in.weight;
  net(ones({2, 3})).sum().backward();
  const Numbers values = handle.to_vector<float>(), grad = handle.grad().to_vector<float>();
  net.to(kFloat64);
  for (const auto& [name, tensor] : net.state_dict()) EXPECT_EQ(tensor.dtype(), kFloat64) << name;
  EXPECT_TRUE(net.in.weight.is_same(handle));
  EXPECT_TRUE(handle.is_leaf() && handle.requires_grad());
  EXPECT_EQ(handle.to_vector<float>(), values);
  EXPECT_EQ(handle.grad().dtype(), kFloat64);
  EXPECT_EQ(handle.grad().to_vector<float>(), grad);
  net.zero_grad();
  net(ones({2, 3}, kFloat64)).sum().backward();
  EXPECT_EQ(handle.grad().dtype(), kFloat64);
  EXPECT_THROW(net.to(kInt64), std::invalid_argument);
}

// The old graph kept tensors of the old type: it must not write them into the new gradients.
TEST(Module, AGraphFromBeforeToIsLeftAlone) {
  Linear layer(300, 200);
  layer(ones({2, 300})).sum().backward();
  layer.zero_grad();
  const Tensor x = ones({2, 300}).requires_grad_();
  const Tensor loss = layer(x).sum();
  layer.to(kFloat64);
  const std::string error = error_of<std::logic_error>([&] { loss.backward(); });
  EXPECT_NE(error.find("changed in place by to"), std::string::npos) << error;
  layer(ones({2, 300}, kFloat64)).sum().backward();
  EXPECT_EQ(layer.weight.grad().to_vector<float>(), Numbers(60000, 2));
}

TEST(Module, TrainAndEvalReachEveryPart) {
  Net net;
  EXPECT_TRUE(net.is_training() && net.out[1].is_training());
  net.eval();
  EXPECT_FALSE(net.is_training() || net.in.is_training() || net.out[1].is_training());
  net.train();
  EXPECT_TRUE(net.is_training() && net.out[1].is_training());
}

TEST(Module, RequiresGradAndZeroGradReachEveryParameter) {
  Net net;
  net(ones({1, 3})).sum().backward();
  net.zero_grad(false);
  for (const Tensor& parameter : net.parameters())
    EXPECT_EQ(parameter.grad().abs().sum().item<float>(), 0);
  net.zero_grad();
  for (const Tensor& parameter : net.parameters()) EXPECT_FALSE(parameter.grad().defined());
  net.requires_grad_(false);
  EXPECT_FALSE(net(ones({1, 3})).requires_grad());
  EXPECT_FALSE(net.mean.requires_grad());
}

TEST(Module, ErrorsNameTheModule) {
  Sequential model{Linear(5, 63), nn::ReLU(), Sequential{Linear(63, 10), Linear(11, 1)}};
  const auto error = [&](const Tensor& x) {
    return error_of<std::invalid_argument>([&] { model(x); });
  };
  EXPECT_EQ(error(ones({2, 4})),
            "0 (Linear 5 -> 63): linear: input [2, 4] and weight [63, 5]: the input's last size "
            "must be the weight's");
  model.set_name("model");
  EXPECT_EQ(error(ones({2, 4})).rfind("model.0 (Linear 5 -> 63): linear: ", 0), 0u);
  EXPECT_EQ(error(ones({2, 5})).rfind("model.2.1 (Linear 11 -> 1): linear: input [2, 10]", 0), 0u);
  EXPECT_EQ(error_of<std::invalid_argument>([] {
              matmul(ones({2, 3}), ones({4, 5}));
            }),
            "matmul: [2, 3] and [4, 5]: inner sizes must be equal")
      << "outside a module there is no path, also after an error inside one";
  Net net;
  EXPECT_EQ(error_of<std::invalid_argument>([&] {
              net(ones({2, 3}, kInt64));
            }).rfind("in (Linear 3 -> 4): linear: int64", 0),
            0u);
}

TEST(Module, OneWithoutForwardSaysSo) {
  struct Empty : Module {};
  EXPECT_EQ(error_of<std::logic_error>([] { Empty()(ones({1})); }),
            "(Empty): Empty: forward(x) is not implemented");
}

template <class T>
struct Wrapped : Module {};

TEST(Module, TypeNamesAreShort) {
  EXPECT_EQ(Linear(1, 1).type_name(), "Linear");
  EXPECT_EQ(Net().type_name(), "Net");
  EXPECT_EQ(Wrapped<nn::Linear>().type_name(), "Wrapped");
  EXPECT_EQ(Linear(63, 10).extra_text(), "63 -> 10");
}

// ---- Initial values: bounds as PyTorch's (1 / sqrt(in) for both), moments of a uniform
// distribution.

TEST(LinearInit, IsUniformInPyTorchsBounds) {
  for (const auto& [in, out, bound] :
       {std::tuple{5, 1000, 0.4472135954999579}, {1, 4000, 1.0}, {784, 128, 0.03571428571428571}}) {
    const Linear layer(in, out);
    for (const Tensor& parameter : layer.parameters()) {
      const auto values = parameter.to_vector<double>();
      double sum = 0, squares = 0, most = 0;
      for (const double value : values) {
        sum += value, squares += value * value, most = std::max(most, std::fabs(value));
      }
      const double n = static_cast<double>(values.size());
      const double deviation = bound / std::sqrt(3.0);
      EXPECT_LE(most, bound * (1 + 1e-6));
      EXPECT_GT(most, bound * (1 - 20 / n)) << "both ends are reached";
      EXPECT_NEAR(sum / n, 0, 4 * deviation / std::sqrt(n));
      EXPECT_NEAR(squares / n / (deviation * deviation), 1, 4 / std::sqrt(n));
    }
  }
}

TEST(LinearInit, FollowsFromTheSeed) {
  manual_seed(7);
  const Sequential first{Linear(8, 16), nn::ReLU(), Linear(16, 2)};
  rand({1000});  // another stream: it must not shift the initial values
  const Linear later(3, 3);
  manual_seed(7);
  const Sequential again{Linear(8, 16), nn::ReLU(), Linear(16, 2)};
  const Linear later_again(3, 3);
  EXPECT_EQ(all_numbers(first), all_numbers(again));
  EXPECT_EQ(all_numbers(later), all_numbers(later_again));
  manual_seed(8);
  EXPECT_NE(all_numbers(Linear(8, 16)), all_numbers(first[0]));
}

TEST(LinearInit, OddSizes) {
  EXPECT_THROW(Linear(-1, 2), std::invalid_argument);
  Linear none(0, 3);
  EXPECT_EQ(none(ones({2, 0})).shape(), Shape({2, 3}));
  EXPECT_EQ(Linear(3, 0)(ones({2, 3})).shape(), Shape({2, 0}));
  EXPECT_EQ(Linear(3, 4)(ones({3})).shape(), Shape({4}));
  EXPECT_EQ(Linear(3, 4)(ones({2, 5, 3})).shape(), Shape({2, 5, 4}));
}

}  // namespace
}  // namespace levin

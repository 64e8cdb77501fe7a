// SGD's state, refusals and odd parameters. (Its trajectories: optim_reference_test.cpp.)
#include <gtest/gtest.h>
#include <levin/nn/linear.h>
#include <levin/optim/sgd.h>

#include <cmath>

#include "scratch.h"

namespace levin {
namespace {

using optim::SGD;
using optim::SGDOptions;
using Numbers = std::vector<double>;

// A small model, its data, and steps on it.
struct Training {
  Generator generator{5};
  Tensor x = randn({16, 6}, generator), target = randn({16, 3}, generator);
  nn::Linear model{6, 3};

  void step(SGD& optimizer) {
    optimizer.zero_grad();
    mse_loss(model(x), target).backward();
    optimizer.step();
  }
  Numbers numbers() const {
    Numbers numbers = model.weight.to_vector<double>();
    for (const double number : model.bias.to_vector<double>()) numbers.push_back(number);
    return numbers;
  }
};

constexpr SGDOptions kFull{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true};

TEST(SGD, LeavesParametersWithoutAGradientAlone) {
  const Tensor used = ones({2}).requires_grad_(), unused = ones({3}).requires_grad_();
  SGD optimizer({used, unused}, {.lr = 1, .momentum = 0.9, .weight_decay = 0.5});
  used.set_grad(ones({2}));
  const uint32_t version = unused.version();
  optimizer.step();
  EXPECT_EQ(unused.to_vector<double>(), Numbers({1, 1, 1})) << "not even its decay";
  EXPECT_EQ(unused.version(), version);
  EXPECT_EQ(used.to_vector<double>(), Numbers({-0.5, -0.5}));
  EXPECT_EQ(optimizer.state_dict().tensors.size(), 1u);
  unused.set_grad(ones({3}));
  optimizer.step();
  EXPECT_EQ(unused.to_vector<double>(), Numbers({-0.5, -0.5, -0.5}))
      << "its first step is a first step";
  optimizer.zero_grad();
  const Numbers before = used.to_vector<double>();
  optimizer.step();
  EXPECT_EQ(used.to_vector<double>(), before);
}

TEST(SGD, StateDictHasPyTorchsNames) {
  Training training;
  SGD optimizer({{{training.model.weight}, kFull}, {{training.model.bias}, {.lr = 0.5}}});
  training.step(optimizer);
  const optim::OptimizerState state = optimizer.state_dict();
  ASSERT_EQ(state.tensors.size(), 1u);
  EXPECT_EQ(state.tensors[0].first, "state.0.momentum_buffer");
  std::vector<std::string> names;
  for (const auto& [name, value] : state.numbers) names.push_back(name);
  EXPECT_EQ(names,
            (std::vector<std::string>{
                "param_groups.0.lr", "param_groups.0.momentum", "param_groups.0.dampening",
                "param_groups.0.weight_decay", "param_groups.0.nesterov", "param_groups.0.maximize",
                "param_groups.0.params", "param_groups.1.lr", "param_groups.1.momentum",
                "param_groups.1.dampening", "param_groups.1.weight_decay",
                "param_groups.1.nesterov", "param_groups.1.maximize", "param_groups.1.params"}));
}

TEST(SGD, ARestoredOneGoesOnBitForBit) {
  Training straight, resumed;
  resumed.model.load_state_dict(straight.model.state_dict());
  SGD first(straight.model.parameters(), kFull), second(resumed.model.parameters(), kFull);
  for (int step = 0; step < 5; ++step) straight.step(first), resumed.step(second);
  EXPECT_EQ(straight.numbers(), resumed.numbers());
  SGD restored(resumed.model.parameters(), {.lr = 123});
  restored.load_state_dict(second.state_dict());
  EXPECT_EQ(restored.lr(), 0.1);
  for (int step = 0; step < 5; ++step) straight.step(first), resumed.step(restored);
  EXPECT_EQ(straight.numbers(), resumed.numbers());
}

TEST(SGD, LoadedStateIsItsOwn) {
  Training training;
  SGD optimizer(training.model.parameters(), kFull);
  training.step(optimizer);
  const optim::OptimizerState state = optimizer.state_dict();
  SGD other(training.model.parameters(), kFull);
  other.load_state_dict(state);
  state.tensors[0].second.fill_(9);
  EXPECT_NE(other.state_dict().tensors[0].second.to_vector<double>(), Numbers(18, 9));
}

TEST(SGD, StateOfAnotherOptimizerIsRefusedAndChangesNothing) {
  Training training;
  SGD optimizer(training.model.parameters(), kFull);
  training.step(optimizer);
  const optim::OptimizerState good = optimizer.state_dict();
  const auto error = [&](const optim::OptimizerState& state) {
    return error_of<std::invalid_argument>([&] { optimizer.load_state_dict(state); });
  };
  optim::OptimizerState state = good;
  state.numbers[0].second = 77;
  state.numbers.back().second = 3;
  EXPECT_EQ(error(state), "SGD.load_state_dict: group 0 of the state has 3 parameters, this one 2");
  state = good;
  state.numbers[0].second = 77;
  state.tensors[1].second = ones({4});
  EXPECT_EQ(error(state),
            "SGD.load_state_dict: state.1.momentum_buffer of shape [4] for a parameter of shape "
            "[3]");
  state = good;
  state.numbers.erase(state.numbers.begin() + 2);
  EXPECT_EQ(error(state),
            "SGD.load_state_dict: 'param_groups.0.dampening' is missing: the state is of another "
            "optimizer");
  state = good;
  state.numbers.emplace_back("param_groups.1.params", 1);
  EXPECT_EQ(error(state),
            "SGD.load_state_dict: the state has more than the 1 parameter groups of this "
            "optimizer");
  EXPECT_EQ(optimizer.lr(), 0.1);
}

TEST(SGD, RefusesWhatPyTorchRefuses) {
  const std::vector<Tensor> p = {ones({2}).requires_grad_()};
  const auto error = [&](std::vector<Tensor> parameters, const SGDOptions& options) {
    return error_of<std::invalid_argument>([&] { SGD(std::move(parameters), options); });
  };
  EXPECT_EQ(error(p, {.lr = -1}), "SGD: Invalid learning rate: -1");
  EXPECT_EQ(error(p, {.momentum = -0.5}), "SGD: Invalid momentum value: -0.5");
  EXPECT_EQ(error(p, {.weight_decay = -2}), "SGD: Invalid weight_decay value: -2");
  EXPECT_EQ(error(p, {.lr = std::nan("")}), "SGD: Invalid learning rate: nan");
  const std::string nesterov = "SGD: Nesterov momentum requires a momentum and zero dampening";
  EXPECT_EQ(error(p, {.nesterov = true}), nesterov);
  EXPECT_EQ(error(p, {.momentum = 0.9, .dampening = 0.1, .nesterov = true}), nesterov);
  EXPECT_EQ(error({}, {}), "SGD: got an empty list of parameters");
  EXPECT_EQ(error({p[0], p[0]}, {}), "SGD: parameter 1 of shape [2] appears twice");
  EXPECT_EQ(error({p[0] * 2}, {}), "SGD: parameter 0 of shape [2] is not a floating leaf tensor");
  EXPECT_EQ(error({ones({2}, kInt64)}, {}),
            "SGD: parameter 0 of shape [2] is not a floating leaf tensor");
  SGD optimizer(p);
  EXPECT_THROW(optimizer.add_param_group({p, {}}), std::invalid_argument);
  EXPECT_EQ(optimizer.group_count(), 1);
}

TEST(SGD, LearningRatesAreThoseOfTheirGroups) {
  const Tensor a = ones({1}).requires_grad_(), b = ones({1}).requires_grad_();
  SGD optimizer({{{a}, {.lr = 0.5}}, {{b}, {.lr = 0.25}}});
  a.set_grad(ones({1})), b.set_grad(ones({1}));
  optimizer.step();
  EXPECT_EQ(a.item(), 0.5);
  EXPECT_EQ(b.item(), 0.75);
  optimizer.set_lr(1, 0.75);
  EXPECT_EQ(optimizer.lr(1), 0.75);
  optimizer.step();
  EXPECT_EQ(b.item(), 0.0);
}

// A parameter or gradient with gaps, or a model that changed its type on the way.
TEST(SGD, OddLayoutsAndTypesGiveTheSameNumbers) {
  Generator generator(9);
  const Tensor start = randn({3, 4}, generator, kFloat64),
               grad = randn({3, 4}, generator, kFloat64);
  const Tensor plain = start.clone().requires_grad_();
  const Tensor turned = start.t().clone().t().detach().requires_grad_();
  ASSERT_FALSE(turned.is_contiguous());
  SGD one({plain}, kFull), two({turned}, kFull);
  for (int step = 0; step < 3; ++step) {
    plain.set_grad(grad.clone());
    turned.set_grad(grad.t().clone().t());
    one.step(), two.step();
  }
  EXPECT_EQ(plain.to_vector<double>(), turned.to_vector<double>());
}

TEST(SGD, GoesOnWhenTheModelChangesItsType) {
  Training training;
  SGD optimizer(training.model.parameters(), kFull);
  for (int step = 0; step < 3; ++step) training.step(optimizer);
  Training exact;
  exact.model.load_state_dict(training.model.state_dict());
  for (Training* one : {&training, &exact}) {
    one->model.to(kFloat64);
    one->x = one->x.to(kFloat64), one->target = one->target.to(kFloat64);
  }
  SGD restored(exact.model.parameters(), kFull);
  restored.load_state_dict(optimizer.state_dict());
  for (int step = 0; step < 3; ++step) training.step(optimizer), exact.step(restored);
  EXPECT_EQ(training.numbers(), exact.numbers());
  EXPECT_EQ(optimizer.state_dict().tensors[0].second.dtype(), kFloat64);
}

}  // namespace
}  // namespace levin

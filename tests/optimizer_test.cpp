// What every optimizer promises: its state, parameters of any layout, replays, groups, refusals.
#include <gtest/gtest.h>

#include <cmath>

#include "optim_cases.h"
#include "recorder.h"
#include "scratch.h"

namespace levin {
namespace {

using optim::AnyOptimizer;
using optim::OptimizerState;
using Numbers = std::vector<double>;

// Three parameters in two groups, and gradients for every step.
struct Training {
  Training(const std::string& name, const Json& options, DType dtype = kFloat32) {
    Generator generator(3);
    for (const Shape& shape : {Shape{3, 7}, Shape{19}, Shape{}}) {
      parameters.push_back(randn(shape, generator, dtype).requires_grad_());
      gradients.push_back(randn(shape, generator, dtype));
    }
    optimizer = made(name, options);
  }

  AnyOptimizer made(const std::string& name, const Json& options) const {
    return make_optimizer(name, options, parameters, {{{0, 1}, 0.05}, {{2}, 0.01}});
  }
  // The gradient of step t of a bowl with ripples.
  void set_gradients(int t) const {
    const NoGrad no_grad;
    for (std::size_t i = 0; i < parameters.size(); ++i)
      parameters[i].set_grad(parameters[i] * 0.1 + gradients[i] * std::cos(t));
  }
  void steps(int from, int to) const {
    for (int t = from; t < to; ++t) {
      set_gradients(t);
      optimizer->step();
    }
  }
  Numbers numbers() const { return numbers_of(parameters); }

  Tensors parameters, gradients;
  AnyOptimizer optimizer;
};

void for_each_rule(const std::function<void(const std::string&, const Json&)>& test) {
  for (const auto& [name, options] : every_rule()) {
    SCOPED_TRACE(name);
    test(name, options);
  }
}

TEST(Optimizer, ARestoredOneGoesOnBitForBit) {
  for_each_rule([](const std::string& name, const Json& options) {
    for (const DType dtype : {kFloat32, kFloat64}) {
      const Training straight(name, options, dtype);
      Training resumed(name, options, dtype);
      straight.steps(0, 12);
      resumed.steps(0, 7);
      const AnyOptimizer first = resumed.optimizer;
      resumed.optimizer = resumed.made(name, Json::object());
      resumed.optimizer->load_state_dict(first->state_dict());
      EXPECT_EQ(resumed.optimizer->state_dict().numbers, first->state_dict().numbers);
      resumed.steps(7, 12);
      EXPECT_EQ(resumed.numbers(), straight.numbers());
      EXPECT_EQ(resumed.optimizer->type_name(), name);
    }
  });
}

TEST(Optimizer, AReboundOneIsACopyForOtherParameters) {
  for_each_rule([](const std::string& name, const Json& options) {
    const Training one(name, options), reference(name, options);
    Training other(name, options);
    one.steps(0, 5), reference.steps(0, 12), other.steps(0, 5);
    one.optimizer->set_initial_lr(1, 0.25);
    other.optimizer = one.optimizer->rebound([&](const Tensor& parameter) {
      for (std::size_t i = 0; i < one.parameters.size(); ++i)
        if (parameter.is_same(one.parameters[i])) return other.parameters[i];
      return Tensor();
    });
    EXPECT_FALSE(other.optimizer->is_same(*one.optimizer));
    EXPECT_EQ(other.optimizer->initial_lr(1), 0.25);
    other.steps(5, 12);
    EXPECT_EQ(other.numbers(), reference.numbers());
    one.steps(5, 12);
    EXPECT_EQ(one.numbers(), reference.numbers()) << "its state is its own";
  });
}

TEST(Optimizer, ACopyStandsForTheSameOne) {
  const Tensor p = ones({2}).requires_grad_();
  optim::Adam adam({p});
  const AnyOptimizer handle = adam;
  handle->set_lr(0, 0.5);
  EXPECT_EQ(adam.lr(), 0.5);
  EXPECT_TRUE(handle->is_same(adam));
  EXPECT_FALSE(handle->is_same(optim::Adam({p})));
  EXPECT_FALSE(handle->is_same(optim::SGD({p})));
}

// A replay of a recorded step is a further step: counters go on, and numbers are read anew.
TEST(Optimizer, AReplayIsAFurtherStep) {
  for_each_rule([](const std::string& name, const Json& options) {
    const Training eager(name, options), replayed(name, options);
    eager.set_gradients(1), replayed.set_gradients(1);
    eager.optimizer->step(), replayed.optimizer->step();
    StepRecorder recorder;
    {
      const BackendOverride here(&recorder);
      replayed.optimizer->step();
    }
    eager.optimizer->step();
    for (int step = 0; step < 8; ++step) {
      if (step == 4) eager.optimizer->set_lr(0, 0.2), replayed.optimizer->set_lr(0, 0.2);
      eager.optimizer->step();
      recorder.repeat();
    }
    EXPECT_EQ(recorder.obstacle(), "");
    EXPECT_EQ(replayed.numbers(), eager.numbers());
    EXPECT_EQ(replayed.optimizer->state_dict().numbers, eager.optimizer->state_dict().numbers);
  });
}

TEST(Optimizer, GapsGiveTheSameNumbers) {
  for_each_rule([](const std::string& name, const Json& options) {
    Generator generator(9);
    const Tensor start = randn({3, 4}, generator), slope = randn({3, 4}, generator);
    const Tensor plain = start.clone().requires_grad_();
    const Tensor turned = start.t().clone().t().detach().requires_grad_();
    ASSERT_FALSE(turned.is_contiguous());
    const AnyOptimizer one = make_optimizer(name, options, {plain}, {{{0}, 0.1}});
    const AnyOptimizer two = make_optimizer(name, options, {turned}, {{{0}, 0.1}});
    for (int step = 0; step < 3; ++step) {
      plain.set_grad(slope.clone());
      turned.set_grad(slope.t().clone().t());
      one->step(), two->step();
    }
    EXPECT_EQ(plain.to_vector<double>(), turned.to_vector<double>());
    EXPECT_NE(plain.to_vector<double>(), start.to_vector<double>());
  });
}

TEST(Optimizer, AParameterWithoutAGradientKeepsItsOwnCount) {
  for_each_rule([](const std::string& name, const Json& options) {
    const Training all(name, options), late(name, options);
    const Numbers before = late.parameters[2].to_vector<double>();
    for (int t = 0; t < 3; ++t) {
      late.set_gradients(t);
      late.parameters[2].zero_grad();
      late.optimizer->step();
    }
    EXPECT_EQ(late.parameters[2].to_vector<double>(), before) << "not even its decay";
    for (const auto& [key, number] : late.optimizer->state_dict().numbers)
      EXPECT_FALSE(key.starts_with("state.2.")) << key;
    all.steps(0, 4), late.steps(0, 4);
    EXPECT_EQ(late.parameters[2].to_vector<double>(), all.parameters[2].to_vector<double>());
  });
}

TEST(Optimizer, GoesOnWhenTheModelChangesItsType) {
  for_each_rule([](const std::string& name, const Json& options) {
    const Tensor p = ones({5}).requires_grad_();
    const AnyOptimizer optimizer = make_optimizer(name, options, {p}, {{{0}, 0.1}});
    p.set_grad(ones({5}));
    optimizer->step();
    nn::Linear holder(1, 1);
    holder.weight = p;
    holder.to(kFloat64);
    p.set_grad(ones({5}, kFloat64));
    optimizer->step();
    for (const auto& [key, tensor] : optimizer->state_dict().tensors)
      EXPECT_EQ(tensor.dtype(), kFloat64) << key;
  });
}

std::string names_of(const OptimizerState& state) {
  std::string names;
  for (const auto& [name, tensor] : state.tensors) names += name + " ";
  for (const auto& [name, number] : state.numbers)
    if (name.starts_with("state.") || name == "param_groups.0.betas.0") names += name + " ";
  return names;
}

TEST(Optimizer, StateHasPyTorchsNames) {
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"SGD", "momentum_buffer "},
      {"Adam", "exp_avg exp_avg_sq max_exp_avg_sq betas step "},
      {"AdamW", "exp_avg exp_avg_sq betas step "},
      {"NAdam", "exp_avg exp_avg_sq betas step mu_product "},
      {"RAdam", "exp_avg exp_avg_sq betas step "},
      {"Adamax", "exp_avg exp_inf betas step "},
      {"RMSprop", "square_avg momentum_buffer grad_avg step "},
      {"Adagrad", "sum step "},
      {"Adadelta", "square_avg acc_delta step "},
      {"Rprop", "prev step_size step "}};
  ASSERT_EQ(expected.size(), every_rule().size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& [name, options] = every_rule()[i];
    const Tensor p = ones({2}).requires_grad_();
    const AnyOptimizer optimizer = make_optimizer(name, options, {p}, {{{0}, 0.1}});
    EXPECT_EQ(optimizer->state_dict().tensors.size(), 0u);
    p.set_grad(ones({2}));
    optimizer->step();
    std::string names = names_of(optimizer->state_dict());
    for (const std::string prefix : {"state.0.", "param_groups.0."})
      while (names.find(prefix) != std::string::npos)
        names.erase(names.find(prefix), prefix.size());
    if (const auto at = names.find("betas.0"); at != std::string::npos) names.erase(at + 5, 2);
    EXPECT_EQ(name + ": " + names, expected[i].first + ": " + expected[i].second);
  }
}

TEST(Optimizer, AForeignStateIsRefusedAndChangesNothing) {
  const Training adam("Adam", Json::object()), sgd("SGD", {{"momentum", 0.9}});
  adam.steps(0, 2), sgd.steps(0, 2);
  const auto error = [](const AnyOptimizer& optimizer, const OptimizerState& state) {
    return error_of<std::invalid_argument>([&] { optimizer->load_state_dict(state); });
  };
  EXPECT_EQ(error(adam.optimizer, sgd.optimizer->state_dict()),
            "Adam.load_state_dict: 'param_groups.0.betas.0' is missing: the state is of another "
            "optimizer");
  OptimizerState state = adam.optimizer->state_dict();
  std::erase_if(state.numbers, [](const auto& entry) { return entry.first == "state.2.step"; });
  state.numbers[0].second = 77;
  EXPECT_EQ(error(adam.optimizer, state),
            "Adam.load_state_dict: 'state.2.step' is missing: the state is of another optimizer");
  EXPECT_EQ(adam.optimizer->lr(), 0.05);
}

template <class Options>
std::string refusal(const Options& options) {
  return error_of<std::invalid_argument>([&] {
    const Tensor p = ones({2}).requires_grad_();
    const optim::OptimizerOf<Options> made({p}, options);
  });
}

TEST(Optimizer, RefusesWhatPyTorchRefuses) {
  using namespace optim;
  EXPECT_EQ(refusal(AdamOptions{.lr = -1}), "Adam: Invalid learning rate: -1");
  EXPECT_EQ(refusal(AdamOptions{.betas = {1, 0.5}}), "Adam: Invalid beta parameter at index 0: 1");
  EXPECT_EQ(refusal(AdamWOptions{.betas = {0.5, -0.5}}),
            "AdamW: Invalid beta parameter at index 1: -0.5");
  EXPECT_EQ(refusal(AdamWOptions{.eps = -1}), "AdamW: Invalid epsilon value: -1");
  EXPECT_EQ(refusal(NAdamOptions{.momentum_decay = -1}), "NAdam: Invalid momentum_decay value: -1");
  EXPECT_EQ(refusal(RAdamOptions{.weight_decay = -1}), "RAdam: Invalid weight_decay value: -1");
  EXPECT_EQ(refusal(AdamaxOptions{.eps = std::nan("")}), "Adamax: Invalid epsilon value: nan");
  EXPECT_EQ(refusal(RMSpropOptions{.alpha = -1}), "RMSprop: Invalid alpha value: -1");
  EXPECT_EQ(refusal(RMSpropOptions{.momentum = -1}), "RMSprop: Invalid momentum value: -1");
  EXPECT_EQ(refusal(AdagradOptions{.lr_decay = -1}), "Adagrad: Invalid lr_decay value: -1");
  EXPECT_EQ(refusal(AdagradOptions{.initial_accumulator_value = -1}),
            "Adagrad: Invalid initial_accumulator_value value: -1");
  EXPECT_EQ(refusal(AdadeltaOptions{.rho = 1.5}), "Adadelta: Invalid rho value: 1.5");
  EXPECT_EQ(refusal(RpropOptions{.etas = {0.5, 0.75}}), "Rprop: Invalid eta values: 0.5, 0.75");
  EXPECT_EQ(error_of<std::invalid_argument>([] { Adam(std::vector<Adam::Group>()); }),
            "Adam: got an empty list of parameters");
  const Tensor half = ones({2}, kBFloat16).requires_grad_();
  half.set_grad(ones({2}, kBFloat16));
  EXPECT_EQ(error_of<std::invalid_argument>([&] { Adam({half}).step(); }),
            "Adam: parameter 0 of shape [2] is bfloat16, not float32 or float64");
}

TEST(Optimizer, GroupsHaveTheirOwnNumbers) {
  const Tensor a = ones({2}).requires_grad_(), b = ones({2}).requires_grad_();
  optim::AdamW adam({a}, {.lr = 0.5, .betas = {0.75, 0.5}});
  adam.add_param_group({{b}, {.lr = 0.25, .weight_decay = 0}});
  EXPECT_EQ(rates_of(adam), Numbers({0.5, 0.25}));
  EXPECT_EQ(adam.momentum(0), 0.75);
  EXPECT_EQ(adam.momentum(1), 0.9);
  EXPECT_EQ(adam.weight_decay(0), 0.01);
  EXPECT_EQ(adam.weight_decay(1), 0.0);
  adam.set_momentum(1, 0.125);
  EXPECT_EQ(adam.momentum(1), 0.125);
  EXPECT_THROW(adam.add_param_group({{a}}), std::invalid_argument);
  EXPECT_EQ(adam.group_count(), 2);
  EXPECT_EQ(error_of<std::out_of_range>([&] { adam.lr(2); }), "AdamW: group 2 of 2");
  EXPECT_THROW(adam.set_lr(-1, 0), std::out_of_range);
  optim::Adagrad adagrad({ones({1}).requires_grad_()});
  EXPECT_EQ(adagrad.momentum(0), std::nullopt);
  EXPECT_EQ(error_of<std::invalid_argument>([&] { adagrad.set_momentum(0, 0.5); }),
            "Adagrad: has neither momentum nor betas");
}

// Momentum that a schedule turns on starts at the gradient.
TEST(Optimizer, MomentumMayStartLater) {
  const Tensor p = zeros({1}).requires_grad_();
  optim::SGD sgd({p}, {.lr = 1});
  p.set_grad(ones({1}));
  sgd.step();
  sgd.set_momentum(0, 0.5);
  sgd.step(), sgd.step();
  EXPECT_EQ(p.item(), -1 - 1 - 1.5);
}

// An equal gradient has no spread: rounding must not make it a negative one.
TEST(Optimizer, CenteredRmspropStaysFinite) {
  const Tensor p = zeros({3}).requires_grad_();
  optim::RMSprop rmsprop({p}, {.alpha = 0.5, .eps = 1e-3, .centered = true});
  p.set_grad(full({3}, 0.3f));
  for (int step = 0; step < 200; ++step) rmsprop.step();
  EXPECT_TRUE(p.isfinite().all().item<bool>());
}

}  // namespace
}  // namespace levin

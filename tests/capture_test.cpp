// The seed's training step, seen at the seam: proof that a recorder there has all that it needs to
// run the step again.
#include <gtest/gtest.h>
#include <levin/nn/linear.h>
#include <levin/optim/sgd.h>

#include <functional>
#include <iostream>

#include "recorder.h"

namespace levin {
namespace {

using Numbers = std::vector<float>;

struct Results {
  Tensor loss, l1, accuracy_like;
  Numbers numbers() const {
    return {loss.item<float>(), l1.item<float>(), accuracy_like.item<float>()};
  }
};

// Linear(5, 10), batch 10, squared error, both metrics, one step of SGD.
struct Seed {
  Generator generator{1};
  Tensor x = randn({10, 5}, generator), gt = randn({10, 10}, generator);
  nn::Linear model{5, 10};
  optim::SGD optimizer;

  explicit Seed(const optim::SGDOptions& options) : optimizer(model.parameters(), options) {}

  Results step() {
    const Tensor y = model(x);
    const Tensor loss = (y - gt).pow(2).mean();
    Results results{loss, {}, {}};
    {
      const NoGrad no_grad;
      results.l1 = (y - gt).abs().mean();
      results.accuracy_like = ((y > 0.5) == (gt > 0.5)).to(kFloat32).mean();
    }
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    return results;
  }

  // All that a step changes.
  Numbers state() const {
    Numbers numbers;
    for (const Tensor& parameter : model.parameters())
      for (const Tensor& tensor : {parameter, parameter.grad()})
        for (const float number : tensor.to_vector<float>()) numbers.push_back(number);
    for (const auto& [name, tensor] : optimizer.state_dict().tensors)
      for (const float number : tensor.to_vector<float>()) numbers.push_back(number);
    return numbers;
  }
};

Results recorded_step(Seed& seed, StepRecorder& recorder) {
  const BackendOverride here(&recorder);
  return seed.step();
}

const optim::SGDOptions kPlain{.lr = 0.01}, kMomentum{.lr = 0.01, .momentum = 0.9};

TEST(Capture, TwoStepsAreTheSameList) {
  for (const optim::SGDOptions& options : {kPlain, kMomentum}) {
    Seed seed(options);
    for (int warm = 0; warm < 2; ++warm) seed.step();
    StepRecorder first;
    recorded_step(seed, first);
    StepRecorder second;
    recorded_step(seed, second);
    EXPECT_EQ(first.text(), second.text()) << "recording must not change what is recorded";
    EXPECT_EQ(first.outside(), second.outside());
    EXPECT_EQ(first.obstacle(), "");
    if (options.momentum == 0) std::cout << first.text();
  }
}

TEST(Capture, TheListNamesWhatTheStepDoes) {
  Seed seed(kMomentum);
  seed.step();
  StepRecorder recorder;
  recorded_step(seed, recorder);
  const std::string text = recorder.text();
  std::size_t at = 0;
  for (const char* call : {"= matmul 1 0 -1 0(p", "= sub", "= square", "= mean", "= abs", "= gt",
                           "= eq", "= square.d0", "= matmul", "= optimizer 0"}) {
    at = text.find(call, at);
    ASSERT_NE(at, std::string::npos) << call << " is not (in this order) in\n" << text;
  }
  EXPECT_NE(text.find("t0 float32[10, 10] = matmul"), std::string::npos) << text;
  // Data and target, two parameters, their gradients, their momenta.
  EXPECT_EQ(recorder.outside().size(), 8u) << text;
}

TEST(Capture, ReplayGivesTheBitsOfAnEagerStep) {
  for (const optim::SGDOptions& options : {kPlain, kMomentum}) {
    Seed eager(options), replayed(options);
    replayed.model.load_state_dict(eager.model.state_dict());
    for (int step = 0; step < 2; ++step) eager.step(), replayed.step();
    StepRecorder recorder;
    const Results outputs = recorded_step(replayed, recorder);
    Results wanted = eager.step();
    EXPECT_EQ(replayed.state(), eager.state());
    for (int step = 0; step < 5; ++step) {
      wanted = eager.step();
      recorder.repeat();
      EXPECT_EQ(outputs.numbers(), wanted.numbers()) << "what the step gave out is written again";
      EXPECT_EQ(replayed.state(), eager.state()) << "step " << step;
    }
    EXPECT_EQ(recorder.obstacle(), "");
  }
}

TEST(Capture, ReplaySeesNewDataAndANewLearningRate) {
  Seed eager(kMomentum), replayed(kMomentum);
  replayed.model.load_state_dict(eager.model.state_dict());
  eager.step(), replayed.step();
  StepRecorder recorder;
  const Results outputs = recorded_step(replayed, recorder);
  eager.step();
  for (Seed* seed : {&eager, &replayed}) {
    seed->optimizer.set_lr(0, 0.5);
    seed->x.copy_(full({10, 5}, 0.25f));
    seed->gt.fill_(2);
  }
  recorder.repeat();
  EXPECT_EQ(eager.step().numbers(), outputs.numbers());
  EXPECT_EQ(replayed.state(), eager.state());
}

TEST(Capture, ReplayDrawsFreshNumbers) {
  Generator generator(3), again(3);
  const Tensor out = empty({8});
  uniform_(out, 0, 1, generator);
  StepRecorder recorder;
  {
    const BackendOverride here(&recorder);
    uniform_(out, 0, 1, generator);
  }
  recorder.repeat();
  for (int call = 0; call < 2; ++call) rand({8}, again);
  EXPECT_EQ(out.to_vector<float>(), rand({8}, again).to_vector<float>());
}

// Its mask is that of the call that the replay stands for, in the value and in the gradient.
TEST(Capture, ReplayedDropoutHasTheNextMask) {
  const auto step = [](const Tensor& x) {
    const Tensor y = dropout(x, 0.25);
    x.zero_grad();
    y.backward(ones({64}));
    return y;
  };
  const Tensor eager = ones({64}).requires_grad_(), replayed = ones({64}).requires_grad_();
  Tensor y;
  manual_seed(4);
  step(replayed);
  StepRecorder recorder;
  {
    const BackendOverride here(&recorder);
    y = step(replayed);
  }
  recorder.repeat();
  manual_seed(4);
  for (int call = 0; call < 2; ++call) step(eager);
  EXPECT_EQ(y.to_vector<float>(), step(eager).to_vector<float>());
  EXPECT_EQ(replayed.grad().to_vector<float>(), eager.grad().to_vector<float>());
  EXPECT_EQ(recorder.obstacle(), "");
}

TEST(Capture, LossesAndNormalisationNeverWaitForTheHost) {
  const Tensor x = rand({4, 3}).requires_grad_(), target = rand({4, 3});
  const Tensor weight = ones({3}).requires_grad_(), labels = zeros({4}, kInt64);
  StepRecorder recorder;
  const BackendOverride here(&recorder);
  const Tensor losses[] = {mse_loss(x, target),
                           l1_loss(x, target),
                           smooth_l1_loss(x, target),
                           huber_loss(x, target),
                           hinge_embedding_loss(x, target),
                           cosine_similarity(x, target).mean(),
                           cross_entropy(x, labels, {.weight = weight, .label_smoothing = 0.1}),
                           cross_entropy(x, target),
                           nll_loss(x, labels),
                           binary_cross_entropy(x, target, weight),
                           binary_cross_entropy_with_logits(x, target, weight),
                           kl_div(x, target),
                           layer_norm(x, {3}, weight, weight).mean(),
                           (x * target.bernoulli() + normal(target, target)).mean()};
  for (const Tensor& loss : losses) loss.backward();
  EXPECT_EQ(recorder.obstacle(), "");
}

// What the host reads or writes by itself would not happen in a replay.
TEST(Capture, WhatTheHostDoesIsSeen) {
  const Tensor x = rand({2, 2});
  const std::vector<std::pair<const char*, std::function<void()>>> actions = {
      {"item", [&] { x.sum().item(); }},
      {"to_vector", [&] { x.to_vector<float>(); }},
      {"print", [&] { x.text(); }},
      {"const_data", [&] { x.const_data<float>(); }},
      {"data", [&] { x.data<float>()[0] = 1; }},
      {"from_vector",
       [&] {
         from_vector(Numbers{1, 2});
       }},
  };
  for (const auto& [name, action] : actions) {
    StepRecorder recorder;
    const BackendOverride here(&recorder);
    (x + 1).mean();
    EXPECT_EQ(recorder.obstacle(), "");
    action();
    EXPECT_NE(recorder.obstacle(), "") << name;
  }
}

// Small ones are copied, so that a gradient's memory stays where it is.
TEST(Capture, LargeGradientsAreHandedOverNotCopied) {
  for (const int64_t rows : {8, 1024}) {
    manual_seed(1);
    const Tensor x = randn({rows, 64}).requires_grad_(), labels = zeros({rows}, kInt64);
    const auto step = [&] {
      x.zero_grad();
      cross_entropy(x, labels).backward();
    };
    step();
    const Tensor before = x.grad().clone();
    StepRecorder recorder;
    {
      const BackendOverride here(&recorder);
      step();
    }
    EXPECT_EQ(recorder.text().find("copy") == std::string::npos, rows == 1024) << recorder.text();
    EXPECT_EQ(x.grad().to_vector<float>(), before.to_vector<float>());
  }
}

}  // namespace
}  // namespace levin

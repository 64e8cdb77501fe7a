// The seed's training step: Linear(5, 10), 10 rows, mean squared error, SGD.
#include <levin/nn/linear.h>
#include <levin/optim/sgd.h>

#include <array>
#include <cmath>

#include "seed_step_by_hand.h"
#include "workload.h"

namespace {

using namespace levin;

constexpr double kRate = 0.01;
const Shape kInputs = {SeedByHand::kRows, SeedByHand::kIn};
const Shape kOutputs = {SeedByHand::kRows, SeedByHand::kOut};

struct Seed {
  Tensor x = rand(kInputs);
  Tensor target = rand(kOutputs);
  nn::Linear model{SeedByHand::kIn, SeedByHand::kOut};
  optim::SGD optimizer{model.parameters(), {.lr = kRate}};
  SeedByHand by_hand{model.weight.const_data<float>(), model.bias.const_data<float>()};

  float step_by_hand() {
    return by_hand.step(x.const_data<float>(), target.const_data<float>(), kRate);
  }
  SeedByHand::Results step_as_written_by_hand() {
    return by_hand.step_with_metrics(x.const_data<float>(), target.const_data<float>(), kRate);
  }

  // W1
  Tensor step() {
    optimizer.zero_grad();
    const Tensor loss = mse_loss(model(x), target);
    loss.backward();
    optimizer.step();
    return loss;
  }

  // W1s: loss and metrics as the seed's program writes them.
  std::array<Tensor, 3> step_as_written() {
    optimizer.zero_grad();
    const Tensor y = model(x);
    const Tensor loss = (y - target).pow(2).mean();
    const auto metrics = [&]() -> std::array<Tensor, 2> {
      const NoGrad no_grad;
      return {(y - target).abs().mean(), ((y > 0.5) == (target > 0.5)).to(kFloat32).mean()};
    }();
    loss.backward();
    optimizer.step();
    return {loss, metrics[0], metrics[1]};
  }
};

// Both must do the same work, or the figures say nothing.
bool same_results() {
  Seed fused, written;
  for (int i = 0; i < 100; ++i) {
    if (!near(fused.step_by_hand(), fused.step().item(), 1e-6)) return false;
    const auto [loss, l1, accuracy_like] = written.step_as_written();
    const auto by_hand = written.step_as_written_by_hand();
    if (!near(by_hand.loss, loss.item(), 1e-6) || !near(by_hand.l1, l1.item(), 1e-6) ||
        !near(by_hand.accuracy_like, accuracy_like.item(), 1e-6))
      return false;
  }
  return true;
}

template <class Step>
void add(const std::string& name, Step step) {
  add_workload(name, [step](benchmark::State& state) {
    if (!same_results()) return state.SkipWithError("the results differ from those by hand");
    Seed seed;
    measure(state, [&] { benchmark::DoNotOptimize((seed.*step)()); });
  });
}

template <class Step>
void add_captured(const std::string& name, Step step) {
  add_workload(name, [step](benchmark::State& state) {
    Seed seed;
    CapturedStep captured;
    measure_captured(state, captured, [&] {
      captured.run({seed.x, seed.target}, [&] { return (seed.*step)(); });
    });
  });
}

const bool added = [] {
  add("seed_step/levin", &Seed::step);
  add_captured("seed_step/captured", &Seed::step);
  add("seed_step/by_hand", &Seed::step_by_hand);
  add("seed_step_as_written/levin", &Seed::step_as_written);
  add_captured("seed_step_as_written/captured", &Seed::step_as_written);
  add("seed_step_as_written/by_hand", &Seed::step_as_written_by_hand);
  return true;
}();

}  // namespace

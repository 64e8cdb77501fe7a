// The seed's training step: Linear(5, 10), 10 rows, mean squared error, SGD.
#include <levin/autograd/captured_step.h>
#include <levin/nn/linear.h>
#include <levin/optim/sgd.h>

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

  // W1
  Tensor step() {
    optimizer.zero_grad();
    const Tensor loss = mse_loss(model(x), target);
    loss.backward();
    optimizer.step();
    return loss;
  }

  // W1s: loss and metrics as the seed's program writes them.
  Tensor step_as_written() {
    optimizer.zero_grad();
    const Tensor y = model(x);
    const Tensor loss = (y - target).pow(2).mean();
    {
      NoGrad no_grad;
      benchmark::DoNotOptimize((y - target).abs().mean());
      benchmark::DoNotOptimize(((y > 0.5) == (target > 0.5)).to(kFloat32).mean());
    }
    loss.backward();
    optimizer.step();
    return loss;
  }
};

// Both must do the same work, or the figures say nothing.
bool same_losses() {
  Seed fused, written;
  for (int i = 0; i < 100; ++i) {
    if (std::abs(fused.step().item() - fused.step_by_hand()) > 1e-6) return false;
    if (std::abs(written.step_as_written().item() - written.step_by_hand()) > 1e-6) return false;
  }
  return true;
}

using Step = Tensor (Seed::*)();

void add_eager(const std::string& name, Step step) {
  add_workload(name + "/levin", [step](benchmark::State& state) {
    if (!same_losses()) return state.SkipWithError("the losses differ from those by hand");
    Seed seed;
    measure(state, [&] { benchmark::DoNotOptimize((seed.*step)()); });
  });
}

void add_captured(const std::string& name, Step step) {
  add_workload(name + "/captured", [step](benchmark::State& state) {
    Seed seed;
    CapturedStep captured;
    measure_captured(state, captured, [&] {
      captured.run({seed.x, seed.target}, [&] { return (seed.*step)(); });
    });
  });
}

const bool added = [] {
  add_workload("seed_step/by_hand", [](benchmark::State& state) {
    Seed seed;
    measure(state, [&] { benchmark::DoNotOptimize(seed.step_by_hand()); });
  });
  for (const auto& [name, step] :
       {std::pair{"seed_step", &Seed::step}, {"seed_step_as_written", &Seed::step_as_written}}) {
    add_eager(name, step);
    add_captured(name, step);
  }
  return true;
}();

}  // namespace

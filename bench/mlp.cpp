// W2 and W3: training steps of chains of linear layers with ReLU between them.
#include <levin/levin.h>

#include <map>
#include <memory>
#include <optional>

#include "mlp_by_hand.h"
#include "workload.h"

namespace {

using namespace levin;

struct Network {
  const char* name;
  std::vector<int64_t> widths;
  int64_t batch;
  UpdateByHand update;
  double lr;
};

const Network kW2 = {"mlp_784_128_10", {784, 128, 10}, 64, UpdateByHand::momentum, 0.01};
const Network kW3 = {"mlp_1024x3_10", {1024, 1024, 1024, 1024, 10}, 256, UpdateByHand::adam, 1e-3};

nn::Sequential make_model(const Network& network, DType dtype) {
  std::vector<nn::AnyModule> modules;
  for (std::size_t i = 0; i + 1 < network.widths.size(); ++i) {
    if (i > 0) modules.emplace_back(nn::ReLU());
    modules.emplace_back(nn::Linear(network.widths[i], network.widths[i + 1]));
  }
  nn::Sequential model(std::move(modules));
  model.to(dtype);
  return model;
}

template <class T>
struct Mlp {
  Tensor x, target;
  nn::Sequential model;
  optim::AnyOptimizer optimizer;
  std::optional<MlpByHand<T>> by_hand;
  CapturedStep captured;

  explicit Mlp(const Network& network)
      : x(randn({network.batch, network.widths.front()}).to(DTypeOf<T>::value)),
        target(randint(0, network.widths.back(), {network.batch})),
        model(make_model(network, DTypeOf<T>::value)),
        optimizer(make_optimizer(network)) {
    if (!is_alone()) by_hand.emplace(model.parameters(), network.batch, network.update, network.lr);
  }

  optim::AnyOptimizer make_optimizer(const Network& network) {
    if (network.update == UpdateByHand::adam)
      return optim::Adam(model.parameters(), {.lr = network.lr});
    return optim::SGD(model.parameters(), {.lr = network.lr, .momentum = 0.9});
  }

  Tensor step() {
    optimizer->zero_grad();
    const Tensor loss = cross_entropy(model(x), target);
    loss.backward();
    optimizer->step();
    return loss;
  }

  // Both must do the same work, or the figures say nothing.
  bool same_losses() {
    for (int i = 0; i < 5; ++i)
      if (!near(step().item(), by_hand->step(x, target), 1e-4)) return false;
    return true;
  }
};

// Made when first asked for, and kept for all repetitions; null where by_hand does other work.
template <class T>
Mlp<T>* mlp_of(const Network& network) {
  static std::map<const Network*, std::unique_ptr<Mlp<T>>> made;
  auto [at, is_new] = made.try_emplace(&network);
  if (is_new) {
    auto mlp = std::make_unique<Mlp<T>>(network);
    if (is_alone() || mlp->same_losses()) at->second = std::move(mlp);
  }
  return at->second.get();
}

// NAME: step(mlp) is what is timed.
template <class T, class Step>
void add(const std::string& name, const Network& network, Step step) {
  const auto run = [&network, step](benchmark::State& state) {
    Mlp<T>* const mlp = mlp_of<T>(network);
    if (!mlp) return state.SkipWithError("the losses differ from those by hand");
    measure(state, [&] { step(*mlp); });
  };
  add_workload(name, run, Threads::one_and_two);
}

template <class T>
void add_captured(const std::string& name, const Network& network) {
  const auto run = [&network](benchmark::State& state) {
    Mlp<T>* const mlp = mlp_of<T>(network);
    if (!mlp) return state.SkipWithError("the losses differ from those by hand");
    measure_captured(state, mlp->captured, [&] {
      mlp->captured.run({mlp->x, mlp->target}, [&] { return mlp->step(); });
    });
  };
  add_workload(name + "/captured", run, Threads::one_and_two);
}

template <class T>
void add_steps(const Network& network, const std::string& suffix) {
  const std::string name = network.name + suffix;
  add<T>(name + "/levin", network, [](Mlp<T>& mlp) { benchmark::DoNotOptimize(mlp.step()); });
  add_captured<T>(name, network);
  add<T>(name + "/by_hand", network,
         [](Mlp<T>& mlp) { benchmark::DoNotOptimize(mlp.by_hand->step(mlp.x, mlp.target)); });
}

const bool added = [] {
  for (const Network* network : {&kW2, &kW3}) {
    add_steps<float>(*network, "");
    add_steps<double>(*network, "_f64");
  }
  return true;
}();

}  // namespace

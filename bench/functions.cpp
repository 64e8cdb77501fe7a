// Elementwise functions of 100 and of 1e6 numbers, and broadcast, transposed and 16-bit operands.
#include <levin/autograd/ops.h>

#include <map>

#include "functions_by_hand.h"
#include "workload.h"

namespace {

using namespace levin;

struct Numbers {
  Tensor x, z, y;  // y: room for the results by hand
};

const Numbers& numbers(int64_t n) {
  static std::map<int64_t, Numbers> made;
  const auto [at, is_new] = made.try_emplace(n);
  if (is_new) at->second = {randn({n}), randn({n}), zeros({n})};
  return at->second;
}

template <class Step>
void add(const std::string& name, int64_t n, Step step) {
  add_workload(name, [n, step](benchmark::State& state) {
    const Numbers& all = numbers(n);
    measure(state, [&] { step(all); });
  });
}

using ByHand = void (*)(const float* x, float* y, int64_t n);

// Where the results differ by more than rounding, the figures say nothing.
void add_by_hand_of(const std::string& name, int64_t n, Tensor (*function)(const Tensor&),
                    ByHand by_hand) {
  add_workload(name, [=](benchmark::State& state) {
    const Numbers& all = numbers(n);
    const auto step = [&] { by_hand(all.x.data<float>(), all.y.data<float>(), n); };
    step();
    if ((all.y - function(all.x)).abs().max().item() > 1e-4)
      return state.SkipWithError("the results differ from those by hand");
    measure(state, step);
  });
}

void add_function(const std::string& name, Tensor (*function)(const Tensor&),
                  ByHand by_hand = nullptr) {
  for (const auto& [size, n] : {std::pair{"_100", 100}, {"_1e6", 1000000}}) {
    add(name + size + "/levin", n,
        [function](const Numbers& all) { benchmark::DoNotOptimize(function(all.x)); });
    if (by_hand) add_by_hand_of(name + size + "/by_hand", n, function, by_hand);
  }
}

void add_sum() {
  for (const auto& [size, n] : {std::pair{"_100", 100}, {"_1e6", 1000000}}) {
    const std::string name = std::string("add") + size;
    add(name + "/levin", n, [](const Numbers& a) { benchmark::DoNotOptimize(a.x + a.z); });
    add(name + "/by_hand", n, [n = n](const Numbers& a) {
      add_by_hand(a.x.data<float>(), a.z.data<float>(), a.y.data<float>(), n);
    });
  }
}

// x + z of [1000, 1000].
void add_operands(const std::string& name, const Tensor& x, const Tensor& z) {
  add_workload(name + "_1e6/levin", [x, z](benchmark::State& state) {
    measure(state, [&] { benchmark::DoNotOptimize(x + z); });
  });
}

const bool added = [] {
  add_function(
      "exp", [](const Tensor& x) { return exp(x); }, exp_by_hand);
  add_function(
      "tanh", [](const Tensor& x) { return tanh(x); }, tanh_by_hand);
  add_function(
      "gelu", [](const Tensor& x) { return gelu(x); }, gelu_by_hand);
  add_function("log1p", [](const Tensor& x) { return log1p(x); });
  add_function("sigmoid", [](const Tensor& x) { return sigmoid(x); });
  add_function("sin", [](const Tensor& x) { return sin(x); });
  add_function("erf", [](const Tensor& x) { return erf(x); });
  add_function("relu", [](const Tensor& x) { return relu(x); });
  add_sum();
  const Tensor x = randn({1000, 1000});
  add_operands("add_row", x, randn({1000}));
  add_operands("add_column", x, randn({1000, 1}));
  add_operands("add_transposed", x, randn({1000, 1000}).t());
  add_operands("add_bfloat16", x.to(kBFloat16), x.to(kBFloat16));
  return true;
}();

}  // namespace

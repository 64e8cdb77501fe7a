// W4: z = relu(a b + c) d, summed; forward, and with the gradients of a, b, c and d.
#include <levin/autograd/ops.h>

#include <array>
#include <map>
#include <memory>

#include "chain_by_hand.h"
#include "workload.h"

namespace {

using namespace levin;

struct Chain {
  std::array<Tensor, 4> in, slopes;  // a, b, c, d
  ChainByHand by_hand;

  explicit Chain(int64_t n) {
    for (Tensor& x : in) x = randn({n});
    if (is_alone()) return;
    for (Tensor& x : slopes) x = zeros({n});
    const auto at = [](const Tensor& x) { return x.data<float>(); };
    by_hand = {at(in[0]),     at(in[1]),     at(in[2]),     at(in[3]), at(slopes[0]),
               at(slopes[1]), at(slopes[2]), at(slopes[3]), n};
  }

  Tensor forward() const {
    const auto& [a, b, c, d] = in;
    return (relu(a * b + c) * d).sum();
  }

  Tensor forward_backward() const {
    for (const Tensor& x : in) x.zero_grad();
    const Tensor sum = forward();
    sum.backward();
    return sum;
  }

  // Both must do the same work, or the figures say nothing.
  bool same_results() const {
    const double bound = 1e-4 * std::sqrt(static_cast<double>(by_hand.n));  // of float32 sums
    for (const Tensor& x : in) x.requires_grad_();
    const double sum = forward_backward().item();
    bool same = near(by_hand.forward(), sum, bound) && near(by_hand.forward_backward(), sum, bound);
    for (std::size_t i = 0; i < in.size(); ++i)
      same = same && (in[i].grad() - slopes[i]).abs().max().item() < 1e-5;
    return same;
  }
};

// Made when first asked for, and kept for all repetitions; null where by_hand does other work.
Chain* chain_of(int64_t n, bool backward) {
  static std::map<int64_t, std::unique_ptr<Chain>> made;
  auto [at, is_new] = made.try_emplace(n);
  if (is_new) {
    auto chain = std::make_unique<Chain>(n);
    if (is_alone() || chain->same_results()) at->second = std::move(chain);
  }
  if (at->second)
    for (const Tensor& x : at->second->in) x.zero_grad(), x.requires_grad_(backward);
  return at->second.get();
}

template <class Step>
void add(const std::string& name, int64_t n, bool backward, Step step) {
  const auto run = [n, backward, step](benchmark::State& state) {
    const Chain* const chain = chain_of(n, backward);
    if (!chain) return state.SkipWithError("the results differ from those by hand");
    measure(state, [&] { step(*chain); });
  };
  add_workload(name, run, n < 1000000 ? Threads::one : Threads::one_and_two);
}

void add_captured(const std::string& name, int64_t n, bool backward) {
  const auto captured = std::make_shared<CapturedStep>();
  const auto run = [n, backward, captured](benchmark::State& state) {
    const Chain* const chain = chain_of(n, backward);
    if (!chain) return state.SkipWithError("the results differ from those by hand");
    measure_captured(state, *captured, [&] {
      captured->run({}, [&] { return backward ? chain->forward_backward() : chain->forward(); });
    });
  };
  add_workload(name, run, n < 1000000 ? Threads::one : Threads::one_and_two);
}

const bool added = [] {
  using benchmark::DoNotOptimize;
  for (const auto& [size, n] : {std::pair{"1e3", 1000}, {"1e6", 1000000}, {"1e7", 10000000}}) {
    const std::string forward = std::string("chain_forward_") + size;
    const std::string both = std::string("chain_forward_backward_") + size;
    add(forward + "/levin", n, false, [](const Chain& x) { DoNotOptimize(x.forward()); });
    add_captured(forward + "/captured", n, false);
    add_captured(both + "/captured", n, true);
    add(forward + "/by_hand", n, false, [](const Chain& x) { DoNotOptimize(x.by_hand.forward()); });
    add(both + "/levin", n, true, [](const Chain& x) { DoNotOptimize(x.forward_backward()); });
    add(both + "/by_hand", n, true,
        [](const Chain& x) { DoNotOptimize(x.by_hand.forward_backward()); });
  }
  return true;
}();

}  // namespace

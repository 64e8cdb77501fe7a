// W5: what one operation costs beside its arithmetic: additions of one-element tensors.
#include <levin/autograd/ops.h>

#include <chrono>

#include "allocations.h"

namespace {

using namespace levin;

constexpr int kOperations = 1000;

// start + number + number + ..
Tensor chain(const Tensor& start, const Tensor& number) {
  Tensor y = start;
  for (int i = 0; i < kOperations; ++i) y = y + number;
  return y;
}

void report_each(benchmark::State& state) {
  using benchmark::Counter;
  state.counters["each"] =
      Counter(kOperations, Counter::kIsIterationInvariantRate | Counter::kInvert);
}

void add(benchmark::State& state) {
  const Tensor a = rand({1}), b = rand({1});
  measure(state, [&] { benchmark::DoNotOptimize(a + b); });
}

// With the destruction of what was recorded.
void chain_recorded(benchmark::State& state) {
  const Tensor start = rand({1}).requires_grad_(), number = rand({1});
  measure(state, [&] { benchmark::DoNotOptimize(chain(start, number)); });
  report_each(state);
}

void chain_backward(benchmark::State& state) {
  using Clock = std::chrono::steady_clock;
  const Tensor start = rand({1}).requires_grad_(), number = rand({1});
  count_allocations(state, [&] { chain(start, number).backward(); });
  for (auto _ : state) {
    const Tensor y = chain(start, number);
    const auto begin = Clock::now();
    y.backward();
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  report_each(state);
}

BENCHMARK(add)->Name("add/levin");
BENCHMARK(chain_recorded)->Name("add_recorded/levin");
BENCHMARK(chain_backward)->Name("add_backward/levin")->UseManualTime();

}  // namespace

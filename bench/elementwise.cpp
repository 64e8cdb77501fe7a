// W5: what one operation costs beside its arithmetic: additions of one-element tensors.
#include <levin/autograd/ops.h>

#include "workload.h"

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

// With the destruction of what was recorded. A replay records nothing: it is the additions alone.
void add_recorded() {
  const auto start = [] { return rand({1}).requires_grad_(); };
  add_workload("add_recorded/levin", [start](benchmark::State& state) {
    const Tensor x = start(), number = rand({1});
    measure(state, [&] { benchmark::DoNotOptimize(chain(x, number)); });
    report_each(state);
  });
  add_workload("add_recorded/captured", [start](benchmark::State& state) {
    const Tensor x = start(), number = rand({1});
    CapturedStep captured;
    measure_captured(state, captured, [&] { captured.run({}, [&] { return chain(x, number); }); });
    report_each(state);
  });
}

void chain_backward(benchmark::State& state) {
  set_num_threads(1);
  const Tensor start = rand({1}).requires_grad_(), number = rand({1});
  count_allocations(state, [&] { chain(start, number).backward(); });
  for (auto _ : state) {
    const Tensor y = chain(start, number);
    const double begin = cpu_seconds();
    y.backward();
    state.SetIterationTime(cpu_seconds() - begin);
  }
  report_each(state);
}

const bool added = [] {
  add_eager_and_captured("add", [] { return [a = rand({1}), b = rand({1})] { return a + b; }; });
  add_recorded();
  benchmark::RegisterBenchmark("add_backward/levin", chain_backward)->UseManualTime();
  return true;
}();

}  // namespace

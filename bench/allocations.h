// Counts what a benchmark takes from the heap.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>

/// Calls of malloc and its relatives in this program so far, operator new's among them.
uint64_t allocations();

/// Reports the heap allocations of one call of `step`, once its caches are warm: after `least` calls, or
/// 100 where they are short.
template <class Step>
void count_allocations(benchmark::State& state, Step step, int least = 5) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::milliseconds(5);
  int steps = 0;
  for (; steps < least || (steps < 100 && Clock::now() < end); ++steps) step();
  const int counted = steps == least ? 1 : steps;
  const uint64_t before = allocations();
  for (int i = 0; i < counted; ++i) step();
  state.counters["allocations"] = static_cast<double>(allocations() - before) / counted;
}

/// Times `step` and counts its allocations.
template <class Step>
void measure(benchmark::State& state, Step step, int least_warm_up = 5) {
  count_allocations(state, step, least_warm_up);
  for (auto _ : state) step();
}

// Counts what a benchmark takes from the heap.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>

/// Calls of malloc and its relatives in this program so far, operator new's among them.
uint64_t allocations();

/// Reports the heap allocations of one call of `step`, once its caches are warm: after two calls, or
/// up to 100 where they are short.
template <class Step>
void count_allocations(benchmark::State& state, Step step) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::milliseconds(5);
  int steps = 0;
  for (; steps < 2 || (steps < 100 && Clock::now() < end); ++steps) step();
  const int counted = steps == 2 ? 1 : steps;
  const uint64_t before = allocations();
  for (int i = 0; i < counted; ++i) step();
  state.counters["allocations"] = static_cast<double>(allocations() - before) / counted;
}

/// Times `step` and counts its allocations.
template <class Step>
void measure(benchmark::State& state, Step step) {
  count_allocations(state, step);
  for (auto _ : state) step();
}

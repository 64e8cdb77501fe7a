// Counts what a benchmark takes from the heap.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>

/// Calls of malloc and its relatives in this program so far, operator new's among them.
uint64_t allocations();

/// Reports the heap allocations of one call of `step`, once its caches are warm.
template <class Step>
void count_allocations(benchmark::State& state, Step step) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::milliseconds(20);
  int steps = 3;  // of a long step only so many
  for (int i = 0; i < steps; ++i) step();
  while (steps < 100 && Clock::now() < end) step(), ++steps;
  const uint64_t before = allocations();
  for (int i = 0; i < steps; ++i) step();
  state.counters["allocations"] = static_cast<double>(allocations() - before) / steps;
}

/// Times `step` and counts its allocations.
template <class Step>
void measure(benchmark::State& state, Step step) {
  count_allocations(state, step);
  for (auto _ : state) step();
}

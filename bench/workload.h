// How a workload is named and timed: WORKLOAD/IMPLEMENTATION by the process's CPU time on one
// thread, WORKLOAD/IMPLEMENTATION/2 by wall time on two.
#pragma once

#include <levin/kernels/pool.h>

#include <cmath>
#include <string>

#include "allocations.h"

/// A benchmark's name ends in /2 where it is for two threads.
enum class Threads { one, one_and_two };

/// `run(state)` under the name, on each number of threads.
template <class Run>
void add_workload(const std::string& name, Run run, Threads threads = Threads::one) {
  benchmark::RegisterBenchmark(name.c_str(), [run](benchmark::State& state) {
    levin::set_num_threads(1);
    run(state);
  })->MeasureProcessCPUTime();
  if (threads == Threads::one) return;
  benchmark::RegisterBenchmark((name + "/2").c_str(), [run](benchmark::State& state) {
    levin::set_num_threads(2);
    run(state);
  })->UseRealTime();
}

/// Times `step`, which runs `captured` once; an error where it is not replayed.
template <class Captured, class Step>
void measure_captured(benchmark::State& state, const Captured& captured, Step step) {
  measure(state, step);
  if (!captured.has_replayed())
    state.SkipWithError(("stays eager: " + captured.why_eager()).c_str());
}

/// Are two results of the same work equal but for rounding?
inline bool near(double a, double b, double tolerance) {
  return std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b));
}

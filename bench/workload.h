// How a workload is named and timed: WORKLOAD/IMPLEMENTATION by the process's CPU time on one
// thread, WORKLOAD/IMPLEMENTATION/2 by wall time on two.
#pragma once

#include <levin/autograd/captured_step.h>
#include <levin/kernels/pool.h>

#include <cmath>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <type_traits>

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

/// Times step(), which runs `captured` once; an error where that is not replayed.
template <class Step>
void measure_captured(benchmark::State& state, const levin::CapturedStep& captured, Step step) {
  for (int i = 0; i < 10 && !captured.has_replayed(); ++i) step();
  if (!captured.has_replayed())
    return state.SkipWithError(("stays eager: " + captured.why_eager()).c_str());
  measure(state, step);
  const std::string& reason = captured.why_eager();
  if (!reason.empty()) state.SkipWithError(("became eager: " + reason).c_str());
}

/// A function that gives what make() gives: made when it is first asked for, kept for all repetitions.
template <class Make>
auto made_once(Make make) {
  using Made = std::invoke_result_t<Make>;
  return [make, made = std::make_shared<std::unique_ptr<Made>>()]() -> Made& {
    if (!*made) made->reset(new Made(make()));
    return **made;
  };
}

/// WORKLOAD/levin and WORKLOAD/captured: make() gives a step, whose result is not looked at.
template <class Make>
void add_eager_and_captured(const std::string& workload, Make make,
                            Threads threads = Threads::one) {
  const auto eager = [of = made_once(make)](benchmark::State& state) {
    const auto& step = of();
    measure(state, [&] { benchmark::DoNotOptimize(step()); });
  };
  const auto captured = [of = made_once(make),
                         replay = std::make_shared<levin::CapturedStep>()](auto& state) {
    const auto& step = of();
    measure_captured(state, *replay, [&] { benchmark::DoNotOptimize(replay->run({}, step)); });
  };
  add_workload(workload + "/levin", eager, threads);
  add_workload(workload + "/captured", captured, threads);
}

/// Is this process to hold nothing but levin's step, since its peak memory is measured?
inline bool is_alone() { return std::getenv("LEVIN_BENCH_ALONE") != nullptr; }

/// CPU time of all of the process's threads so far.
inline double cpu_seconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Are two results of the same work equal but for rounding?
inline bool near(double a, double b, double tolerance) {
  return std::abs(a - b) <= tolerance * std::max(1.0, std::abs(b));
}

// What is timed on a GPU: training steps, and kernels whose limit is the memory or cublasLt. Without a
// GPU each says why there is none. LEVIN_BENCH_TINY=1 makes everything small, for the emulator.
#include <benchmark/benchmark.h>
#include <levin/kernels/cuda.h>
#include <levin/levin.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace {

using namespace levin;

const bool kTiny = std::getenv("LEVIN_BENCH_TINY") != nullptr;

int64_t sized(int64_t full, int64_t tiny) { return kTiny ? tiny : full; }

/// What one workload repeats; inputs are what a training loop would change.
struct Step {
  std::vector<Tensor> inputs;
  std::function<Tensor()> run;
};

struct Workload {
  std::string name;
  std::function<Step()> make;
  double bytes = 0;  ///< that must pass through the device's memory
  double flops = 0;
};

// ---- Measuring

double seconds(auto run) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  run();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// What is known of a step before it is timed.
struct Facts {
  int64_t steps;  ///< that are waited for together, since waiting takes as long as a small step
  double synchronizations, allocations;  ///< of the device, for each step: must be 0
  double host;                           ///< seconds that the host needs to issue a step
};

using Call = std::function<void()>;

// Few steps at a time, so that none waits for another.
double cost_on_host(const Call& step, double each) {
  constexpr int kSteps = 8;
  std::vector<double> seen;
  for (int i = std::clamp(static_cast<int>(0.2 / each / kSteps), 3, 21); i > 0; --i) {
    cuda::synchronize();
    seen.push_back(seconds([&] {
                     for (int n = 0; n < kSteps; ++n) step();
                   }) /
                   kSteps);
  }
  std::sort(seen.begin(), seen.end());
  return seen[seen.size() / 2];
}

Facts facts_of(const Call& step) {
  const auto run = [&](int steps) {
    for (int i = 0; i < steps; ++i) step();
    cuda::synchronize();
  };
  run(3);
  const double each = seconds([&] { run(5); }) / 5;
  constexpr int kCounted = 20;
  const cuda::Statistics before = cuda::statistics();
  for (int i = 0; i < kCounted; ++i) step();
  const cuda::Statistics after = cuda::statistics();
  const auto a_step = [](uint64_t count) { return static_cast<double>(count) / kCounted; };
  return {std::clamp<int64_t>(static_cast<int64_t>(0.01 / each), 1, sized(1000, 2)),
          a_step(after.synchronizations - before.synchronizations),
          a_step(after.allocations - before.allocations), cost_on_host(step, each)};
}

struct Running {
  std::string name;
  Step step;
  CapturedStep captured;
  std::optional<Facts> facts;
};

// Made when a workload's first repetition asks, and gone when another's does: memory holds one.
Running& running(const std::string& name, const Workload& workload) {
  static std::unique_ptr<Running> now;
  if (!now || now->name != name) {
    now.reset();
    now = std::make_unique<Running>();
    now->name = name;
    now->step = workload.make();
  }
  return *now;
}

void measure(benchmark::State& state, const Workload& workload, Running& now, const Call& step) {
  if (!now.facts) now.facts = facts_of(step);
  state.counters["synchronizations"] = now.facts->synchronizations;
  state.counters["device_allocations"] = now.facts->allocations;
  state.counters["host"] = now.facts->host;
  state.counters["bytes"] = workload.bytes;
  state.counters["flops"] = workload.flops;
  while (state.KeepRunningBatch(now.facts->steps)) {
    for (int64_t i = 0; i < now.facts->steps; ++i) step();
    cuda::synchronize();
  }
}

void run_eager(benchmark::State& state, const Workload& workload) {
  Running& now = running(workload.name + "/levin", workload);
  measure(state, workload, now, [&] { now.step.run(); });
}

void run_captured(benchmark::State& state, const Workload& workload) {
  Running& now = running(workload.name + "/captured", workload);
  const auto step = [&] { now.captured.run(now.step.inputs, now.step.run); };
  for (int i = 0; i < 10 && !now.captured.has_replayed(); ++i) step();
  if (now.captured.has_replayed()) measure(state, workload, now, step);
  if (!now.captured.has_replayed())
    state.SkipWithError(("stays eager: " + now.captured.why_eager()).c_str());
}

void add(const Workload& workload, const char* implementation,
         void (*run)(benchmark::State&, const Workload&)) {
  const auto run_or_say_why = [=](benchmark::State& state) {
    try {
      if (!cuda::available()) throw std::runtime_error(cuda::why());
      run(state, workload);
    } catch (const std::runtime_error& error) {  // no memory, say
      state.SkipWithError(error.what());
    }
  };
  benchmark::RegisterBenchmark((workload.name + implementation).c_str(), run_or_say_why)
      ->UseRealTime();
}

void add(const Workload& workload) {
  add(workload, "/levin", run_eager);
  add(workload, "/captured", run_captured);
}

// ---- Workloads

Tensor random_tensor(const Shape& shape) {
  const Tensor x = empty(shape, kFloat32, kCUDA);
  x.uniform_(-1, 1);
  return x;
}

double bytes_of(int64_t floats) { return 4.0 * static_cast<double>(floats); }

// A step of a network of three layers, with Adam.
Step make_mlp(int64_t batch, int64_t hidden) {
  const int64_t inputs = sized(784, 12);
  const auto model = std::make_shared<nn::Sequential>(nn::Linear(inputs, hidden), nn::ReLU(),
                                                      nn::Linear(hidden, hidden), nn::ReLU(),
                                                      nn::Linear(hidden, 10));
  model->to(kCUDA);
  const auto optimizer =
      std::make_shared<optim::Adam>(model->parameters(), optim::AdamOptions{.lr = 1e-3});
  const Tensor x = random_tensor({batch, inputs}), target = randint(0, 10, {batch}).to(kCUDA);
  return {{x, target}, [=] {
            optimizer->zero_grad();
            const Tensor loss = cross_entropy((*model)(x), target);
            loss.backward();
            optimizer->step();
            return loss;
          }};
}

void add_mlp(int64_t batch, int64_t hidden) {
  const auto b = static_cast<double>(batch), h = static_cast<double>(hidden);
  // Three products for each layer, but no gradient of the first one's input.
  const double flops = 2 * b * (2 * 784 * h + 3 * h * h + 3 * 10 * h);
  add({"mlp_" + std::to_string(batch) + "x" + std::to_string(hidden),
       [=] { return make_mlp(sized(batch, 4), sized(hidden, 8)); }, 0, flops});
}

void add_elementwise() {
  const int64_t n = sized(int64_t{1} << 26, 1000);  // 256 MiB: several times what caches hold
  add({"add",
       [=] {
         const Tensor a = random_tensor({n}), b = random_tensor({n});
         return Step{{}, [=] { return a + b; }};
       },
       3 * bytes_of(n)});
  add({"gelu",
       [=] {
         const Tensor x = random_tensor({n});
         return Step{{}, [=] { return gelu(x); }};
       },
       2 * bytes_of(n)});
  add({"dropout",
       [=] {
         const Tensor x = random_tensor({n});
         return Step{{}, [=] { return dropout(x, 0.25); }};
       },
       2 * bytes_of(n)});
}

void add_adam() {
  const int64_t side = sized(4096, 16);
  constexpr int kParameters = 4;
  const auto make = [=] {
    std::vector<Tensor> parameters;
    for (int i = 0; i < kParameters; ++i) {
      parameters.push_back(random_tensor({side, side}).requires_grad_());
      parameters.back().set_grad(random_tensor({side, side}));
    }
    const auto optimizer =
        std::make_shared<optim::Adam>(parameters, optim::AdamOptions{.lr = 1e-3});
    return Step{{}, [=] {
                  optimizer->step();
                  return Tensor();
                }};
  };
  // Reads parameters, gradients and two averages; writes all but the gradients.
  add({"adam", make, 7 * kParameters * bytes_of(side * side)});
}

void add_rows() {
  const int64_t rows = sized(65536, 8), columns = sized(1024, 40);
  const double once = bytes_of(rows * columns);
  add({"softmax_cross_entropy",
       [=] {
         const Tensor x = random_tensor({rows, columns}).requires_grad_();
         const Tensor target = randint(0, columns, {rows}).to(kCUDA);
         return Step{{}, [=] {
                       x.zero_grad();
                       const Tensor loss = cross_entropy(x, target);
                       loss.backward();
                       return loss;
                     }};
       },
       2 * once});  // the gradient may be written while the row is at hand
  const auto layer_norm_of = [=](bool backward) {
    const auto leaf = [=](const Shape& shape) {
      return random_tensor(shape).requires_grad_(backward);
    };
    const Tensor x = leaf({rows, columns}), weight = leaf({columns}), bias = leaf({columns}),
                 g = random_tensor({rows, columns});
    return Step{{}, [=] {
                  for (const Tensor& t : {x, weight, bias}) t.zero_grad();
                  const Tensor y = layer_norm(x, {columns}, weight, bias);
                  if (backward) y.backward(g);
                  return y;
                }};
  };
  add({"layer_norm_forward", [=] { return layer_norm_of(false); }, 2 * once});
  add({"layer_norm_forward_backward", [=] { return layer_norm_of(true); }, 5 * once});
}

void add_gemm(const char* type, DType dtype, const char* precision = "highest") {
  const int64_t n = sized(8192, 32);
  const double flops = 2.0 * static_cast<double>(n * n * n);
  add({std::string("gemm_") + type,
       [=] {
         const Tensor a = random_tensor({n, n}).to(dtype), b = random_tensor({n, n}).to(dtype);
         return Step{{}, [=] {
                       set_float32_matmul_precision(precision);
                       const Tensor c = matmul(a, b);
                       set_float32_matmul_precision("highest");
                       return c;
                     }};
       },
       0, flops});
}

const bool added = [] {
  add_mlp(64, 128);
  add_mlp(256, 512);
  add_mlp(1024, 1024);
  add_mlp(8192, 4096);
  add_elementwise();
  add_adam();
  add_rows();
  add_gemm("float32", kFloat32);
  add_gemm("tf32", kFloat32, "high");
  add_gemm("bfloat16", kBFloat16);
  return true;
}();

}  // namespace

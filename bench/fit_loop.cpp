// What a training step costs inside Trainer::fit: the seed's model, algorithm and metrics over
// batches of 10 that lie in memory, with the csv log. One epoch of 10,000 steps less one of 100, by
// step, so that what a fit costs once does not count.
#include <levin/levin.h>

#include <filesystem>

#include "workload.h"

namespace {

using namespace levin;

constexpr int64_t kIn = 5, kOut = 10, kBatch = 10, kLong = 10000, kShort = 100;

AlgorithmOutput algorithm(LME& model, const data::Batch& batch) {
  const auto& [x, gt] = batch;
  const Tensor y = model(x);
  MetricResults metrics = model.lme_metrics(y, gt, /*include_loss=*/false);
  metrics["loss"] = model.criterion_fn(y, gt);
  return {y, metrics, x, gt};
}

void set_up(LME& model) {
  model.criterion_fn = [](auto& y, auto& gt) { return (y - gt).pow(2).mean(); };
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.01});
  model.metrics = {
      {"l1", {[](auto& y, auto& gt) { return (y - gt).abs().mean(); }, "min"}},
      {"accuracy_like",
       {[](auto& y, auto& gt) { return ((y > 0.5) == (gt > 0.5)).to(kFloat32).mean(); }, "max"}},
  };
  model.model_algorithm = algorithm;
}

struct Cost {
  double seconds, allocations;
  std::string why_eager;
};

Cost cost_of_epoch(int64_t steps, bool compile, const std::string& folder) {
  const data::DataLoader loader(
      data::TensorDataset(randn({steps * kBatch, kIn}), randn({steps * kBatch, kOut})),
      {.batch_size = kBatch});
  LME model(nn::Linear(kIn, kOut));
  set_up(model);
  Trainer trainer({.max_epochs = 1,
                   .logger = CSVLogger(folder),
                   .enable_progress_bar = false,
                   .enable_model_summary = false,
                   .compile = compile});
  const double begin = cpu_seconds();
  const uint64_t before = allocations();
  trainer.fit(model, loader);
  return {cpu_seconds() - begin, static_cast<double>(allocations() - before),
          trainer.compiled().why_eager};
}

void fit_loop(benchmark::State& state, bool compile) {
  set_num_threads(1);
  const auto folder = std::filesystem::temp_directory_path() / "levin_bench_fit_loop";
  set_log_sink([](LogLevel, std::string_view) {});
  double taken = 0, epochs = 0;
  for (auto _ : state) {
    const Cost epoch = cost_of_epoch(kLong, compile, folder);
    const Cost start = cost_of_epoch(kShort, compile, folder);
    state.SetIterationTime((epoch.seconds - start.seconds) / (kLong - kShort));
    taken += (epoch.allocations - start.allocations) / (kLong - kShort);
    ++epochs;
    if (!epoch.why_eager.empty()) state.SkipWithError(epoch.why_eager.c_str());
  }
  state.counters["allocations"] = taken / epochs;
  std::filesystem::remove_all(folder);
}

BENCHMARK_CAPTURE(fit_loop, eager, false)->Name("fit_loop/levin")->UseManualTime()->Iterations(1);
BENCHMARK_CAPTURE(fit_loop, compiled, true)
    ->Name("fit_loop/captured")
    ->UseManualTime()
    ->Iterations(1);

}  // namespace

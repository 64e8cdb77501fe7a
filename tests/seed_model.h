// The seed's model and data, for the tests of the trainer.
#pragma once

#include <levin/levin.h>

#include <string>
#include <vector>

namespace levin {

inline AlgorithmOutput plain_algorithm(LME& model, const data::Batch& batch) {
  const auto& [x, gt] = batch;
  const Tensor y = model(x);
  MetricResults metrics = model.lme_metrics(y, gt, false);
  metrics["loss"] = model.criterion_fn(y, gt);
  return {y, metrics, x, gt};
}

/// Loss, metrics, algorithm and optimizer of the seed.
inline void make_seed(LME& model, double lr = 0.01) {
  model.criterion_fn = [](auto& y, auto& gt) { return (y - gt).pow(2).mean(); };
  model.optimizer = optim::SGD(model.parameters(), {.lr = lr});
  model.metrics = {
      {"l1", {[](auto& y, auto& gt) { return (y - gt).abs().mean(); }, "min"}},
      {"accuracy_like",
       {[](auto& y, auto& gt) { return ((y > 0.5) == (gt > 0.5)).to(kFloat32).mean(); }, "max"}},
  };
  model.model_algorithm = plain_algorithm;
}

/// Normal numbers x [n, in] and gt [n, out], in memory.
inline data::DataLoader normal_loader(int64_t n, int64_t in, int64_t out,
                                      data::LoaderOptions options = {.batch_size = 10},
                                      uint64_t seed = 1) {
  Generator generator(seed);
  const Tensor x = randn({n, in}, generator), gt = randn({n, out}, generator);
  return {data::TensorDataset(x, gt), options};
}

/// A trainer that writes to `folder` and prints nothing.
inline TrainerOptions quiet(const std::string& folder, int64_t max_epochs) {
  return {.max_epochs = max_epochs,
          .logger = CSVLogger(folder),
          .enable_progress_bar = false,
          .enable_model_summary = false};
}

inline std::vector<double> parameters_of(const LME& model) {
  std::vector<double> numbers;
  for (const Tensor& parameter : model.parameters())
    for (const double number : parameter.to_vector<double>()) numbers.push_back(number);
  return numbers;
}

}  // namespace levin

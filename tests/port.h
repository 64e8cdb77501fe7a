// What LME's own tests share: the model M, the algorithm A, the data R (see port_*_test.cpp, whose
// tests have the names of LME's).
#pragma once

#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <levin/train/callbacks/metadata.h>

#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "scratch.h"

namespace levin::port {

/// LME(Sequential(Linear(2, 3), Linear(3, 1))): 13 parameters.
inline nn::AnyModule small_model() { return nn::Sequential(nn::Linear(2, 3), nn::Linear(3, 1)); }

inline Tensor squared_error(const Tensor& y, const Tensor& gt) { return (y - gt).pow(2).mean(); }
inline Tensor absolute_error(const Tensor& y, const Tensor& gt) { return (y - gt).abs().mean(); }

inline AlgorithmOutput algorithm(LME& model, const data::Batch& batch) {
  const auto& [x, gt] = batch;
  const Tensor y = model(x);
  return {y, model.lme_metrics(y, gt), x, gt};
}

/// n samples of normal numbers.
inline data::DataLoader random_data(int64_t in, int64_t out, int64_t n = 100,
                                    int64_t batch_size = 1) {
  return {data::TensorDataset(randn({n, in}), randn({n, out})), {.batch_size = batch_size}};
}

/// M with the algorithm, the criterion and SGD.
inline std::unique_ptr<LME> ready_model(double lr = 0.01) {
  auto model = std::make_unique<LME>(small_model());
  model->model_algorithm = algorithm;
  model->criterion_fn = squared_error;
  model->optimizer = optim::SGD(model->parameters(), {.lr = lr});
  return model;
}

/// A trainer's options that print nothing and write to `folder`; version < 0: the next one.
inline TrainerOptions options(const Scratch& folder, int64_t max_epochs, int version = -1) {
  CSVLoggerOptions csv;
  if (version >= 0) csv.version = version;
  return {.max_epochs = max_epochs,
          .logger = CSVLogger(folder.path(), csv),
          .enable_progress_bar = false,
          .enable_model_summary = false};
}

/// A metric that counts its epochs: 1, 2, 3, .., the last one given being 1.
class EpikMetric : public CoreMetric {
 public:
  explicit EpikMetric(int best = 1000) : CoreMetric(true), best_(best) {}
  MetricResult forward(const Tensor&, const Tensor&) override { return 1.0; }
  void batch_update(const MetricResult&, double) override {}
  Tensor epoch_result() override {
    ++epoch_;
    return tensor({epoch_ <= best_ ? static_cast<double>(epoch_) : 1.0});
  }
  void reset() override {}
  std::shared_ptr<CoreMetric> clone() const override { return std::make_shared<EpikMetric>(best_); }

 private:
  int best_, epoch_ = 0;
};

/// The cells of a csv file, its header first.
inline std::vector<std::vector<std::string>> csv(const std::string& path) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(read_whole(path));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    std::vector<std::string>& row = rows.emplace_back();
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) row.push_back(cell);
    if (line.ends_with(',')) row.emplace_back();
  }
  return rows;
}

/// One column below its header.
inline std::vector<std::string> column(const std::string& path, const std::string& name) {
  const auto rows = csv(path);
  std::vector<std::string> cells;
  for (std::size_t k = 0; k < rows[0].size(); ++k)
    for (std::size_t i = 1; rows[0][k] == name && i < rows.size(); ++i) cells.push_back(rows[i][k]);
  return cells;
}

/// The epochs that a metric has in the model's metadata.
inline std::vector<std::string> epochs_of(const LME& model, const std::string& metric) {
  std::vector<std::string> epochs;
  const Value& metadata = model.metadata_callback()->metadata();
  for (const auto& [epoch, value] : metadata.at("epoch_metrics").at(metric).as_map())
    epochs.push_back(epoch);
  return epochs;
}

}  // namespace levin::port

// Runs of the real LME, repeated: reference/lme/<case>.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

using Json = nlohmann::json;

Tensor named(const SafetensorsFile& file, const std::string& name) {
  for (const auto& [key, tensor] : file.tensors)
    if (key == name) return tensor;
  throw std::runtime_error("no tensor " + name);
}

nn::AnyModule layer_of(const Json& layer) {
  if (layer["type"] == "Linear") return nn::Linear(layer["in"], layer["out"]);
  if (layer["type"] == "Tanh") return nn::Tanh();
  throw std::runtime_error("no layer " + layer["type"].get<std::string>());
}

nn::AnyModule model_of(const Json& model) {
  if (model["type"] != "Sequential") return layer_of(model);
  std::vector<nn::AnyModule> layers;
  for (const Json& layer : model["layers"]) layers.push_back(layer_of(layer));
  return nn::Sequential(std::move(layers));
}

std::vector<std::vector<std::string>> csv_of(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    std::vector<std::string>& row = rows.emplace_back();
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) row.push_back(cell);
  }
  return rows;
}

// Writes down the loss of every training step.
struct StepLosses : Callback {
  explicit StepLosses(std::vector<double>* losses) : losses(losses) {}
  void on_before_backward(Trainer&, LME&, const Tensor& loss) override {
    losses->push_back(loss.item());
  }
  std::vector<double>* losses;
};

class ReferenceRun : public testing::TestWithParam<const char*> {};

TEST_P(ReferenceRun, IsReproduced) {
  const std::string folder = LEVIN_TEST_DIR "/reference/lme/" + std::string(GetParam()) + "/";
  const Json run = Json::parse(read_whole(folder + "case.json"));
  LME model(model_of(run["model"]));
  model.load_state_dict(load_safetensors(folder + "weights_before.safetensors").tensors);
  make_seed(model);
  if (!run["metrics"].contains("accuracy_like"))
    model.metrics = {{"l1", {[](auto& y, auto& gt) { return (y - gt).abs().mean(); }, "min"}}};
  const Json& sgd = run["optimizer"]["args"];
  model.optimizer = optim::SGD(model.parameters(), {.lr = sgd["lr"],
                                                    .momentum = sgd.value("momentum", 0.0),
                                                    .weight_decay = sgd.value("weight_decay", 0.0),
                                                    .nesterov = sgd.value("nesterov", false)});
  std::vector<double> losses;
  model.callbacks = {StepLosses(&losses)};

  const SafetensorsFile data = load_safetensors(folder + "data.safetensors");
  const data::LoaderOptions batches{.batch_size = run["batch_size"]};
  std::optional<data::DataLoader> val;
  if (std::string(GetParam()) != "no_val")
    val.emplace(data::TensorDataset(named(data, "val_x"), named(data, "val_gt")), batches);
  const Scratch scratch;
  Trainer trainer(quiet(scratch.path(), run["trainer"]["max_epochs"]));
  trainer.fit(model,
              {data::TensorDataset(named(data, "train_x"), named(data, "train_gt")), batches}, val);

  const auto steps = csv_of(read_whole(folder + "steps.csv"));
  ASSERT_EQ(losses.size(), steps.size() - 1);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const double expected = std::stod(steps[i + 1][2]);
    EXPECT_NEAR(losses[i], expected, 1e-5 * expected) << "step " << i;
  }
  for (const auto& [name, expected] :
       load_safetensors(folder + "weights_after.safetensors").tensors)
    EXPECT_LT((named({model.state_dict(), {}}, name) - expected).abs().max().item(), 1e-5) << name;

  const std::string csv = read_whole(trainer.log_dir() + "/metrics.csv");
  const auto rows = csv_of(csv), expected = csv_of(read_whole(folder + "expected_fixed.csv"));
  ASSERT_EQ(rows.size(), expected.size());
  EXPECT_EQ(rows[0], expected[0]);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), expected[i].size());
    for (std::size_t k = 0; k < rows[i].size(); ++k)
      EXPECT_NEAR(std::stod(rows[i][k]), std::stod(expected[i][k]), 5e-6)
          << "row " << i << ", " << rows[0][k];
  }
}

INSTANTIATE_TEST_SUITE_P(LME, ReferenceRun,
                         testing::Values("seed", "seed_uneven", "no_val", "momentum_wd"),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace levin

// LME's test/integration/test_i_metrics.py.
#include <algorithm>
#include <cmath>

#include "port.h"

namespace levin::port {
namespace {

std::unique_ptr<LME> model_for_metrics() { return ready_model(0.1); }
data::DataLoader batches(int64_t n = 100) { return random_data(2, 1, n, 10); }

TEST(PortMetrics, test_load_metrics_metadata) {
  const Scratch folder;
  const auto model = model_for_metrics();
  const auto train = batches(), val = batches();
  Trainer(options(folder, 3, 0)).fit(*model, train, val);
  const std::string root = folder / "lightning_logs/";
  Trainer(options(folder, 6, 1))
      .fit(*model, train, val, {.ckpt_path = root + "version_0/checkpoints/last.ckpt"});
  EXPECT_EQ(epochs_of(*model, "loss").size(), 6u);
  EXPECT_TRUE(std::filesystem::exists(root + "version_1/checkpoints/loaded.ckpt"));
  EXPECT_TRUE(std::filesystem::exists(root + "version_1/checkpoints/last.ckpt"));
}

std::string undeclared(const std::string& name) {
  const Scratch folder;
  const auto model = model_for_metrics();
  model->model_algorithm = [name](LME& model, const data::Batch& batch) {
    AlgorithmOutput output = algorithm(model, batch);
    output.metrics[name] = 1.0;
    return output;
  };
  return error_of<std::invalid_argument>(
      [&] { Trainer(options(folder, 3)).fit(*model, batches()); });
}

TEST(PortMetrics, test_load_implicit_metrics) {
  EXPECT_EQ(undeclared("my_metric"),
            "Expected metrics: ['loss'] vs. this batch: ['loss', 'my_metric']");
}

TEST(PortMetrics, test_implicit_core_metrics) {
  EXPECT_EQ(undeclared("epik_metric"),
            "Expected metrics: ['loss'] vs. this batch: ['epik_metric', 'loss']");
}

// A run of three epochs leaves as many rows with these columns filled.
void expect_three_rows(const std::string& path, const std::vector<std::string>& columns) {
  for (const std::string& name : columns) {
    const auto cells = column(path, name);
    ASSERT_EQ(cells.size(), 3u) << name;
    for (const std::string& cell : cells) EXPECT_FALSE(cell.empty()) << name;
  }
}

TEST(PortMetrics, test_metrics_from_algorithm) {
  const Scratch folder;
  const auto model = model_for_metrics();
  EXPECT_THROW((model->metrics = std::vector<NamedMetric>{{"my_metric", AnyMetric()}}),
               std::invalid_argument);
  model->metrics = {{"my_metric", {nullptr, "min"}}};
  model->model_algorithm = [](LME& model, const data::Batch& batch) {
    const auto& [x, gt] = batch;
    const Tensor y = model(x);
    MetricResults metrics;
    metrics["loss"] = model.criterion_fn(y, gt);
    metrics["my_metric"] = (y - gt).detach().abs().mean();
    return AlgorithmOutput{y, metrics, x, gt};
  };
  Trainer(options(folder, 3, 0)).fit(*model, batches());
  expect_three_rows(folder / "lightning_logs/version_0/metrics.csv", {"my_metric", "loss"});
}

/// Collects the samples' numbers itself; the epoch's result is their mean.
class SampleMean : public CoreMetric {
 public:
  SampleMean() : CoreMetric(false) {}
  MetricResult forward(const Tensor& y, const Tensor& gt) override {
    for (const double number : (y - gt).detach().abs().flatten().to_vector<double>())
      numbers_.push_back(number);
    return {};
  }
  void batch_update(const MetricResult&, double) override {}
  Tensor epoch_result() override {
    double sum = 0;
    for (const double number : numbers_) sum += number;
    return tensor({sum / static_cast<double>(numbers_.size())});
  }
  void reset() override { numbers_.clear(); }
  std::shared_ptr<CoreMetric> clone() const override { return std::make_shared<SampleMean>(); }

 private:
  std::vector<double> numbers_;
};

TEST(PortMetrics, test_epoch_metric) {
  const Scratch folder;
  const auto model = model_for_metrics();
  model->metrics = {{"l1", {absolute_error, "min"}}, {"my_epoch_metric", SampleMean()}};
  Trainer(options(folder, 3, 0)).fit(*model, batches());
  const std::string path = folder / "lightning_logs/version_0/metrics.csv";
  expect_three_rows(path, {"my_epoch_metric", "loss"});
  const auto own = column(path, "my_epoch_metric"), l1 = column(path, "l1");
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(std::stod(own[i]), std::stod(l1[i]), 1e-6);
}

TEST(PortMetrics, test_epoch_metric_reduced) {
  class Vector : public CallableCoreMetric {
   public:
    Vector()
        : CallableCoreMetric([](auto& y, auto& gt) { return (y - gt).abs().mean(0); }, false) {}
    std::optional<double> epoch_result_reduced(const Tensor& full) override {
      if (!full.defined()) return {};
      return full.mean().item<double>();
    }
    std::shared_ptr<CoreMetric> clone() const override { return std::make_shared<Vector>(); }
  };
  const Scratch folder;
  LME model(nn::Sequential(nn::Linear(2, 3), nn::Linear(3, 5)));
  model.model_algorithm = algorithm;
  model.criterion_fn = squared_error;
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.1});
  model.metrics = {{"my_epoch_metric", Vector()}};
  Trainer(options(folder, 3, 0)).fit(model, random_data(2, 5, 100, 10));
  expect_three_rows(folder / "lightning_logs/version_0/metrics.csv", {"my_epoch_metric", "loss"});
}

/// Counts the samples of each epoch.
class Counting : public CoreMetric {
 public:
  explicit Counting(std::shared_ptr<std::vector<int64_t>> epochs,
                    std::shared_ptr<std::vector<int64_t>> of_copies)
      : CoreMetric(false), epochs_(std::move(epochs)), of_copies_(std::move(of_copies)) {
    epochs_->push_back(0);
  }
  MetricResult forward(const Tensor& y, const Tensor&) override {
    count_ += y.shape()[0];
    return {};
  }
  void batch_update(const MetricResult&, double) override {}
  Tensor epoch_result() override { return tensor({static_cast<double>(count_)}); }
  void reset() override {
    if (count_ > 0) {
      epochs_->back() = count_;
      epochs_->push_back(0);
    }
    count_ = 0;
  }
  std::shared_ptr<CoreMetric> clone() const override {
    return std::make_shared<Counting>(of_copies_, of_copies_);
  }

 private:
  std::shared_ptr<std::vector<int64_t>> epochs_, of_copies_;
  int64_t count_ = 0;
};

TEST(PortMetrics, test_epoch_metric_reduced_val) {
  const Scratch folder;
  const auto model = model_for_metrics();
  const auto train = std::make_shared<std::vector<int64_t>>();
  const auto val = std::make_shared<std::vector<int64_t>>();
  model->metrics = {{"count", Counting(train, val)}};
  Trainer(options(folder, 3, 0)).fit(*model, batches(100), batches(30));
  EXPECT_EQ(*train, (std::vector<int64_t>{100, 100, 100, 0}));
  // The sanity check's two batches are forgotten before the first epoch.
  ASSERT_GE(val->size(), 3u);
  const auto cells = column(folder / "lightning_logs/version_0/metrics.csv", "val_count");
  EXPECT_EQ(cells, (std::vector<std::string>{"30.0", "30.0", "30.0"}));
}

TEST(PortMetrics, test_CoreMetric_higher_is_better) {
  const Scratch folder;
  const auto model = model_for_metrics();
  model->metrics = {{"epik_metric", EpikMetric()}};
  model->checkpoint_monitors = {"epik_metric", "loss"};
  Trainer(options(folder, 3)).fit(*model, batches());
  int found = 0;
  for (const ModelCheckpoint* checkpoint : model->checkpoint_callbacks()) {
    if (checkpoint->options().monitor != "epik_metric") continue;
    ++found;
    EXPECT_EQ(checkpoint->options().mode, "max");
  }
  EXPECT_EQ(found, 1);
}

TEST(PortMetrics, test_metrics_history_1) {
  const Scratch folder;
  const auto model = ready_model(0.01);
  model->metrics = {{"l1", {absolute_error, "min"}}};
  Trainer(options(folder, 3, 0)).fit(*model, random_data(2, 1, 10), random_data(2, 1, 10));
  expect_three_rows(folder / "lightning_logs/version_0/metrics.csv",
                    {"l1", "loss", "val_l1", "val_loss"});
}

TEST(PortMetrics, test_metrics_history_2) {
  const Scratch folder;
  const auto model = model_for_metrics();
  Trainer(options(folder, 1, 0)).fit(*model, batches());
  Trainer(options(folder, 3, 1)).fit(*model, batches());
  EXPECT_EQ(csv(folder / "lightning_logs/version_0/metrics.csv").size(), 2u);
  EXPECT_EQ(csv(folder / "lightning_logs/version_1/metrics.csv").size(), 4u);
}

TEST(PortMetrics, test_metrics_history_3) {
  const Scratch folder;
  const auto model = model_for_metrics();
  const auto train = batches(), val = batches();
  Trainer(options(folder, 2, 0)).fit(*model, train, val);
  const auto old = csv(folder / "lightning_logs/version_0/metrics.csv");
  ASSERT_EQ(old.size(), 3u);
  for (const char* name : {"loss", "val_loss"})
    for (const std::string& cell : column(folder / "lightning_logs/version_0/metrics.csv", name))
      EXPECT_NE(std::stod(cell), 0);
  const std::string last = model->checkpoint_callbacks().back()->last_model_path();
  Trainer(options(folder, 5, 1)).fit(*model, train, val, {.ckpt_path = last});
  const auto rows = csv(folder / "lightning_logs/version_1/metrics.csv");
  ASSERT_EQ(rows.size(), 6u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(rows[i], old[i]) << "row " << i;
}

TEST(PortMetrics, test_metrics_requires_grad) {
  const Scratch folder;
  LME model(nn::Sequential(nn::Linear(10, 2), nn::Linear(2, 3)));
  int with_grad[2] = {}, calls[2] = {};
  const auto counting = [&](int which) {
    return [&with_grad, &calls, which](const Tensor& y, const Tensor& gt) -> MetricResult {
      const Tensor error = (y - gt).abs().mean();
      with_grad[which] += error.requires_grad();
      ++calls[which];
      return error.detach();
    };
  };
  model.metrics = {{"metric1", CallableCoreMetric(counting(0), false, /*requires_grad=*/true)},
                   {"metric2", CallableCoreMetric(counting(1), false)}};
  model.model_algorithm = algorithm;
  model.criterion_fn = squared_error;
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.01});
  Trainer(options(folder, 10)).fit(model, random_data(10, 3, 5));
  EXPECT_EQ(with_grad[0], 50);
  EXPECT_EQ(with_grad[1], 0);
  EXPECT_EQ(calls[1], 50);
}

}  // namespace
}  // namespace levin::port

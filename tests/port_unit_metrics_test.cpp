// LME's own unit tests of metrics, under their names, and its defects in metrics, by number.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/train/metrics/epoch_metrics.h>

#include <cmath>

#include "class_metrics.h"
#include "facts.h"
#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

using std::invalid_argument;

TEST(PortUnitMetrics, test_CallableCoreMetric_forward) {
  CallableCoreMetric metric([](auto& y, auto& gt) { return (y - gt).pow(2).mean(); }, false);
  const Tensor result = metric.forward(randn({5, 3}), randn({5, 3})).tensor();
  EXPECT_EQ(result.dim(), 0);
  EXPECT_EQ(result.dtype(), kFloat32);
  EXPECT_GE(result.item<float>(), 0);
}

TEST(PortUnitMetrics, test_CallableCoreMetric_deepcopy) {
  CallableCoreMetric metric([](auto& y, auto& gt) { return (y - gt).abs().mean(); }, true, false,
                            "sum", kCuda);
  const std::shared_ptr<CoreMetric> copy = metric.clone();
  const auto& same = dynamic_cast<const CallableCoreMetric&>(*copy);
  const Tensor y = randn({5, 3}), gt = randn({5, 3});
  EXPECT_EQ(copy->forward(y, gt).tensor().item<float>(),
            metric.forward(y, gt).tensor().item<float>());
  EXPECT_EQ(same.epoch_fn()(tensor(10), tensor(5)).item<int64_t>(), 10);
  EXPECT_EQ(metric.epoch_fn()(tensor(10), tensor(5)).item<int64_t>(), 10);
  EXPECT_EQ(copy->device().type, Device::cuda);
  EXPECT_EQ(copy->device(), metric.device());
}

TEST(PortUnitMetrics, test_CallableCoreMetric_None_batch_upate) {
  CallableCoreMetric metric([](auto& y, auto& gt) { return (y - gt).pow(2).mean(); }, false);
  metric.batch_update(std::nullopt);
  EXPECT_EQ(metric.batch_count(), 0);
  EXPECT_TRUE(metric.state().empty());
  EXPECT_EQ(metric.text(), "[CallableCoreMetric]. Mode: min. Grad: False. Count: 0 (None)");
  const Tensor y = randn({5, 3}), gt = randn({5, 3});
  std::vector<MetricResult> results;
  for (int i = 0; i < 4; ++i) results.push_back(metric.forward(y[i], gt[i]));
  results.push_back(std::nullopt);
  metric.batch_update(results);
  EXPECT_EQ(metric.batch_count(), 4);
  EXPECT_FALSE(metric.state().empty());
}

TEST(PortUnitMetrics, test_MultiClassF1Score_epoch_result) {
  MultiClassF1Score f1(3);
  EXPECT_TRUE(f1.state().empty());
  f1.batch_update(f1.forward(guess(), truth()));
  f1.batch_update(f1.forward(guess(), guess()));
  expect_near(f1.state()[0].second, {2, 2, 1, 0, 0, 1, 3, 4, 4, 1, 0, 0}, 0);
  expect_near(f1.epoch_result(), {0.8, 1, 2.0 / 3}, 1e-15);
  EXPECT_NEAR(*f1.epoch_result_reduced(f1.epoch_result()), 0.82222, 5e-6);
}

TEST(PortUnitMetrics, test_MeanIoU_epoch_result) {
  const std::vector<double> expected = {1.0 / 6, 1.0 / 3, 0};
  MeanIoU iou({"1", "2", "3"});
  EXPECT_TRUE(iou.state().empty());
  iou.batch_update(iou.forward(guess(), truth()));
  expect_near(iou.epoch_result(), expected, 1e-15);
  iou.reset();
  iou.batch_update(iou.forward(scores_of(guess(), 3), truth()));
  expect_near(iou.epoch_result(), expected, 1e-15);
  EXPECT_EQ(iou.epoch_result_reduced(iou.epoch_result()), 0.5);
  MeanIoU by_axis({"1", "2", "3"}, {.class_axis = 1});
  by_axis.batch_update(by_axis.forward(scores_of(guess(), 3).permute({0, 2, 1}), truth()));
  expect_near(by_axis.epoch_result(), expected, 1e-15);
}

TEST(PortUnitMetrics, test_existing_lme_metrics_deepcopy) {
  for (const auto& metric : all_metrics(3, kCuda)) {
    const std::shared_ptr<CoreMetric> copy = metric->clone();
    EXPECT_EQ(copy->device().type, Device::cuda);
    EXPECT_EQ(copy->mode(), metric->mode());
    metric->to(kCPU);
    EXPECT_EQ(metric->clone()->device(), kCPU);
    const auto& read = [](CoreMetric& m) { return m.epoch_result().template to_vector<double>(); };
    for (CoreMetric* each : {copy.get(), metric.get()}) take(*each, guess(), truth());
    EXPECT_EQ(read(*copy), read(*metric)) << metric->text();
  }
}

TEST(Defects, Q20_as_many_labels_as_classes_are_labels) {
  MultiClassAccuracy accuracy(3);  // three labels: their last size is the number of classes
  take(accuracy, scores_of(tensor({0, 1, 1}), 3), tensor({0, 1, 2}));
  expect_near(accuracy.epoch_result(), {1, 1, 0}, 0);
  accuracy.reset();
  const Tensor labels = tensor({{0, 1, 2}, {2, 2, 0}});  // [2, 3], C = 3
  take(accuracy, scores_of(labels, 3), labels);
  expect_near(accuracy.epoch_result(), {1, 1, 1}, 0);
  accuracy.reset();
  take(accuracy, scores_of(labels, 3), scores_of(labels, 3));  // one-hot is still one-hot
  expect_near(accuracy.epoch_result(), {1, 1, 1}, 0);
}

TEST(Defects, Q22_batches_count_by_their_samples) {
  CallableCoreMetric weighted([](auto& y, auto&) { return y.mean(); }, false);
  CallableCoreMetric as_lme = weighted;
  for (const auto& [value, samples] : {std::pair(1.0, 10), {2.0, 10}, {4.0, 5}}) {
    weighted.batch_update(value, samples);
    as_lme.batch_update(value);
  }
  expect_near(weighted.epoch_result(), {2}, 0);
  expect_near(as_lme.epoch_result(), {7.0 / 3}, 1e-15);
  CallableCoreMetric exact([](auto& y, auto&) { return y.mean(); }, false);
  for (int i = 0; i < 10; ++i) exact.batch_update(tensor(0.1f), 16777216);
  EXPECT_EQ(exact.epoch_result().item<double>(), double(0.1f));  // float32 would lose digits
}

// The epoch's result is 0-d, or a vector whose number is its heir's choice.
struct Furthest : CoreMetric {
  explicit Furthest(bool vector) : CoreMetric(true), vector(vector) {}
  MetricResult forward(const Tensor& y, const Tensor& gt) override {
    const Tensor distance = (y - gt).abs();
    return vector ? distance.amax({0}) : distance.max();
  }
  void batch_update(const MetricResult& result, double) override {
    furthest = furthest.defined() ? maximum(furthest, result.tensor()) : result.tensor();
  }
  Tensor epoch_result() override { return furthest; }
  std::optional<double> epoch_result_reduced(const Tensor& full) override {
    if (!vector || !full.defined()) return CoreMetric::epoch_result_reduced(full);
    return full.mean().item<double>();
  }
  void reset() override { furthest = {}; }
  std::shared_ptr<CoreMetric> clone() const override { return std::make_shared<Furthest>(vector); }
  bool vector;
  Tensor furthest;
};

TEST(Defects, Q35_a_monitored_metric_may_be_0d_or_reduce_itself) {
  Scratch folder;
  LME model{nn::Linear(5, 10)};
  make_seed(model);
  model.metrics = {{"furthest", Furthest(false)}, {"mean_of_furthest", Furthest(true)}};
  model.checkpoint_monitors = {"furthest", "mean_of_furthest", "loss"};
  Trainer trainer(quiet(folder.path(), 3));
  trainer.fit(model, normal_loader(20, 5, 10), normal_loader(20, 5, 10));
  EXPECT_EQ(trainer.current_epoch(), 3);
  const double mean = *trainer.callback_metric("val_mean_of_furthest");
  EXPECT_GT(mean, 0);
  EXPECT_GT(*trainer.callback_metric("val_furthest"), mean);
}

TEST(Defects, Q45_metrics_of_any_constructor_are_copied) {
  struct Quantile : CoreMetric {  // (share, name): not what CoreMetric takes
    Quantile(double share, std::string name) : CoreMetric(true), share(share), name(name) {}
    MetricResult forward(const Tensor& y, const Tensor&) override { return y.mean() * share; }
    void batch_update(const MetricResult& result, double) override { last = result.tensor(); }
    Tensor epoch_result() override { return last; }
    void reset() override { last = {}; }
    std::shared_ptr<CoreMetric> clone() const override {
      auto copy = std::make_shared<Quantile>(share, name);
      copy->to(device());
      return copy;
    }
    double share;
    std::string name;
    Tensor last;
  };
  LME model{nn::Linear(4, 4)};
  model.criterion_fn = nn::MSELoss();
  model.metrics = {{"quantile", Quantile(0.5, "half")},
                   {"iou", MeanIoU({"a", "b", "c", "d"}, {.mode = "samplewise"})},
                   {"f1", MultiClassF1Score(4, kCuda)}};
  EpochMetrics train, validation;
  train.start(model, false);
  validation.start(model, true);
  for (const EpochMetrics* metrics : {&train, &validation})
    for (const auto& [name, metric] : *metrics) EXPECT_EQ(metric->device(), kCPU) << name;
  const auto [y, gt] = batch(0);
  AlgorithmOutput output{y, model.lme_metrics(y, gt, false), y, gt};
  output.metrics["loss"] = 1.0;
  validation.update(output, true);
  EXPECT_TRUE(validation.has_batches());
  EXPECT_FALSE(train.has_batches());
  validation.reset();
  EXPECT_FALSE(validation.has_batches());
}

TEST(Defects, Q49_a_bad_batch_does_not_survive_a_reset) {
  for (const float bad : {NAN, INFINITY}) {
    CallableCoreMetric metric([](auto& y, auto&) { return y.mean(); }, false);
    metric.batch_update(tensor(bad));
    metric.reset();
    metric.batch_update(tensor(2.0));
    expect_near(metric.epoch_result(), {2}, 0);
  }
  MeanIoU iou({"a", "b", "c"}, {.mode = "samplewise"});
  EXPECT_THROW(take(iou, full({1, 3, 3}, NAN), truth()), invalid_argument);
  take(iou, guess(), truth());
  expect_near(iou.epoch_result(), {1.0 / 6, 1.0 / 3, 0}, 1e-15);
}

}  // namespace
}  // namespace levin

// Metrics over classes: the worked numbers of LME's metrics, and numbers made with LME itself.
#include "class_metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "facts.h"
#include "recorder.h"
#include "scratch.h"

namespace levin {
namespace {

using std::invalid_argument;
using std::out_of_range;

TEST(MultiClassAccuracy, TheWorkedNumbers) {
  MultiClassAccuracy accuracy(3);
  take(accuracy, scores_of(tensor({0, 1, 1, 2}), 3), tensor({0, 1, 2, 2}));
  expect_near(accuracy.epoch_result(), {1, 1, 0.5}, 0);
  EXPECT_NEAR(*accuracy.epoch_result_reduced(accuracy.epoch_result()), 0.83333, 5e-6);
  take(accuracy, scores_of(tensor({0}), 3), scores_of(tensor({2}), 3));  // one-hot
  expect_near(accuracy.epoch_result(), {1, 1, 1.0 / 3}, 1e-15);
  accuracy.reset();
  take(accuracy, scores_of(tensor({0}), 3), one_hot(tensor({0}), 3));  // one-hot, int64
  expect_near(accuracy.epoch_result(), {1, 0, 0}, 0);  // classes that did not come count as 0
}

TEST(MultiClassConfusionMatrix, TheWorkedNumbers) {
  MultiClassConfusionMatrix matrix(3);
  EXPECT_STREQ(matrix.mode(), "min");
  take(matrix, scores_of(tensor({2, 1, 0, 1}), 3), tensor({2, 1, 0, 0}));
  EXPECT_EQ(matrix.epoch_result().dtype(), kInt64);
  EXPECT_EQ(matrix.epoch_result().shape(), (Shape{3, 3}));
  expect_near(matrix.epoch_result(), {1, 1, 0, 0, 1, 0, 0, 0, 1}, 0);
  EXPECT_EQ(matrix.epoch_result_reduced(matrix.epoch_result()), std::nullopt);
  take(matrix, tensor({0}), tensor({2}));
  expect_near(matrix.epoch_result(), {1, 1, 0, 0, 1, 0, 1, 0, 1}, 0);
}

TEST(MeanIoU, TwoSamples) {
  const Tensor y = cat({guess(), guess()}), gt = cat({truth(), guess()});
  MeanIoU global({"a", "b", "c"}), samplewise({"a", "b", "c"}, {.mode = "samplewise"});
  for (MeanIoU* metric : {&global, &samplewise}) take(*metric, y, gt);
  expect_near(global.state()[0].second, {2, 0, 3, 1, 2, 0, 4, 0, 1, 1, 4, 0}, 0);
  expect_near(global.epoch_result(), {2.0 / 9, 1.0 / 3, 1.0 / 6}, 1e-15);
  expect_near(samplewise.epoch_result(), {0.25, 1.0 / 3, 1.0 / 6}, 1e-15);
  EXPECT_NEAR(*global.epoch_result_reduced(global.epoch_result()), 0.72222, 5e-6);
  EXPECT_NEAR(*samplewise.epoch_result_reduced(samplewise.epoch_result()), 0.75, 1e-15);
  take(samplewise, guess(), truth());  // a sample counts the same in a batch of one
  expect_near(samplewise.epoch_result(), {2.0 / 9, 1.0 / 3, 1.0 / 9}, 1e-15);
}

TEST(MeanIoU, RefusesWhatDoesNotFit) {
  const std::vector<std::string> classes = {"a", "b", "c"};
  const auto error = [&](MeanIoUOptions options) {
    return error_of<invalid_argument>([&] { MeanIoU(classes, options); });
  };
  EXPECT_EQ(error({.mode = "local"}), "MeanIoU: mode is 'global' or 'samplewise', not 'local'");
  EXPECT_EQ(error({.class_weights = {0.5, 0.25, 0.5}}),
            "MeanIoU: class_weights: Should sum to 1, got : 1.25");
  EXPECT_EQ(error({.class_weights = {1}}), "MeanIoU: 3 classes and 1 weights");
  EXPECT_EQ(error({.class_weights = {0.25, 0.25, 0.4995}}), "");
  EXPECT_EQ(error_of<invalid_argument>([] { MeanIoU(std::vector<std::string>()); }),
            "MeanIoU: 0 classes: at least one is needed");
  MeanIoU iou(classes);
  EXPECT_TRUE(iou.forward(empty({0, 4}, kInt64), empty({0, 4}, kInt64)).is_nothing());
  EXPECT_EQ(error_of<invalid_argument>([&] {
              iou.forward(ones({2, 5, 4}), ones({2, 5, 4}));
            }),
            "Expected 3 classes on axis -1, got [2, 5, 4] (MeanIoU, y)");
  EXPECT_EQ(error_of<invalid_argument>([&] {
              iou.forward(tensor({1, 2}), tensor({1, 2}));
            }),
            "MeanIoU: classes of shape [2]: at least two dimensions, [B, ..], are needed");
}

TEST(MeanIoU, NaNIsRefused) {
  for (const char* mode : {"global", "samplewise"}) {
    MeanIoU iou({"a", "b", "c"}, {.mode = mode});
    const Tensor good = scores_of(guess(), 3), bad = good.clone();
    bad.select(1, 1).fill_(NAN);
    EXPECT_EQ(error_of<invalid_argument>([&] { iou.forward(bad, truth()); }),
              "MeanIoU: y of shape [1, 3, 3] has NaNs");
    EXPECT_EQ(error_of<invalid_argument>([&] { iou.forward(good, bad); }),
              "MeanIoU: gt of shape [1, 3, 3] has NaNs");
    EXPECT_EQ(error_of<out_of_range>([&] {
                iou.forward(good, tensor({{0, 1, 3}}));
              }),
              "MeanIoU: class indices of shape [1, 3] must lie in [0, 3)");
  }
}

TEST(ClassMetric, RefusesWhatDoesNotFit) {
  for (const auto& metric : all_metrics(3)) {
    const auto error = [&](const Tensor& y, const Tensor& gt) {
      return error_of<invalid_argument>([&] { metric->forward(y, gt); });
    };
    EXPECT_NE(error(ones({2, 2, 3}), ones({2, 2}, kInt32)).find(": gt of int32: int64 or a float"),
              std::string::npos);
    EXPECT_NE(error(ones({2, 2}, kBool), ones({2, 2}, kInt64)).find(": y of bool: int64 or"),
              std::string::npos);
    EXPECT_NE(error(ones({2, 2, 3}), ones({2, 3}, kInt64))
                  .find(": y [2, 2, 3] gives classes of shape [2, 2], gt [2, 3] of [2, 3]"),
              std::string::npos);
    EXPECT_NE(error(ones({2, 2, 4}), ones({2, 2}, kInt64)).find("Expected 3 classes on axis -1"),
              std::string::npos);
    EXPECT_NE(error(ones({}), ones({2, 2}, kInt64)).find("Expected 3 classes"), std::string::npos);
    for (const int64_t bad : {-1, 3}) {
      EXPECT_THROW(metric->forward(ones({1, 2, 3}), tensor({{bad, 0}})), out_of_range);
      // MultiClassAccuracy counts truths only, as it always did: what is predicted is a hit or not.
      if (dynamic_cast<MultiClassAccuracy*>(metric.get())) continue;
      EXPECT_THROW(metric->forward(tensor({{bad, 0}}), tensor({{1, 0}})), out_of_range);
    }
    EXPECT_THROW(metric->batch_update(1.0), invalid_argument);
    EXPECT_THROW(
        metric->load_state({{"sums", ones({7}, kFloat64)}, {"counts", ones({3}, kFloat64)}}),
        invalid_argument);
    EXPECT_EQ(metric->batch_count(), 0);
  }
}

TEST(ClassMetric, NoBatchesGiveZeros) {
  for (const auto& metric : all_metrics(3)) {
    for (const double each : metric->epoch_result().to_vector<double>()) EXPECT_EQ(each, 0);
    take(*metric, guess(), truth());
    metric->reset();
    for (const double each : metric->epoch_result().to_vector<double>()) EXPECT_EQ(each, 0);
    EXPECT_EQ(metric->batch_count(), 0);
    metric->batch_update(std::nullopt);
    EXPECT_EQ(metric->batch_count(), 0);
  }
}

TEST(ClassMetric, TheNumbersOfLME) {
  const Value facts = lme_facts().at("metrics");
  std::vector<std::pair<std::string, std::shared_ptr<CoreMetric>>> metrics = {
      {"MultiClassAccuracy", std::make_shared<MultiClassAccuracy>(4)},
      {"MultiClassF1Score", std::make_shared<MultiClassF1Score>(4)},
      {"MultiClassConfusionMatrix", std::make_shared<MultiClassConfusionMatrix>(4)},
      {"MeanIoU", std::make_shared<MeanIoU>(std::vector<std::string>{"a", "b", "c", "d"})},
      {"MeanIoU weighted samplewise",
       std::make_shared<MeanIoU>(
           std::vector<std::string>{"a", "b", "c", "d"},
           MeanIoUOptions{.class_weights = {.1, .2, .3, .4}, .mode = "samplewise"})}};
  for (const auto& [name, metric] : metrics) {
    for (const Value& batch : facts.at("batches").as_list())
      take(*metric, floats_of(batch.at("y")), floats_of(batch.at("gt")).to(kInt64));
    const Value& expected = facts.at("results").at(name);
    const Tensor full = metric->epoch_result(), wanted = floats_of(expected.at("full"));
    EXPECT_EQ(full.shape(), wanted.shape());
    expect_near(full, wanted.to_vector<double>(), 1e-7);
    const std::optional<double> reduced = metric->epoch_result_reduced(full);
    ASSERT_EQ(reduced.has_value(), !expected.at("reduced").is_null()) << name;
    if (!reduced) continue;
    EXPECT_NEAR(*reduced, expected.at("reduced").as_real(), 1e-7) << name;
  }
}

TEST(ClassMetric, GoesOnFromItsStateByBits) {
  for (const auto& straight : all_metrics(4)) {
    const std::shared_ptr<CoreMetric> first = straight->clone();
    std::shared_ptr<CoreMetric> resumed = straight->clone();
    for (int i = 0; i < 6; ++i) {
      if (i == 3) {
        resumed->load_state(first->state());
        first->reset();  // the state was copied
      }
      const auto [y, gt] = batch(i);
      take(*straight, y, gt);
      take(*(i < 3 ? first : resumed), y, gt);
    }
    EXPECT_EQ(resumed->batch_count(), 6);
    for (std::size_t part = 0; part < 2; ++part)
      EXPECT_EQ(resumed->state()[part].second.to_vector<double>(),
                straight->state()[part].second.to_vector<double>());
    EXPECT_EQ(resumed->epoch_result().to_vector<double>(),
              straight->epoch_result().to_vector<double>());
  }
}

TEST(ClassMetric, ReadsNothingInAStepAndCanBeReplayed) {
  for (const auto& recorded : all_metrics(4)) {
    const std::shared_ptr<CoreMetric> eager = recorded->clone();
    const auto [y, gt] = batch(0);
    for (CoreMetric* metric : {recorded.get(), eager.get()}) take(*metric, y, gt);
    StepRecorder recorder;
    {
      const BackendOverride here(&recorder);
      take(*recorded, y, gt);
    }
    EXPECT_EQ(recorder.obstacle(), "") << recorded->text();
    take(*eager, y, gt);
    const auto [next_y, next_gt] = batch(2);
    y.copy_(next_y);
    gt.copy_(next_gt);
    recorder.repeat();
    take(*eager, y, gt);
    EXPECT_EQ(recorded->epoch_result().to_vector<double>(),
              eager->epoch_result().to_vector<double>());
  }
}

TEST(ClassMetric, FiveThreadsGiveTheBitsOfOne) {
  const auto run = [](std::vector<double>* out) {
    for (const auto& metric : all_metrics(4)) {
      for (int i = 0; i < 20; ++i) {
        const auto [y, gt] = batch(i);
        take(*metric, y, gt);
      }
      for (const double each : metric->epoch_result().to_vector<double>()) out->push_back(each);
    }
  };
  std::vector<double> alone;
  run(&alone);
  std::vector<std::vector<double>> results(5);
  std::vector<std::thread> threads;
  for (auto& result : results) threads.emplace_back(run, &result);
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) EXPECT_EQ(result, alone);
}

TEST(ClassMetric, ALargeBatchIsCountedExactly) {
  const int64_t n = 200000;
  const Tensor gt = arange(n).remainder(3).reshape({2, n / 2});
  for (const auto& metric : all_metrics(3)) take(*metric, scores_of(gt, 3), gt);
  MultiClassConfusionMatrix matrix(3);
  take(matrix, gt, gt);
  expect_near(matrix.epoch_result(), {66667, 0, 0, 0, 66667, 0, 0, 0, 66666}, 0);
}

}  // namespace
}  // namespace levin

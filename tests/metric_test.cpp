// Metrics over an epoch. Numbers are those of the worked examples of LME's metrics.
#include <gtest/gtest.h>
#include <levin/levin.h>

#include <cmath>
#include <limits>

#include "scratch.h"

namespace levin {
namespace {

using Numbers = std::vector<double>;
using std::invalid_argument;

MetricResult l1(const Tensor& y, const Tensor& gt) { return (y - gt).abs().mean(); }

CallableCoreMetric mean_metric() { return {l1, false}; }

Numbers numbers_of(const Tensor& tensor) { return tensor.to_vector<double>(); }

TEST(MetricResult, IsNothingATensorOrAList) {
  EXPECT_TRUE(MetricResult().is_nothing());
  EXPECT_TRUE(MetricResult(std::nullopt).is_nothing());
  const MetricResult number = 0.1;
  EXPECT_EQ(number.tensor().dtype(), kFloat64);
  EXPECT_EQ(number.tensor().item<double>(), 0.1);
  const MetricResult list = std::vector<MetricResult>{1.0, {}, tensor({1.0, 2.0})};
  EXPECT_TRUE(list.is_list());
  EXPECT_FALSE(list.is_nothing());
  EXPECT_FALSE(list.tensor().defined());
  EXPECT_EQ(list.list().size(), 3u);
}

TEST(MetricResults, KeepTheOrderOfInsertion) {
  MetricResults results;
  for (const char* name : {"e", "d", "c", "b", "a", "c"}) results[name] = 1.0;
  std::string names;
  for (const auto& [name, result] : results) names += name;
  EXPECT_EQ(names, "edcba");
  EXPECT_EQ(results.size(), 5);
  EXPECT_TRUE(results.contains("a"));
  EXPECT_EQ(results.find("x"), nullptr);
}

TEST(CallableCoreMetric, ForwardCallsItsFunction) {
  CallableCoreMetric metric(l1, false);
  EXPECT_EQ(metric.forward(tensor({1.0, 3.0}), tensor({0.0, 0.0})).tensor().item<double>(), 2);
  EXPECT_STREQ(metric.mode(), "min");
  EXPECT_STREQ(CallableCoreMetric(l1, true).mode(), "max");
  EXPECT_FALSE(metric.requires_grad());
  EXPECT_EQ(error_of<invalid_argument>([] { CallableCoreMetric(nullptr, true); }),
            "metric: an empty function");
}

TEST(CallableCoreMetric, MeanAndSum) {
  CallableCoreMetric mean = mean_metric(), sum(l1, false, false, "sum");
  for (const double value : {1, 2, 4}) {
    mean.batch_update(value);
    sum.batch_update(value);
  }
  EXPECT_EQ(mean.epoch_result().shape(), Shape({1}));
  EXPECT_EQ(mean.epoch_result().dtype(), kFloat64);
  EXPECT_EQ(numbers_of(mean.epoch_result()), (Numbers{7.0 / 3}));
  EXPECT_EQ(mean.epoch_result_reduced(mean.epoch_result()), 7.0 / 3);
  EXPECT_EQ(sum.epoch_result().shape(), Shape({}));
  EXPECT_EQ(sum.epoch_result().item<double>(), 7);
}

TEST(CallableCoreMetric, BatchesCountByTheirSamples) {  // Q22
  CallableCoreMetric mean = mean_metric(), sum(l1, false, false, "sum");
  for (const auto& [value, samples] : {std::pair(1, 10), {2, 10}, {4, 5}}) {
    mean.batch_update(double(value), samples);
    sum.batch_update(double(value), samples);
  }
  EXPECT_EQ(numbers_of(mean.epoch_result()), (Numbers{2}));
  EXPECT_EQ(sum.epoch_result().item<double>(), 7);  // a sum is a sum
}

TEST(CallableCoreMetric, AFunctionOfSumAndCount) {
  CallableCoreMetric metric(
      l1, true, false, [](const Tensor& sum, const Tensor& count) { return (sum / count).sqrt(); });
  metric.batch_update(7.0, 10);
  metric.batch_update(25.0, 30);
  EXPECT_EQ(metric.epoch_result().item<double>(), 4);
  EXPECT_EQ(metric.epoch_result().item<double>(), 4);
  EXPECT_FALSE(metric.clone()->epoch_result().defined());
  EXPECT_THROW(
      CallableCoreMetric(l1, true, false, std::function<Tensor(const Tensor&, const Tensor&)>()),
      invalid_argument);
}

TEST(CallableCoreMetric, NothingIsIgnoredAndListsCountEachItem) {
  CallableCoreMetric metric = mean_metric();
  EXPECT_FALSE(metric.epoch_result().defined());
  EXPECT_EQ(metric.epoch_result_reduced({}), std::nullopt);
  metric.batch_update({});
  metric.batch_update(std::vector<MetricResult>{{}, {}});
  EXPECT_FALSE(metric.epoch_result().defined());
  metric.batch_update(std::vector<MetricResult>{1.0, 2.0, 4.0, 5.0, {}});
  EXPECT_EQ(numbers_of(metric.epoch_result()), (Numbers{3}));
  EXPECT_EQ(error_of<invalid_argument>([&] {
              metric.batch_update(
                  std::vector<MetricResult>{MetricResult(std::vector<MetricResult>{1.0})});
            }),
            "metric: No list nesting allowed: a list of batch results holds a list");
}

TEST(CallableCoreMetric, VectorsAndMatrices) {
  CallableCoreMetric metric = mean_metric();
  const Tensor first = tensor({1.0, 2.0, 3.0, 4.0, 5.0, 6.0}).reshape({2, 3});
  metric.batch_update(first);
  metric.batch_update(first.transpose(0, 1).contiguous().transpose(0, 1) * 3, 3);
  EXPECT_EQ(metric.epoch_result().shape(), Shape({2, 3}));
  EXPECT_EQ(numbers_of(metric.epoch_result()), (Numbers{2.5, 5, 7.5, 10, 12.5, 15}));
  EXPECT_EQ(metric.epoch_result_reduced(metric.epoch_result()), std::nullopt);
  EXPECT_EQ(error_of<invalid_argument>([&] {
              metric.batch_update(ones({3, 2}));
            }),
            "metric: a batch result of shape [3, 2] after ones of [2, 3]");
  metric.reset();
  metric.batch_update(ones({3, 2}));  // another fit, another shape
  EXPECT_EQ(metric.epoch_result().shape(), (Shape{3, 2}));
  EXPECT_EQ(metric.epoch_result_reduced(ones({1, 1})), 1);
}

TEST(CallableCoreMetric, ViewsAndOtherTypesAreRead) {
  const Tensor table = tensor({1.0, 2.0, 3.0, 4.0, 5.0, 6.0}).reshape({3, 2});
  CallableCoreMetric columns = mean_metric(), counts = mean_metric(), flags = mean_metric();
  columns.batch_update(table.select(1, 1));
  EXPECT_EQ(numbers_of(columns.epoch_result()), (Numbers{2, 4, 6}));
  counts.batch_update(arange(4));
  EXPECT_EQ(numbers_of(counts.epoch_result()), (Numbers{0, 1, 2, 3}));
  flags.batch_update(table.select(1, 0) > 2);
  EXPECT_EQ(numbers_of(flags.epoch_result()), (Numbers{0, 1, 1}));
}

TEST(CallableCoreMetric, AccumulatesInDouble) {
  CallableCoreMetric metric(l1, false, false, "sum");
  metric.batch_update(tensor(16777216.0));
  for (int i = 0; i < 5; ++i) metric.batch_update(tensor(1.0));
  EXPECT_EQ(metric.epoch_result().item<double>(), 16777221);
}

TEST(CallableCoreMetric, RecordsNothingForBackward) {
  CallableCoreMetric metric = mean_metric();
  const Tensor weight = ones({2}).requires_grad_();
  metric.batch_update((weight * 2).sum());
  EXPECT_FALSE(metric.epoch_result().requires_grad());
}

TEST(CallableCoreMetric, ABadBatchDoesNotSurviveAReset) {  // Q49
  for (const double bad : {double(NAN), double(INFINITY)}) {
    CallableCoreMetric metric = mean_metric();
    EXPECT_EQ(metric.first_bad_batch(), -1);
    metric.batch_update(1.0);
    EXPECT_EQ(metric.first_bad_batch(), -1);
    metric.batch_update(2.0, 10);
    for (int i = 0; i < 2; ++i) metric.batch_update(bad, 10);
    metric.batch_update(3.0);
    EXPECT_EQ(metric.first_bad_batch(), 2);
    EXPECT_FALSE(std::isfinite(numbers_of(metric.epoch_result())[0]));
    metric.reset();
    EXPECT_EQ(metric.first_bad_batch(), -1);
    EXPECT_FALSE(metric.epoch_result().defined());
    metric.batch_update(5.0);
    EXPECT_EQ(numbers_of(metric.epoch_result()), (Numbers{5}));
    EXPECT_EQ(metric.first_bad_batch(), -1);
  }
}

TEST(CallableCoreMetric, AResultOfTheEpochDoesNotChangeLater) {
  CallableCoreMetric sum(l1, false, false, "sum");
  sum.batch_update(1.0);
  const Tensor result = sum.epoch_result();
  sum.batch_update(2.0);
  sum.reset();
  EXPECT_EQ(result.item<double>(), 1);
}

TEST(CallableCoreMetric, ClonesStartEmpty) {
  CallableCoreMetric metric(l1, true, true, "sum");
  metric.batch_update(1.0);
  const std::shared_ptr<CoreMetric> clone = metric.clone();
  EXPECT_FALSE(clone->epoch_result().defined());
  EXPECT_TRUE(clone->higher_is_better());
  EXPECT_TRUE(clone->requires_grad());
  clone->batch_update(2.0);
  clone->batch_update(3.0);
  EXPECT_EQ(clone->epoch_result().item<double>(), 5);
  EXPECT_EQ(metric.epoch_result().item<double>(), 1);
  EXPECT_EQ(clone->forward(ones({2}), zeros({2})).tensor().item<double>(), 1);
}

TEST(CallableCoreMetric, GoesOnFromItsState) {
  CallableCoreMetric metric = mean_metric(), later = mean_metric();
  EXPECT_TRUE(metric.state().empty());
  metric.batch_update(1.0, 10);
  metric.batch_update(double(NAN), 10);
  later.load_state(metric.state());
  metric.reset();  // the state was copied
  EXPECT_EQ(later.first_bad_batch(), 1);
  EXPECT_EQ(later.state()[1].second.to_vector<double>(), (Numbers{20, 2, 1}));
  later.load_state({});
  EXPECT_FALSE(later.epoch_result().defined());
  EXPECT_THROW(later.load_state({{"sums", zeros({}, kFloat64)}}), invalid_argument);
  EXPECT_THROW(later.load_state({{"sums", zeros({})}, {"counts", zeros({3})}}), invalid_argument);
  EXPECT_THROW(later.load_state({{"sums", zeros({}, kFloat64)}, {"counts", zeros({2}, kFloat64)}}),
               invalid_argument);
}

TEST(StubMetric, CanBeCopiedButNotCalled) {  // Q48
  StubMetric stub(true);
  const std::shared_ptr<CoreMetric> clone = stub.clone();
  for (CoreMetric* metric : {static_cast<CoreMetric*>(&stub), clone.get()}) {
    EXPECT_STREQ(metric->mode(), "max");
    EXPECT_EQ(error_of<std::logic_error>([&] { metric->forward(ones({1}), ones({1})); }),
              "Stub metrics cannot be called. These need to be computed in the model_algorithm!");
    metric->batch_update(1.0);
    metric->batch_update(3.0);
    EXPECT_EQ(numbers_of(metric->epoch_result()), (Numbers{2}));
  }
}

// The largest value of an epoch: what a metric of one's own takes.
struct Largest : CoreMetric {
  Largest() : CoreMetric(true) {}
  MetricResult forward(const Tensor& y, const Tensor&) override { return y.max(); }
  void batch_update(const MetricResult& result, double) override {
    const Tensor value = result.tensor().detach();
    largest = largest.defined() ? maximum(largest, value) : value;
  }
  Tensor epoch_result() override { return largest; }
  void reset() override { largest = {}; }
  std::shared_ptr<CoreMetric> clone() const override { return std::make_shared<Largest>(); }
  Tensor largest;
};

TEST(CoreMetric, OfOnesOwn) {
  Largest metric;
  for (const double value : {1, 3, 2})
    metric.batch_update(metric.forward(tensor({value, 0.5}), {}), 1);
  EXPECT_EQ(metric.epoch_result_reduced(metric.epoch_result()), 3);
  EXPECT_EQ(metric.first_bad_batch(), -1);
  EXPECT_TRUE(metric.state().empty());
  metric.load_state({});
  EXPECT_THROW(metric.load_state({{"x", ones({1})}}), invalid_argument);
  const AnyMetric any = metric;
  EXPECT_STREQ(any->mode(), "max");
}

TEST(CoreMetric, SaysWhatItIs) {
  CallableCoreMetric metric(l1, true, true, "sum");
  EXPECT_EQ(mean_metric().text(), "[CallableCoreMetric]. Mode: min. Grad: False. Count: 0 (None)");
  metric.batch_update(1.5);
  metric.batch_update(2.0);
  EXPECT_EQ(
      metric.text(),
      "[CallableCoreMetric]. Mode: max. Grad: True. Count: 2 (tensor(3.5000, dtype=float64))");
  EXPECT_EQ(Largest().text(), "[Largest]. Mode: max. Grad: False. Count: 0 (None)");
}

TEST(CoreMetric, ADeviceIsATagUntilABatchComes) {
  CallableCoreMetric metric(l1, true, false, "mean", Device{Device::cuda, 0});
  EXPECT_EQ(metric.clone()->device(), metric.device());
  EXPECT_EQ(StubMetric(true, metric.device()).clone()->device(), metric.device());
  metric.batch_update(1.0);  // on the CPU
  EXPECT_EQ(metric.state()[0].second.device(), kCPU);
  metric.to(kCPU);
  EXPECT_EQ(metric.clone()->device(), kCPU);
}

TEST(EpochFn, IsANameOrAFunction) {
  EXPECT_EQ(EpochFn("mean")(tensor(6.0), tensor(3.0)).item<double>(), 2);
  EXPECT_EQ(EpochFn(std::string("sum"))(tensor(6.0), tensor(3.0)).item<double>(), 6);
  EXPECT_EQ(error_of<invalid_argument>([] { EpochFn("max"); }),
            "metric: epoch_fn is 'mean', 'sum' or a function, not 'max'");
}

TEST(AnyMetric, FromAFunctionAndADirection) {
  EXPECT_STREQ(AnyMetric(l1, "min")->mode(), "min");
  EXPECT_STREQ(AnyMetric(nullptr, "max")->mode(), "max");
  EXPECT_EQ(error_of<invalid_argument>([] { AnyMetric(l1, "mean"); }),
            "metrics: Expected 'min'/'max', got: mean");
  EXPECT_EQ(error_of<invalid_argument>([] { AnyMetric(nullptr, ""); }),
            "metrics: Expected 'min'/'max', got: ");
  EXPECT_THROW(AnyMetric(MetricFunction(), "min"), invalid_argument);
}

}  // namespace
}  // namespace levin

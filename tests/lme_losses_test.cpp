// The losses that weigh classes by batch, and PyTorch's losses as objects.
#include <gtest/gtest.h>
#include <levin/levin.h>

#include <thread>

#include "facts.h"
#include "recorder.h"
#include "scratch.h"

namespace levin {
namespace {

using std::invalid_argument;

Tensor logits() { return tensor({{2, 0, 0}, {0, 0, 0}, {0, 1, 0}, {0, 0, 3}}).to(kFloat32); }
Tensor classes() { return tensor({0, 0, 1, 2}); }

Tensor one_hot_floats(const Tensor& index, int64_t classes) {
  return one_hot(index, classes).to(kFloat32);
}

bool close(const Tensor& a, double b, double rtol) {
  return std::abs(a.item<double>() - b) <= rtol * std::abs(b);
}

TEST(PortUnitLoss, test_batch_weighted_ce_1) {
  const Tensor y = randn({200, 300, 8}), gt = one_hot_floats(randint(0, 7, {200, 300}), 8);
  const Tensor loss = batch_weighted_ce(y, gt);
  EXPECT_EQ(loss.dim(), 0);
  EXPECT_GT(loss.item<float>(), 0);
}

TEST(PortUnitLoss, test_batch_weighted_ce_2) {
  const Tensor y = randn({200, 300, 8}), gt = one_hot_floats(randint(0, 7, {200, 300}), 8);
  const Tensor losses = batch_weighted_ce(y, gt, LossReduction::none);
  EXPECT_EQ(losses.shape(), (Shape{200, 300}));
  EXPECT_TRUE(close(batch_weighted_ce(y, gt), losses.mean().item<double>(), 1e-5));
}

TEST(PortUnitLoss, test_batch_weighted_ce_3) {
  const Tensor gt = one_hot_floats(randint(0, 7, {200, 300}), 8);
  EXPECT_EQ(error_of<std::logic_error>([&] {
              batch_weighted_ce(randn({200, 300, 1}), gt);
            }),
            "batch_weighted_ce: At least two classes required for cross entropy. Got: [200, 300, "
            "1]");
}

TEST(PortUnitLoss, test_batch_weighted_ce_4) {
  const Tensor y = randn({200, 300, 8}), gt = randint(0, 7, {200, 300});
  const Tensor losses = batch_weighted_ce(y, gt, LossReduction::none);
  EXPECT_EQ(losses.shape(), (Shape{200, 300}));
  EXPECT_TRUE(close(batch_weighted_ce(y, gt), losses.mean().item<double>(), 1e-3));
}

TEST(PortUnitLoss, test_batch_weighted_bce_1) {
  const Tensor y = rand({100, 1}), gt = randint(0, 2, {100, 1}).to(kFloat32);
  const Tensor loss = batch_weighted_bce(y, gt);
  EXPECT_EQ(loss.dim(), 0);
  EXPECT_GT(loss.item<float>(), 0);
}

TEST(PortUnitLoss, test_batch_weighted_bce_2) {
  const Tensor y = rand({100, 200, 1}), gt = randint(0, 2, {100, 200, 1}).to(kFloat32);
  const Tensor losses = batch_weighted_bce(y, gt, LossReduction::none);
  EXPECT_EQ(losses.shape(), y.shape());
  EXPECT_TRUE(close(batch_weighted_bce(y, gt), losses.mean().item<double>(), 1e-5));
}

TEST(BatchWeightedCe, TheWorkedNumbers) {
  const Tensor one_hot_gt = one_hot_floats(classes(), 3);
  for (const Tensor& gt : {classes(), one_hot_gt}) {
    expect_near(batch_weighted_ce(logits(), gt, LossReduction::none),
                {.1437269, .6591674, .6617337, .1139075}, 1e-6);
    expect_near(batch_weighted_ce(logits(), gt, LossReduction::sum), {1.5785354}, 1e-6);
  }
  expect_near(batch_weighted_ce(logits(), classes()), {0.4384821}, 1e-6);
  expect_near(batch_weighted_ce(logits(), one_hot_gt), {0.3946339}, 1e-6);
}

TEST(BatchWeightedCe, AbsentClassesHaveNoWeight) {  // n = [2, 2, 0] -> w = [1, 1, 0]
  const Tensor gt = tensor({0, 1, 1, 0});
  expect_near(batch_weighted_ce(logits(), gt), {cross_entropy(logits(), gt).item<double>()}, 1e-6);
  const Tensor one_class = tensor({2, 2, 2, 2});
  expect_near(batch_weighted_ce(logits(), one_class),
              {cross_entropy(logits(), one_class).item<double>()}, 1e-6);
}

TEST(BatchWeightedCe, IgnoredPlacesDoNotCount) {
  const Tensor more = cat({logits(), ones({2, 3})}), gt = cat({classes(), tensor({-100, -100})});
  EXPECT_EQ(batch_weighted_ce(more, gt).item<float>(),
            batch_weighted_ce(logits(), classes()).item<float>());
  const Tensor smooth = batch_weighted_ce(logits(), classes(), {.label_smoothing = 0.1});
  const Tensor weight = tensor({0.6, 1.2, 1.2});
  expect_near(smooth,
              {cross_entropy(logits(), classes(), {.weight = weight, .label_smoothing = 0.1})
                   .item<double>()},
              1e-6);
}

TEST(BatchWeightedCe, RefusesWhatDoesNotFit) {
  const auto error = [](const Tensor& y, const Tensor& gt) {
    return error_of<invalid_argument>([&] { batch_weighted_ce(y, gt); });
  };
  EXPECT_EQ(error(logits(), classes().to(kInt32)),
            "batch_weighted_ce: GT must be float or index tesor (long). Got: int32");
  EXPECT_EQ(error(logits().to(kInt64), classes()),
            "batch_weighted_ce: Predictions must only be float. Got: int64");
  EXPECT_EQ(error(logits(), ones({4, 2})),
            "batch_weighted_ce: y [4, 3] needs a float32 gt of shape [4, 3], not [4, 2]");
  EXPECT_EQ(error(logits(), ones({3}, kInt64)),
            "batch_weighted_ce: y [4, 3] needs a int64 gt of shape [4], not [3]");
  for (const int64_t bad : {-1, 3})
    EXPECT_EQ(error_of<std::out_of_range>([&] {
                batch_weighted_ce(logits(), tensor({0, bad, 0, 0}));
              }),
              "batch_weighted_ce: class indices of shape [4] must lie in [0, 3)");
}

TEST(BatchWeightedBce, TheWorkedNumbers) {
  expect_near(batch_weighted_bce(full({4}, 0.5), tensor({1.0, 0.0, 0.0, 0.0})), {0.2599302}, 1e-6);
  expect_near(batch_weighted_bce(tensor({.9, .2, .4, .1}), tensor({1.0, 0.0, 0.0, 1.0})),
              {0.3927393}, 1e-6);
  EXPECT_EQ(error_of<invalid_argument>([] {
              batch_weighted_bce(rand({4}), rand({4, 1}));
            }),
            "batch_weighted_bce: y shape: [4] vs gt shape: [4, 1]");
}

TEST(BatchWeightedLosses, TheNumbersOfLME) {
  const Value facts = lme_facts(), &ce = facts.at("batch_weighted_ce"),
              &bce = facts.at("batch_weighted_bce");
  const std::pair<const char*, LossReduction> reductions[] = {
      {"mean", LossReduction::mean}, {"sum", LossReduction::sum}, {"none", LossReduction::none}};
  const Tensor y = floats_of(ce.at("y")), index = floats_of(ce.at("index")).to(kInt64);
  const Tensor p = floats_of(bce.at("y")), bits = floats_of(bce.at("gt"));
  for (const auto& [name, reduction] : reductions) {
    const auto expect = [&](const Tensor& loss, const Value& wanted) {
      expect_near(loss, floats_of(wanted).to_vector<double>(), 2e-6);
    };
    const std::string key(name);
    expect(batch_weighted_ce(y, index, reduction), ce.at("results").at("index " + key));
    expect(batch_weighted_ce(y, one_hot_floats(index, 4), reduction),
           ce.at("results").at("one_hot " + key));
    expect(batch_weighted_bce(p, bits, reduction), bce.at("results").at(key));
  }
}

TEST(BatchWeightedLosses, Gradients) {
  Generator generator(3);
  const Tensor scores = randn({2, 5, 3}, generator, kFloat64).requires_grad_();
  const Tensor index = randint(0, 3, {2, 5}, generator);
  const Tensor shares = rand({2, 5, 3}, generator, kFloat64);
  const Tensor p = (rand({4, 3}, generator, kFloat64) * 0.8 + 0.1).requires_grad_();
  const Tensor bits = tensor({{1, 0, 0}, {0, 0, 1}, {0, 1, 1}, {0, 0, 0}});
  for (const LossReduction reduction :
       {LossReduction::mean, LossReduction::sum, LossReduction::none}) {
    const auto ce = [&](const Tensor& gt) {
      return [&](const std::vector<Tensor>& in) {
        return std::vector<Tensor>{batch_weighted_ce(in[0], gt, reduction)};
      };
    };
    const auto bce = [&](const std::vector<Tensor>& in) {
      return std::vector<Tensor>{batch_weighted_bce(in[0], bits, reduction)};
    };
    for (const Tensor& gt : {index, shares}) {
      EXPECT_EQ(gradcheck(ce(gt), {scores}), "");
      EXPECT_EQ(gradgradcheck(ce(gt), {scores}), "");
    }
    EXPECT_EQ(gradcheck(bce, {p.detach().requires_grad_()}), "");
  }
}

TEST(Defects, Q23_one_class_batches_lose_nothing_and_are_counted) {
  const Tensor y = tensor({0.2, 0.9}).requires_grad_();
  const Tensor both = tensor({0.0, 1.0});
  Tensor count, inner;
  {
    const OneClassBatches counting(&count);
    for (const double bit : {0, 1}) {
      const Tensor loss = batch_weighted_bce(y, full({2}, bit));
      EXPECT_EQ(loss.item<float>(), 0);
      loss.backward();
      EXPECT_EQ(y.grad().to_vector<float>(), (std::vector<float>{0, 0}));
    }
    EXPECT_GT(batch_weighted_bce(y, both).item<float>(), 0);
    {
      const OneClassBatches nested(&inner);
      batch_weighted_bce(y, zeros({2}));
    }
    EXPECT_EQ(count.item<int64_t>(), 2);
    EXPECT_EQ(inner.item<int64_t>(), 1);
    StepRecorder recorder;
    {
      const BackendOverride here(&recorder);
      batch_weighted_bce(y, ones({2}));
    }
    EXPECT_EQ(recorder.obstacle(), "");
    recorder.repeat();
    EXPECT_EQ(count.item<int64_t>(), 4);
    std::thread([&] { batch_weighted_bce(y.detach(), zeros({2})); }).join();
  }
  batch_weighted_bce(y, zeros({2}));
  EXPECT_EQ(count.item<int64_t>(), 4);
}

TEST(NnLosses, AreTheFunctionsWithTheirOptions) {
  Generator generator(5);
  const Tensor y = rand({4, 3}, generator), gt = rand({4, 3}, generator);
  const Tensor weight = tensor({1.0, 2.0, 3.0}), index = tensor({0, 2, 1, 2});
  const auto none = LossReduction::none, sum = LossReduction::sum;
  const auto same = [](const Tensor& a, const Tensor& b) {
    EXPECT_EQ(a.shape(), b.shape());
    EXPECT_EQ(a.to_vector<float>(), b.to_vector<float>());
  };
  same(nn::MSELoss()(y, gt), mse_loss(y, gt));
  same(nn::MSELoss{.reduction = sum}(y, gt), mse_loss(y, gt, sum));
  same(nn::L1Loss{.reduction = none}(y, gt), l1_loss(y, gt, none));
  same(nn::SmoothL1Loss{.reduction = none, .beta = 0.1}(y, gt), smooth_l1_loss(y, gt, none, 0.1));
  same(nn::HuberLoss{.delta = 0.1}(y, gt), huber_loss(y, gt, LossReduction::mean, 0.1));
  same(nn::CrossEntropyLoss()(y, index), cross_entropy(y, index));
  same(
      nn::CrossEntropyLoss{
          .weight = weight, .ignore_index = 1, .reduction = none, .label_smoothing = 0.1}(y, index),
      cross_entropy(y, index, {weight, 1, none, 0.1}));
  same(nn::NLLLoss{.weight = weight, .ignore_index = 1, .reduction = none}(y, index),
       nll_loss(y, index, {weight, 1, none}));
  same(nn::BCELoss{.weight = weight}(y, gt), binary_cross_entropy(y, gt, weight));
  same(nn::BCEWithLogitsLoss{.reduction = sum, .pos_weight = weight}(y, gt),
       binary_cross_entropy_with_logits(y, gt, {}, sum, weight));
  same(nn::KLDivLoss{.reduction = LossReduction::batchmean, .log_target = true}(y, gt),
       kl_div(y, gt, LossReduction::batchmean, true));
}

TEST(NnLosses, AreCriteria) {
  LME model{nn::Linear(2, 3)};
  model.criterion_fn = nn::CrossEntropyLoss{.label_smoothing = 0.1};
  const Tensor y = rand({4, 3}), gt = tensor({0, 2, 1, 2});
  EXPECT_EQ(model.criterion_fn(y, gt).item<float>(),
            cross_entropy(y, gt, {.label_smoothing = 0.1}).item<float>());
}

}  // namespace
}  // namespace levin

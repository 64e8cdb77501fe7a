// LME: what can be assigned, what is refused and in which words.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/train/callbacks/metadata.h>

#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

using std::invalid_argument;
using std::logic_error;

MetricResult l1(const Tensor& y, const Tensor& gt) { return (y - gt).abs().mean(); }

nn::Sequential two_layers() { return nn::Sequential{nn::Linear(2, 3), nn::Linear(3, 1)}; }

TEST(LME, WrapsABaseModel) {
  LME model(two_layers());
  EXPECT_EQ(model.num_params(), 13);
  EXPECT_EQ(model.num_trainable_params(), 13);
  model.base_model().requires_grad_(false);
  EXPECT_EQ(model.num_params(), 13);
  EXPECT_EQ(model.num_trainable_params(), 0);
  EXPECT_EQ(model.device(), kCPU);
  EXPECT_EQ(LME(nn::ReLU()).num_params(), 0);
  EXPECT_EQ(LME(nn::ReLU()).device(), kCPU);
  std::string names;
  for (const auto& [name, tensor] : model.state_dict()) names += name + " ";
  EXPECT_EQ(names, "0.weight 0.bias 1.weight 1.bias ");
  EXPECT_EQ(model(ones({4, 2})).shape(), Shape({4, 1}));
}

struct Nested : LME {
  Nested() : LME(nn::Linear(1, 1)) {}
  Nested(const Nested&) : Nested() {}
};

TEST(LME, BaseModelsThatCannotBe) {
  EXPECT_EQ(error_of<invalid_argument>([] { LME{nn::AnyModule()}; }),
            "LME: Expected a nn.Module, got an empty one");
  EXPECT_EQ(error_of<invalid_argument>([] { LME{nn::AnyModule(Nested())}; }),
            "Cannot have nested LME modules. LME must extend only a basic nn::Module");
}

TEST(LME, WithoutATrainer) {
  const LME model(two_layers());
  EXPECT_FALSE(model.has_trainer());
  EXPECT_EQ(error_of<logic_error>([&] { model.trainer(); }), "LME is not attached to a `Trainer`.");
}

TEST(LME, TheAlgorithmWorksWithoutATrainer) {
  LME model(two_layers());
  make_seed(model);
  const auto output = model.model_algorithm(model, {ones({10, 2}), ones({10, 1})});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->y.tensor().shape(), Shape({10, 1}));
  EXPECT_EQ(output->metrics.size(), 3);
  EXPECT_FALSE(output->metrics.find("l1")->tensor().requires_grad());
  EXPECT_TRUE(output->metrics.find("loss")->tensor().requires_grad());
}

TEST(LME, MetricsComeInOrderAndOnlyTheLossIsRecorded) {
  LME model(two_layers());
  model.criterion_fn = l1;
  model.metrics = {
      {"z", {l1, "min"}}, {"a", {l1, "max"}}, {"recorded", CallableCoreMetric(l1, false, true)}};
  const Tensor y = model(ones({4, 2})), gt = zeros({4, 1});
  const MetricResults all = model.lme_metrics(y, gt);
  std::string text;
  for (const auto& [name, result] : all)
    text += std::string(std::string_view(name)) + (result.tensor().requires_grad() ? "+ " : " ");
  EXPECT_EQ(text, "z a recorded+ loss+ ");
  EXPECT_EQ(model.lme_metrics(y, gt, false).size(), 3);
  EXPECT_FALSE(model.lme_metrics(y, gt, false).contains("loss"));
}

TEST(LME, ErrorsInsideMetricsNameThem) {
  LME model(two_layers());
  model.metrics = {{"shapes", {l1, "min"}}};
  model.criterion_fn = l1;
  const auto error = [&](bool loss) {
    return error_of<invalid_argument>([&] { model.lme_metrics(ones({2}), ones({3}), loss); });
  };
  EXPECT_TRUE(error(false).starts_with("shapes (metric): ")) << error(false);
  model.metrics = {};
  EXPECT_TRUE(error(true).starts_with("criterion_fn (loss): ")) << error(true);
}

TEST(LME, TheLastResultIsCachedWithoutItsGraph) {
  LME model(two_layers());
  EXPECT_FALSE(model.cache_result());
  const Tensor y = model(ones({4, 2}));
  MetricResults metrics;
  metrics["loss"] = y.mean();
  metrics["list"] = std::vector<MetricResult>{y.sum(), {}, 1.0};
  model.set_cache_result({y, metrics, ones({4, 2}), Tensor()});
  const AlgorithmOutput& cached = *model.cache_result();
  EXPECT_FALSE(cached.y.tensor().requires_grad());
  EXPECT_FALSE(cached.metrics.find("loss")->tensor().requires_grad());
  EXPECT_FALSE(cached.metrics.find("list")->list()[0].tensor().requires_grad());
  EXPECT_TRUE(cached.metrics.find("list")->list()[1].is_nothing());
  EXPECT_FALSE(cached.gt.tensor().defined());
}

TEST(LME, Criterion) {
  LME model(two_layers());
  EXPECT_FALSE(model.criterion_fn);
  EXPECT_EQ(error_of<logic_error>([&] { model.criterion_fn(ones({1}), ones({1})); }),
            "No criterion fn was implemented. Use model.criterion_fn=XXX or a different "
            "model.model_algorithm that includes a loss function");
  model.criterion_fn = [](const Tensor&, const Tensor&) { return std::vector<MetricResult>{1.0}; };
  EXPECT_EQ(error_of<invalid_argument>([&] { model.criterion_fn(ones({1}), ones({1})); }),
            "criterion_fn (loss): it gave no tensor");
  model.criterion_fn = l1;
  EXPECT_TRUE(model.criterion_fn);
  EXPECT_TRUE(model.criterion_fn.metric()->requires_grad());
  EXPECT_FALSE(model.criterion_fn.metric()->higher_is_better());
  EXPECT_EQ(model.metrics.size(), 0u);
  EXPECT_THROW(model.criterion_fn = MetricFunction(), invalid_argument);
}

std::string metrics_error(std::vector<NamedMetric> metrics) {
  LME model(two_layers());
  model.metrics = {{"before", {l1, "min"}}};
  const std::string error = error_of<invalid_argument>([&] { model.metrics = std::move(metrics); });
  EXPECT_EQ(model.metrics.contains("before"), !error.empty());  // a refusal changes nothing
  return error;
}

TEST(LME, MetricsThatCannotBe) {
  const AnyMetric metric(l1, "min");
  EXPECT_EQ(
      metrics_error({{"a", metric}, {"b", {nullptr, "max"}}, {"c", CallableCoreMetric(l1, false)}}),
      "");
  EXPECT_EQ(metrics_error({{"loss", metric}}),
            "model.metrics: 'loss' is not a valid metric name, it is the criterion's");
  EXPECT_EQ(metrics_error({{"val_x", metric}}),
            "model.metrics: metrics cannot start with val_: 'val_x'");
  for (const std::string name : {"", "epoch", "step", "a/b"})
    EXPECT_EQ(metrics_error({{name, metric}}),
              "model.metrics: '" + name + "' is not a valid metric name");
  EXPECT_EQ(metrics_error({{"a", metric}, {"a", metric}}), "model.metrics: 'a' comes twice");
  EXPECT_EQ(metrics_error({{"a", AnyMetric()}}), "model.metrics: 'a' has no metric");
}

TEST(LME, Optimizers) {
  LME model(two_layers());
  EXPECT_FALSE(model.optimizer);
  EXPECT_EQ(error_of<logic_error>([&] { model.optimizer->step(); }),
            "model.optimizer: there are 0, use list()");
  EXPECT_EQ(error_of<invalid_argument>([&] { model.optimizer = optim::AnyOptimizer(); }),
            "model.optimizer: an empty handle");
  EXPECT_EQ(
      error_of<invalid_argument>([&] { model.optimizer = std::vector<optim::AnyOptimizer>(); }),
      "model.optimizer: an empty list");
  EXPECT_EQ(error_of<invalid_argument>([&] { model.configure_optimizers(); }),
            "No optimizer was set: use model.optimizer = optim::SGD(model.parameters(), {.lr = "
            "0.01})");
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.5});
  EXPECT_EQ(model.optimizer->lr(), 0.5);
  model.optimizer = {optim::SGD(model.parameters(), {.lr = 0.1}),
                     optim::SGD(model.parameters(), {.lr = 0.2})};
  EXPECT_EQ(model.optimizer.list().size(), 2u);
  EXPECT_THROW(model.optimizer->lr(), logic_error);
}

TEST(LME, Monitors) {
  LME model(two_layers());
  model.metrics = {{"l1", {l1, "min"}}, {"l2", {l1, "min"}}};
  const auto error = [&](std::vector<std::string> monitors) {
    return error_of<invalid_argument>([&] { model.checkpoint_monitors = monitors; });
  };
  EXPECT_EQ(model.checkpoint_monitors.list(), std::vector<std::string>{"loss"});
  EXPECT_EQ(error({"l1"}), "'loss' must be in checkpoint monitors. Got: ['l1']");
  EXPECT_EQ(error({}), "'loss' must be in checkpoint monitors. Got: []");
  EXPECT_EQ(error({"loss", "x"}), "Not in metrics: {'x'} (metrics: ['l1', 'l2'])");
  EXPECT_EQ(error({"loss", "l1", "l1"}), "model.checkpoint_monitors: 'l1' comes twice");
  EXPECT_EQ(model.checkpoint_monitors.list(), std::vector<std::string>{"loss"});
  EXPECT_EQ(error({"l2", "loss"}), "");
  EXPECT_EQ(model.checkpoint_monitors.list(), (std::vector<std::string>{"l2", "loss"}));
  EXPECT_EQ(error_of<invalid_argument>([] {
              LME(nn::Linear(1, 1)).checkpoint_monitors = {"loss", "some_metric"};
            }),
            "Not in metrics: {'some_metric'} (metrics: [])");
}

struct Named : Callback {
  explicit Named(std::string name) : name(std::move(name)) {}
  std::string name;
};

TEST(LME, CallbacksKeepTheirOrder) {  // Q17
  LME model(two_layers());
  const auto a = std::make_shared<Named>("a"), b = std::make_shared<Named>("b");
  model.callbacks = {b, a, b, Named("c"), a};
  std::string names;
  for (const AnyCallback& callback : model.callbacks.list())
    names += dynamic_cast<Named&>(*callback).name;
  EXPECT_EQ(names, "bac");
  EXPECT_EQ(error_of<invalid_argument>([&] {
              model.callbacks = {a, AnyCallback()};
            }),
            "model.callbacks: an empty handle");
  EXPECT_EQ(error_of<invalid_argument>([&] { model.callbacks = {model.metadata_callback()}; }),
            "model.callbacks: a MetadataCallback: every model has one already");
  EXPECT_EQ(model.callbacks.list().size(), 3u);
}

TEST(LME, AnAlgorithmIsNeeded) {
  LME model(two_layers());
  EXPECT_EQ(error_of<logic_error>([&] { model.model_algorithm(model, ones({1})); }),
            "Use model.model_algorithm=xxx to define your forward & metrics function");
  model.model_algorithm = ModelAlgorithm();
  EXPECT_THROW(model.model_algorithm(model, ones({1})), logic_error);
}

}  // namespace
}  // namespace levin

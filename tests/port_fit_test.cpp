// LME's test/integration/test_i_fit_model_algorithm.py and test_i_lme_fit.py. (Its tests of
// schedulers and plots stand in callbacks tests, that of best scores beside ModelCheckpoint's.)
#include "port.h"

namespace levin::port {
namespace {

TEST(PortFit, test_fit_model_algorithm_1) {
  const Scratch folder;
  const auto model = ready_model();
  int count = 0;
  model->model_algorithm = [&count](LME& model, const data::Batch& batch) {
    ++count;
    return algorithm(model, batch);
  };
  Trainer(options(folder, 1)).fit(*model, random_data(2, 1, 10));
  EXPECT_EQ(count, 10);
}

TEST(PortFit, test_fit_model_algorithm_not_include_loss) {
  const Scratch folder;
  const auto model = ready_model();
  model->model_algorithm = [](LME& model, const data::Batch& batch) {
    const auto& [x, gt] = batch;
    const Tensor y = model(x);
    MetricResults metrics = model.lme_metrics(y, gt, false);
    EXPECT_FALSE(metrics.contains("loss"));
    metrics["loss"] = model.criterion_fn(y, gt);
    return AlgorithmOutput{y, metrics, x, gt};
  };
  Trainer(options(folder, 1)).fit(*model, random_data(2, 1, 10));
}

TEST(PortFit, test_fit_model_algorithm_implicit_metrics) {
  const Scratch folder;
  const auto model = ready_model();
  model->model_algorithm = [](LME& model, const data::Batch& batch) {
    AlgorithmOutput output = algorithm(model, batch);
    output.metrics["lala"] = 1.0;
    return output;
  };
  EXPECT_EQ(error_of<std::invalid_argument>(
                [&] { Trainer(options(folder, 1)).fit(*model, random_data(2, 1, 10)); }),
            "Expected metrics: ['loss'] vs. this batch: ['lala', 'loss']");
}

TEST(PortFit, test_fit_model_algorithm_with_Nones) {
  const Scratch folder;
  const auto model = ready_model();
  int calls = 0, forwards = 0;
  model->metrics = {{"metric1",
                     {[&](auto& y, auto& gt) {
                        ++forwards;
                        return absolute_error(y, gt);
                      },
                      "min"}}};
  model->model_algorithm = [&](LME& model,
                               const data::Batch& batch) -> std::optional<AlgorithmOutput> {
    if (calls++ % 2 == 1) return {};
    return algorithm(model, batch);
  };
  Trainer(options(folder, 1)).fit(*model, random_data(2, 1, 10));
  EXPECT_EQ(calls, 10);
  EXPECT_EQ(forwards, 5);
}

TEST(PortFit, test_fit_1) {
  const Scratch folder;
  Trainer trainer(options(folder, 1));
  trainer.fit(*ready_model(), random_data(2, 1, 10));
  EXPECT_EQ(trainer.current_epoch(), 1);
}

TEST(PortFit, test_fit_no_criterion) {
  const Scratch folder;
  LME model(small_model());
  model.model_algorithm = algorithm;
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.01});
  EXPECT_THROW(Trainer(options(folder, 1)).fit(model, random_data(2, 1, 10)), std::logic_error);
}

TEST(PortFit, test_fit_no_optimizer) {
  const Scratch folder;
  LME model(small_model());
  model.model_algorithm = algorithm;
  model.criterion_fn = squared_error;
  EXPECT_THROW(Trainer(options(folder, 1)).fit(model, random_data(2, 1, 10)),
               std::invalid_argument);
}

// Two fits of one model by two trainers; then the second one's epochs.
void fit_twice(bool first_val, bool second_val, int64_t first, int64_t second, bool metric) {
  const Scratch folder;
  const auto model = ready_model();
  if (metric) model->metrics = {{"metric1", {absolute_error, "min"}}};
  const auto train = random_data(2, 1, 10), val = random_data(2, 1, 10);
  const auto maybe = [&](bool on) { return on ? data::Loaders(val) : data::Loaders(); };
  Trainer(options(folder, first)).fit(*model, train, maybe(first_val));
  Trainer trainer(options(folder, second));
  trainer.fit(*model, train, maybe(second_val));
  EXPECT_EQ(trainer.current_epoch(), second);
  EXPECT_EQ(model->metrics.size(), metric ? 1 : 0);
  const auto epochs = epochs_of(*model, "loss");
  EXPECT_EQ(static_cast<int64_t>(epochs.size()), second);
  EXPECT_EQ(epochs.front(), "0");
}

TEST(PortFit, test_fit_twice) { fit_twice(false, false, 10, 20, false); }
TEST(PortFit, test_fit_twice_with_validation) { fit_twice(true, true, 10, 20, false); }
TEST(PortFit, test_fit_twice_with_validation_only_once_1) { fit_twice(true, false, 10, 20, false); }
TEST(PortFit, test_fit_twice_with_validation_only_once_2) { fit_twice(false, true, 20, 10, false); }
TEST(PortFit, test_fit_twice_with_validation_only_once_3) { fit_twice(false, true, 20, 10, true); }

TEST(PortFit, test_fit_twice_from_ckpt) {
  const Scratch folder;
  const auto model = ready_model();
  const auto train = random_data(2, 1, 10);
  Trainer first(options(folder, 5));
  first.fit(*model, train);
  const std::string last = model->checkpoint_callbacks().back()->last_model_path();
  Trainer second(options(folder, 10));
  second.fit(*model, train, random_data(2, 1, 10), {.ckpt_path = last});
  const auto epochs = epochs_of(*model, "loss");
  EXPECT_EQ(epochs.size(), 10u);
  EXPECT_EQ(epochs.front(), "0");
  EXPECT_EQ(second.current_epoch(), 10);
  EXPECT_EQ(model->metrics.size(), 0);
}

TEST(PortFit, test_fit_and_test_good) {
  const Scratch folder;
  const auto model = ready_model();
  model->metrics = {
      {"metric1", {[](auto& y, auto& gt) { return (y - gt).abs().mean(); }, "min"}},
      {"metric2", {[](auto& y, auto& gt) { return (y - gt) * 0; }, "min"}},
  };
  Trainer(options(folder, 1)).fit(*model, random_data(2, 1, 10));
  const auto results =
      Trainer(options(folder, 1)).test(*model, random_data(2, 1, 10), {.verbose = false});
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].names(), (std::vector<std::string>{"loss", "metric1", "metric2"}));
}

TEST(PortFit, test_fit_with_two_optimizers) {
  const Scratch folder;
  LME model(small_model());
  model.model_algorithm = algorithm;
  model.criterion_fn = squared_error;
  const std::vector<Tensor> all = model.parameters();
  model.optimizer = std::vector<optim::AnyOptimizer>{optim::SGD({all[0], all[1]}, {.lr = 0.01}),
                                                     optim::SGD({all[2], all[3]}, {.lr = 0.05})};
  std::vector<Tensor> before;
  for (const Tensor& parameter : all) before.push_back(parameter.detach().clone());
  Trainer(options(folder, 1)).fit(model, random_data(2, 1, 10));
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_GT((all[i].detach() - before[i]).abs().max().item(), 0) << i;
  const Value& optimizers = model.metadata_callback()->metadata().at("optimizer");
  ASSERT_EQ(optimizers.size(), 2u);
  EXPECT_EQ(optimizers.as_list()[0].at("starting_lr").as_real(), 0.01);
  EXPECT_EQ(optimizers.as_list()[1].at("starting_lr").as_real(), 0.05);
}

}  // namespace
}  // namespace levin::port

// Defects of LME that levin must not have, by their numbers: those of the trainer's loop.
#include <cmath>
#include <cstdlib>

#include "port.h"

namespace levin::port {
namespace {

std::string version(const Scratch& folder, int number) {
  return folder / ("lightning_logs/version_" + std::to_string(number) + "/");
}

TEST(Defects, Q1_SanityBatchesAreNotInTheFirstEpoch) {
  const auto val_loss = [](int64_t sanity_steps) {
    const Scratch folder;
    manual_seed(3);
    const auto model = ready_model();
    const auto train = random_data(2, 1, 10), val = random_data(2, 1, 20);
    TrainerOptions with = options(folder, 2, 0);
    with.num_sanity_val_steps = sanity_steps;
    Trainer(with).fit(*model, train, val);
    return column(version(folder, 0) + "metrics.csv", "val_loss");
  };
  EXPECT_EQ(val_loss(2), val_loss(0));
}

TEST(Defects, Q2_EveryEpochIsDrawn) {
  const Scratch folder;
  const auto model = ready_model();
  model->callbacks = {PlotMetrics()};
  Trainer(options(folder, 1, 0)).fit(*model, random_data(2, 1, 10));
  EXPECT_TRUE(std::filesystem::exists(version(folder, 0) + "loss.png"));
}

// The rates in force in each epoch.
std::vector<double> rates(SchedulerConfig (*scheduler)(LME&), int64_t epochs,
                          bool with_val = false) {
  const Scratch folder;
  const auto model = ready_model(0.1);
  model->scheduler = scheduler(*model);
  const auto train = random_data(2, 1, 10);
  Trainer(options(folder, epochs))
      .fit(*model, train, with_val ? data::Loaders(train) : data::Loaders());
  std::vector<double> result;
  const Value& optimizer = model->metadata_callback()->metadata().at("optimizer");
  for (const Value& rate : optimizer.at("lr_history").as_list()) result.push_back(rate.as_real());
  return result;
}

TEST(Defects, Q6a_TheFirstEpochHasTheBaseRate) {
  EXPECT_EQ(rates(
                [](LME& model) -> SchedulerConfig {
                  return {optim::StepLR(model.optimizer, {.step_size = 1, .gamma = 0.5})};
                },
                3),
            (std::vector<double>{0.1, 0.05, 0.025}));
}

TEST(Defects, Q6b_ValidationMetricsCanBeMonitored) {
  EXPECT_EQ(rates(
                [](LME& model) -> SchedulerConfig {
                  return {optim::ReduceLROnPlateau(model.optimizer), "val_loss"};
                },
                3, true)
                .size(),
            3u);
}

// The loss falls in every epoch: a plateau that saw NaN would have cut the rate.
TEST(Defects, Q6c_TheMonitorSeesTheEpochsValue) {
  const Scratch folder;
  LME model(nn::Linear(2, 1));
  model.model_algorithm = algorithm;
  model.criterion_fn = squared_error;
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.01});
  model.scheduler = {optim::ReduceLROnPlateau(model.optimizer, {.factor = 0.5, .patience = 0}),
                     "loss"};
  const Tensor x = randn({64, 2});
  Trainer trainer(options(folder, 6, 0));
  trainer.fit(model, data::DataLoader(data::TensorDataset(x, x.sum(1, true)), {.batch_size = 16}));
  const auto losses = column(version(folder, 0) + "metrics.csv", "loss");
  for (std::size_t i = 1; i < losses.size(); ++i)
    ASSERT_LT(std::stod(losses[i]), std::stod(losses[i - 1]));
  EXPECT_EQ(model.optimizer->lr(), 0.01);
}

TEST(Defects, Q6d_AListOfSchedulersStepsEach) {
  const Scratch folder;
  LME model(small_model());
  model.model_algorithm = algorithm;
  model.criterion_fn = squared_error;
  const std::vector<Tensor> all = model.parameters();
  const optim::AnyOptimizer first = optim::SGD({all[0], all[1]}, {.lr = 0.1}),
                            second = optim::SGD({all[2], all[3]}, {.lr = 0.1});
  model.optimizer = std::vector<optim::AnyOptimizer>{first, second};
  model.scheduler =
      std::vector<SchedulerConfig>{{optim::StepLR(first, {.step_size = 1, .gamma = 0.5})},
                                   {optim::StepLR(second, {.step_size = 2, .gamma = 0.1})}};
  Trainer(options(folder, 3)).fit(model, random_data(2, 1, 10));
  EXPECT_EQ(first->lr(), 0.025);
  EXPECT_NEAR(second->lr(), 0.01, 1e-12);
}

TEST(Defects, Q6e_ASchedulersErrorComesOut) {
  class Failing : public optim::StepLR {
   public:
    using StepLR::StepLR;
    void step(std::optional<double>) override { throw std::domain_error("no step today"); }
  };
  const Scratch folder;
  const auto model = ready_model();
  model->scheduler = {Failing(model->optimizer, optim::StepLROptions{.step_size = 1}), "loss"};
  EXPECT_THROW(Trainer(options(folder, 2)).fit(*model, random_data(2, 1, 10)), std::domain_error);
}

TEST(Defects, Q15_TestRowsHaveAFileOfTheirOwn) {
  const Scratch folder;
  const auto model = ready_model();
  Trainer trainer(options(folder, 2, 0));
  trainer.fit(*model, random_data(2, 1, 10));
  trainer.test(*model, random_data(2, 1, 10), {.verbose = false});
  EXPECT_EQ(csv(version(folder, 0) + "metrics.csv").size(), 3u);
  EXPECT_EQ(csv(version(folder, 0) + "test_metrics.csv"),
            (std::vector<std::vector<std::string>>{
                {"epoch", "loss", "step"},
                {"2", column(version(folder, 0) + "test_metrics.csv", "loss")[0], "20"}}));
}

TEST(Defects, Q16_PredictTakesSkippedBatches) {
  const Scratch folder;
  const auto model = ready_model();
  int calls = 0;
  model->model_algorithm = [&](LME& model,
                               const data::Batch& batch) -> std::optional<AlgorithmOutput> {
    if (calls++ == 1) return {};
    return algorithm(model, batch);
  };
  const auto predictions = Trainer(options(folder, 1)).predict(*model, random_data(2, 1, 3));
  ASSERT_EQ(predictions.size(), 3u);
  EXPECT_EQ(predictions[0].tensor().shape(), Shape({1, 1}));
  EXPECT_EQ(predictions[1].size(), 0);
}

TEST(Defects, Q18_ATrainersCheckpointStandsBesideTheModels) {
  const Scratch folder;
  const auto model = ready_model();
  TrainerOptions with = options(folder, 2, 0);
  with.callbacks = {ModelCheckpoint({.filename = "mine", .monitor = "loss"})};
  Trainer(with).fit(*model, random_data(2, 1, 10), random_data(2, 1, 10));
  EXPECT_TRUE(std::filesystem::exists(version(folder, 0) + "checkpoints/mine.ckpt"));
  EXPECT_TRUE(std::filesystem::exists(version(folder, 0) + "checkpoints/last.ckpt"));
}

// Two validations an epoch: the row has the second one's value, callbacks see each.
TEST(Defects, Q19_SeveralValidationsAreNotAveraged) {
  struct Seen : Callback {
    explicit Seen(std::vector<double>* values) : values(values) {}
    void on_validation_end(Trainer& trainer, LME&) override {
      if (!trainer.sanity_checking()) values->push_back(trainer.callback_metrics()["val_loss"]);
    }
    std::vector<double>* values;
  };
  const Scratch folder;
  const auto model = ready_model(0.05);
  std::vector<double> seen;
  model->callbacks = {Seen(&seen)};
  TrainerOptions with = options(folder, 3, 0);
  with.val_check_interval = 0.5;
  Trainer(with).fit(*model, random_data(2, 1, 10), random_data(2, 1, 10));
  ASSERT_EQ(seen.size(), 6u);
  const auto cells = column(version(folder, 0) + "metrics.csv", "val_loss");
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(std::stod(cells[i]), seen[2 * i + 1]);
  EXPECT_NE(seen[0], seen[1]);
}

TEST(Defects, Q21_HparamsAreWritten) {
  const Scratch folder;
  const auto model = ready_model();
  model->hparams["lr"] = 0.01;
  Trainer(options(folder, 1, 0)).fit(*model, random_data(2, 1, 10));
  EXPECT_EQ(read_whole(version(folder, 0) + "hparams.yaml"), "lr: 0.01\n");
  Trainer(options(folder, 1, 1)).test(*model, random_data(2, 1, 10), {.verbose = false});
  EXPECT_EQ(read_whole(version(folder, 1) + "hparams.yaml"), "lr: 0.01\n");
}

TEST(Defects, Q25_FastDevRunWorksAndWritesNothing) {
  const Scratch folder;
  const auto model = ready_model();
  int calls = 0;
  model->model_algorithm = [&](LME& model, const data::Batch& batch) {
    ++calls;
    return algorithm(model, batch);
  };
  model->callbacks = {PlotMetrics(), ModelCheckpoint({.dirpath = folder / "own"})};
  Trainer trainer({.logger = CSVLogger(folder.path()),
                   .fast_dev_run = 2,
                   .enable_progress_bar = false,
                   .enable_model_summary = false,
                   .default_root_dir = folder.path()});
  trainer.fit(*model, random_data(2, 1, 10), random_data(2, 1, 10));
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(trainer.global_step(), 2);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Defects, Q28_HparamsOfAnyKindAreLoaded) {
  const Scratch folder;
  const auto model = ready_model();
  model->hparams["nested"]["list"] = Value::List{1, "two", nullptr, 4.5, true};
  Trainer(options(folder, 1, 0)).fit(*model, random_data(2, 1, 10));
  LME loaded(small_model());
  loaded.load_from_checkpoint(version(folder, 0) + "checkpoints/last.ckpt");
  EXPECT_EQ(loaded.hparams, model->hparams);
}

TEST(Defects, Q31_ValidateWorks) {
  const Scratch folder;
  const auto model = ready_model();
  const auto results =
      Trainer(options(folder, 1, 0)).validate(*model, random_data(2, 1, 10), {.verbose = false});
  EXPECT_EQ(results[0].names(), std::vector<std::string>{"val_loss"});
  EXPECT_TRUE(std::filesystem::exists(version(folder, 0) + "validate_metrics.csv"));
  EXPECT_TRUE(std::filesystem::exists(version(folder, 0) + "validate_metadata.json"));
}

TEST(Defects, Q37_SeveralValidationLoaders) {
  const Scratch folder;
  const auto model = ready_model();
  const auto first = random_data(2, 1, 10), second = random_data(2, 1, 30);
  Trainer trainer(options(folder, 1, 0));
  trainer.fit(*model, random_data(2, 1, 10), {first, second});
  const Value& metadata = model->metadata_callback()->metadata();
  EXPECT_EQ(metadata.at("validation_dataset_size").as_integer(), 40);
  const double all = trainer.callback_metrics()["val_loss"];
  const auto each = trainer.validate(*model, {first, second}, {.verbose = false});
  ASSERT_EQ(each.size(), 2u);
  EXPECT_NEAR(all, (each[0]["val_loss"] + 3 * each[1]["val_loss"]) / 4, 1e-6);
}

TEST(Defects, Q38_CheckpointsCanBeSwitchedOff) {
  const Scratch folder;
  TrainerOptions with = options(folder, 1, 0);
  with.enable_checkpointing = false;
  Trainer(with).fit(*ready_model(), random_data(2, 1, 10));
  EXPECT_FALSE(std::filesystem::exists(version(folder, 0) + "checkpoints"));
}

// An epoch without validation has no value of it, rather than the one before's.
TEST(Defects, Q39_NoStaleValueSurvives) {
  const Scratch folder;
  TrainerOptions with = options(folder, 2, 0);
  with.check_val_every_n_epoch = 2;
  struct Seen : Callback {
    explicit Seen(std::vector<bool>* values) : values(values) {}
    void on_epoch_logged(Trainer& trainer, LME&) override {
      values->push_back(trainer.callback_metrics().contains("val_loss"));
    }
    std::vector<bool>* values;
  };
  std::vector<bool> seen;
  const auto model = ready_model();
  model->callbacks = {Seen(&seen)};
  with.max_epochs = 3;
  Trainer(with).fit(*model, random_data(2, 1, 10), random_data(2, 1, 10));
  EXPECT_EQ(seen, (std::vector<bool>{false, true, false}));
}

std::vector<double> numbers_of(const LME& model) {
  std::vector<double> numbers;
  for (const Tensor& parameter : model.parameters())
    for (const double number : parameter.to_vector<double>()) numbers.push_back(number);
  return numbers;
}

// Four batches of one sample accumulated are one batch of four.
TEST(Defects, Q41_GradientsCanBeAccumulated) {
  const Scratch folder;
  const Tensor x = randn({10, 2}), gt = randn({10, 1});
  const auto trained = [&](int64_t batch_size, int64_t accumulate) {
    manual_seed(1);
    const auto model = ready_model(0.1);
    model->to(kFloat64);
    TrainerOptions with = options(folder, 2);
    with.accumulate_grad_batches = accumulate;
    Trainer trainer(with);
    trainer.fit(*model, data::DataLoader(data::TensorDataset(x.to(kFloat64), gt.to(kFloat64)),
                                         {.batch_size = batch_size}));
    EXPECT_EQ(trainer.global_step(), 6);
    return numbers_of(*model);
  };
  const auto whole = trained(4, 1), accumulated = trained(1, 4);
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(whole[i], accumulated[i], 1e-12) << i;
}

TEST(Defects, Q41_GradientsCanBeClipped) {
  for (const char* algorithm_name : {"norm", "value"}) {
    const Scratch folder;
    const auto model = ready_model(1.0);
    const auto before = numbers_of(*model);
    TrainerOptions with = options(folder, 1);
    with.limit_train_batches = 1;
    with.gradient_clip_val = 1e-3;
    with.gradient_clip_algorithm = algorithm_name;
    Trainer(with).fit(*model, random_data(2, 1, 10));
    const auto after = numbers_of(*model);
    double norm = 0, largest = 0;
    for (std::size_t i = 0; i < before.size(); ++i) {
      norm += (after[i] - before[i]) * (after[i] - before[i]);
      largest = std::max(largest, std::abs(after[i] - before[i]));
    }
    const bool by_norm = std::string(algorithm_name) == "norm";
    EXPECT_NEAR(by_norm ? std::sqrt(norm) : largest, 1e-3, 1e-6) << algorithm_name;
  }
}

TEST(Defects, Q48_AStubMetricHasACopyForValidation) {
  const Scratch folder;
  const auto model = ready_model();
  model->metrics = {{"own", {nullptr, "min"}}};
  model->model_algorithm = [](LME& model, const data::Batch& batch) {
    const auto& [x, gt] = batch;
    const Tensor y = model(x);
    MetricResults metrics;
    metrics["loss"] = model.criterion_fn(y, gt);
    metrics["own"] = 2.0;
    return AlgorithmOutput{y, metrics, x, gt};
  };
  Trainer(options(folder, 1, 0)).fit(*model, random_data(2, 1, 10), random_data(2, 1, 10));
  EXPECT_EQ(column(version(folder, 0) + "metrics.csv", "val_own"), std::vector<std::string>{"2.0"});
}

TEST(Defects, Q50_ACriterionMayBeAModuleOrAMetric) {
  for (const bool metric : {false, true}) {
    const Scratch folder;
    const auto model = ready_model();
    if (metric)
      model->criterion_fn = CallableCoreMetric(squared_error, false, true);
    else
      model->criterion_fn = nn::MSELoss();
    Trainer trainer(options(folder, 1));
    trainer.fit(*model, random_data(2, 1, 10));
    EXPECT_GT(trainer.callback_metrics()["loss"], 0);
  }
}

TEST(Defects, Q52_WarningsAreShown) {
  static int warnings = 0;
  set_log_sink([](LogLevel level, std::string_view) { warnings += level == LogLevel::warning; });
  const Scratch folder;
  Trainer(options(folder, 0)).fit(*ready_model(), random_data(2, 1, 10), random_data(2, 1, 0));
  TrainerOptions unlimited = options(folder, 1);
  unlimited.max_epochs = {};
  unlimited.limit_train_batches = 0;
  Trainer(unlimited).fit(*ready_model(), random_data(2, 1, 10));  // "`max_epochs` was not set."
  set_log_sink(nullptr);
  EXPECT_GT(warnings, 0);
}

}  // namespace
}  // namespace levin::port

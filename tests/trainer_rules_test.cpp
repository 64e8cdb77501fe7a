// Rules of the trainer: stops, checkpoints by name, logged values, reloaded data, counters.
#include <levin/train/files/text.h>

#include <cstdlib>

#include "port.h"

namespace levin::port {
namespace {

std::string version_0(const Scratch& folder) { return folder / "lightning_logs/version_0/"; }

/// Calls a function after each training batch.
struct AfterBatch : Callback {
  explicit AfterBatch(std::function<void(Trainer&)> action) : action(std::move(action)) {}
  void on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                          int64_t) override {
    action(trainer);
  }
  std::function<void(Trainer&)> action;
};

TEST(TrainerRules, LastIsFoundByANewTrainerInTheSameFolder) {
  const Scratch folder;
  const auto train = random_data(2, 1, 10);
  const auto first = ready_model(), second = ready_model();
  Trainer(options(folder, 2, 0)).fit(*first, train);
  Trainer again(options(folder, 4, 0));
  again.fit(*second, train, {}, {.ckpt_path = "last"});
  EXPECT_EQ(again.current_epoch(), 4);
  EXPECT_EQ(csv(version_0(folder) + "metrics.csv").size(), 5u);
  EXPECT_FALSE(std::filesystem::exists(version_0(folder) + "checkpoints/last-v1.ckpt"));
  const auto third = ready_model();
  Trainer tester(options(folder, 4, 0));
  tester.test(*third, train, {.ckpt_path = "best", .verbose = false});
  EXPECT_TRUE(tester.ckpt_path().find("loss=") != std::string::npos) << tester.ckpt_path();
}

TEST(TrainerRules, LastWithoutARunIsAFreshStart) {
  const Scratch folder;
  Trainer trainer(options(folder, 1));
  trainer.fit(*ready_model(), random_data(2, 1, 10), {}, {.ckpt_path = "last"});
  EXPECT_FALSE(trainer.is_resuming());
  EXPECT_EQ(trainer.current_epoch(), 1);
}

TEST(TrainerRules, ATestsMetadataHoldsNothingOfTheFit) {
  const Scratch folder;
  const auto model = ready_model();
  Trainer trainer(options(folder, 1, 0));
  trainer.fit(*model, random_data(2, 1, 10));
  for (const char* path : {"", "last"}) {
    trainer.test(*model, random_data(2, 1, 10), {.ckpt_path = path, .verbose = false});
    const Value metadata =
        from_json(read_whole(version_0(folder) + "test_metadata.json"), "test_metadata.json");
    for (const char* key : {"optimizer", "best_model", "epoch_timestamps", "fit_start_timestamp"})
      EXPECT_FALSE(metadata.find(key)) << key << " with ckpt_path '" << path << "'";
  }
}

TEST(TrainerRules, AStopWaitsForMinEpochs) {
  const Scratch folder;
  for (const int64_t batch : {3, 13}) {
    const auto model = ready_model();
    model->callbacks = {AfterBatch([batch](Trainer& trainer) {
      if (trainer.batches_done() == batch) trainer.should_stop = true;
    })};
    TrainerOptions with = options(folder, 9);
    with.min_epochs = 2;
    Trainer trainer(with);
    trainer.fit(*model, random_data(2, 1, 10));
    EXPECT_EQ(trainer.batches_done(), 20) << "stop after batch " << batch;
  }
}

TEST(TrainerRules, WithoutMinEpochsAStopEndsTheEpoch) {
  const Scratch folder;
  const auto model = ready_model();
  model->callbacks = {AfterBatch([](Trainer& trainer) {
    if (trainer.batches_done() == 13) trainer.should_stop = true;
  })};
  Trainer trainer(options(folder, 9));
  trainer.fit(*model, random_data(2, 1, 10), random_data(2, 1, 4));
  EXPECT_EQ(trainer.batches_done(), 13);
  EXPECT_EQ(trainer.current_epoch(), 2);
  EXPECT_TRUE(trainer.callback_metrics().contains("val_loss"));
}

TEST(TrainerRules, BestModelFollowsTheMonitor) {
  const Scratch folder;
  const auto model = ready_model();
  const auto data = random_data(2, 1, 10);
  Trainer(options(folder, 1, 0)).fit(*model, data);
  Trainer(options(folder, 2, 1))
      .fit(*model, data, data, {.ckpt_path = version_0(folder) + "checkpoints/last.ckpt"});
  const Value& metadata = model->metadata_callback()->metadata();
  EXPECT_EQ(metadata.at("best_model").at("monitor").as_text(), "val_loss");
  EXPECT_EQ(metadata.at("model_checkpoint").at("monitors").as_text(), "val_loss");
  EXPECT_EQ(metadata.at("optimizer").at("lr_history").size(), 2u);
}

TEST(TrainerRules, ReloadedLoadersAreCountedAgain) {
  const Scratch folder;
  int64_t samples = 2;
  const auto growing = [&samples] { return random_data(2, 1, samples++); };
  int64_t val_samples = 1;
  const auto growing_val = [&val_samples] {
    return std::vector<data::DataLoader>(val_samples++, random_data(2, 1, 2));
  };
  TrainerOptions with = options(folder, 3);
  with.reload_dataloaders_every_n_epochs = 1;
  Trainer trainer(with);
  trainer.fit(*ready_model(), growing, growing_val);
  EXPECT_EQ(trainer.batches_done(), 2 + 3 + 4);
  EXPECT_EQ(trainer.num_val_batches(), 6);
}

TEST(TrainerRules, AClassMetricWithoutBatchesIsMissing) {
  const Scratch folder;
  const auto model = ready_model();
  model->metrics = {{"accuracy", MultiClassAccuracy(2)}};
  model->model_algorithm = [](LME&, const data::Batch&) -> std::optional<AlgorithmOutput> {
    return {};
  };
  const auto results =
      Trainer(options(folder, 1)).test(*model, random_data(2, 1, 3), {.verbose = false});
  EXPECT_TRUE(results[0].empty());
}

TEST(TrainerRules, LoggedValuesAreInTheResultsOfATest) {
  struct Logs : Callback {
    void on_test_epoch_end(Trainer& trainer, LME&) override { trainer.log("mine", 4); }
  };
  const Scratch folder;
  const auto model = ready_model();
  model->callbacks = {Logs()};
  Trainer trainer(options(folder, 1, 0));
  const auto results = trainer.test(*model, random_data(2, 1, 3), {.verbose = false});
  EXPECT_EQ(results[0]["mine"], 4);
  EXPECT_EQ(trainer.callback_metrics()["mine"], 4);
  EXPECT_EQ(column(version_0(folder) + "test_metrics.csv", "mine"),
            std::vector<std::string>{"4.0"});
}

TEST(TrainerRules, LoggingHasLightningsDefaults) {
  struct Logs : Callback {
    void on_train_batch_start(Trainer& trainer, LME&, const data::Batch&, int64_t batch) override {
      trainer.log("in_steps", static_cast<double>(batch));
      trainer.log("both", static_cast<double>(batch), {.on_epoch = true});
    }
    void on_train_epoch_end(Trainer& trainer, LME&) override { trainer.log("at_end", 7); }
  };
  const Scratch folder;
  const auto model = ready_model();
  model->callbacks = {Logs()};
  TrainerOptions with = options(folder, 1, 0);
  with.log_every_n_steps = 2;
  Trainer trainer(with);
  trainer.fit(*model, random_data(2, 1, 15, 4));  // batches of 4, 4, 4, 3
  const std::string path = version_0(folder) + "metrics.csv";
  EXPECT_EQ(column(path, "in_steps"), (std::vector<std::string>{"1.0", "3.0", ""}));
  EXPECT_EQ(column(path, "both_step"), (std::vector<std::string>{"1.0", "3.0", ""}));
  EXPECT_EQ(std::stod(column(path, "both_epoch")[2]), (0 * 4 + 1 * 4 + 2 * 4 + 3 * 3) / 15.0);
  EXPECT_EQ(column(path, "at_end"), (std::vector<std::string>{"", "", "7.0"}));
}

TEST(TrainerRules, CountersStayInATest) {
  const Scratch folder;
  const auto model = ready_model();
  Trainer trainer(options(folder, 2));
  trainer.fit(*model, random_data(2, 1, 3));
  trainer.test(*model, random_data(2, 1, 3), {.verbose = false});
  EXPECT_EQ(trainer.global_step(), 6);
  EXPECT_EQ(trainer.current_epoch(), 2);
}

TEST(TrainerRules, TheLastBatchIsKnownFromItsStart) {
  struct Asks : Callback {
    explicit Asks(std::string* answers) : answers(answers) {}
    void on_train_batch_start(Trainer& trainer, LME&, const data::Batch&, int64_t) override {
      *answers += trainer.is_last_batch() ? "S" : "s";
    }
    void on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                            int64_t) override {
      *answers += trainer.is_last_batch() ? "E" : "e";
    }
    std::string* answers;
  };
  const Scratch folder;
  const auto model = ready_model();
  std::string answers;
  model->callbacks = {Asks(&answers)};
  Trainer(options(folder, 1)).fit(*model, random_data(2, 1, 3));
  EXPECT_EQ(answers, "seseSE");
}

TEST(TrainerRules, TheEnvironmentGivesDefaults) {
  const auto with_variable = [](const char* name, const char* value, TrainerOptions options) {
    setenv(name, value, 1);
    const TrainerOptions result = checked(std::move(options));
    unsetenv(name);
    return result;
  };
  EXPECT_EQ(with_variable("PL_TRAINER_MAX_EPOCHS", "3", {}).max_epochs, 3);
  EXPECT_EQ(with_variable("PL_TRAINER_MAX_EPOCHS", "3", {.max_epochs = 5}).max_epochs, 5);
  EXPECT_EQ(with_variable("PL_TRAINER_FAST_DEV_RUN", "True", {}).fast_dev_run, 1);
  EXPECT_FALSE(with_variable("PL_TRAINER_LOGGER", "False", {}).logger.is_default());
  EXPECT_TRUE(with_variable("PL_TRAINER_PROFILER", "simple", {}).profiler.get());
  EXPECT_EQ(with_variable("PL_TRAINER_VAL_CHECK_INTERVAL", "0.5", {}).val_check_interval.value(),
            0.5);
  setenv("PL_TRAINER_MAX_EPOCHS", "many", 1);
  const std::string error = error_of<std::invalid_argument>([] { checked({}); });
  unsetenv("PL_TRAINER_MAX_EPOCHS");
  EXPECT_TRUE(error.starts_with("PL_TRAINER_MAX_EPOCHS=many: ")) << error;
}

TEST(TrainerRules, ACheckpointThatDoesNotFitChangesNothing) {
  const Scratch folder;
  const auto saved = ready_model();
  saved->scheduler = {optim::StepLR(saved->optimizer, {.step_size = 1, .gamma = 0.5})};
  Trainer(options(folder, 3, 0)).fit(*saved, random_data(2, 1, 10));
  const std::string path = version_0(folder) + "checkpoints/last.ckpt";

  const auto other = ready_model();
  other->scheduler = {optim::ExponentialLR(other->optimizer, 0.9)};
  const Tensor before = other->parameters()[0].detach().clone();
  EXPECT_THROW(other->load_from_checkpoint(path), std::invalid_argument);
  EXPECT_THROW(
      Trainer(options(folder, 5)).fit(*other, random_data(2, 1, 10), {}, {.ckpt_path = path}),
      std::invalid_argument);
  EXPECT_EQ(other->optimizer->lr(), 0.01);
  EXPECT_TRUE((other->parameters()[0] == before).all().item<bool>());
}

TEST(TrainerRules, ALossOfSeveralNumbersIsRefused) {
  const Scratch folder;
  for (const int64_t accumulate : {1, 2}) {
    const auto model = ready_model();
    model->criterion_fn = [](auto& y, auto& gt) { return (y - gt).pow(2); };
    TrainerOptions with = options(folder, 1);
    with.accumulate_grad_batches = accumulate;
    const std::string error = error_of<std::invalid_argument>(
        [&] { Trainer(with).fit(*model, random_data(2, 1, 10, 5)); });
    EXPECT_NE(error.find("[5, 1], one number is needed"), std::string::npos) << error;
  }
}

TEST(TrainerRules, HooksThatDrawDoNotChangeAResumedRun) {
  struct Draws : Callback {
    void on_train_start(Trainer&, LME&) override { randn({3}); }
  };
  const Scratch folder;
  const auto run = [&](LME& model, int64_t epochs, const std::string& ckpt_path) {
    model.callbacks = {Draws()};
    Trainer(options(folder, epochs, epochs))
        .fit(model, random_data(2, 1, 10), {}, {.ckpt_path = ckpt_path});
    return randn({4});
  };
  manual_seed(5);
  const auto first = ready_model(), second = ready_model();
  run(*first, 1, "");
  const std::string path = folder / "lightning_logs/version_1/checkpoints/last.ckpt";
  const Tensor a = run(*second, 2, path), b = run(*second, 3, path);
  EXPECT_TRUE((a == b).all().item<bool>());
}

}  // namespace
}  // namespace levin::port

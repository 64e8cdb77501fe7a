// Runs that go on from a checkpoint.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <levin/train/files/text.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>

#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

// All that a run leaves, but for times and paths.
struct Result {
  std::vector<double> parameters;
  std::string csv, metadata, plots;
};

// The parts of fit_metadata.json that do not depend on the clock and the folder.
std::string lasting(const std::string& text) {
  nlohmann::ordered_json metadata = nlohmann::ordered_json::parse(text);
  for (const char* key :
       {"fit_start_timestamp", "fit_start_date", "epoch_timestamps", "epoch_average_duration",
        "fit_end_timestamp", "fit_end_date", "fit_duration", "run_command"})
    metadata.erase(key);
  metadata["best_model"].erase("path");
  return metadata.dump(1);
}

// Trains to `epochs`, from `ckpt_path` where given.
Result trained(const std::string& folder, int64_t epochs, const std::string& ckpt_path,
               uint64_t program_seed) {
  manual_seed(program_seed);
  LME model(nn::Sequential(nn::Linear(5, 7), nn::Tanh(), nn::Linear(7, 10)));
  make_seed(model);
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.05, .momentum = 0.9});
  model.hparams["lr"] = 0.05;
  model.model_algorithm = [](LME& model, const data::Batch& batch) {
    // The default generator's state is part of a run.
    const Tensor noise = (randn({1}) * 0.01).to(batch[0].device());
    return plain_algorithm(model, {batch[0] + noise, batch[1]});
  };
  struct MidEpoch : Callback {
    explicit MidEpoch(std::string path) : path(std::move(path)) {}
    void on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                            int64_t batch) override {
      if (trainer.current_epoch() == 2 && batch == 3) trainer.save_checkpoint(path + "training");
    }
    void on_validation_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                                 int64_t batch, int64_t) override {
      if (trainer.current_epoch() == 2 && batch == 1) trainer.save_checkpoint(path + "validating");
    }
    std::string path;
  };
  model.callbacks = {MidEpoch(folder + "/"), PlotMetrics()};
  Trainer trainer(quiet(folder, epochs));
  trainer.fit(model, normal_loader(75, 5, 10, {.batch_size = 10, .shuffle = true}),
              normal_loader(30, 5, 10, {.batch_size = 10}, 8), {.ckpt_path = ckpt_path});
  EXPECT_EQ(trainer.current_epoch(), epochs);
  const Checkpoint last = load_checkpoint_file(trainer.log_dir() + "/checkpoints/last.ckpt");
  return {parameters_of(model), read_whole(trainer.log_dir() + "/metrics.csv"),
          lasting(read_whole(trainer.log_dir() + "/fit_metadata.json")),
          to_json(last.state.at("callbacks").at("PlotMetrics"), 1, NonFinite::text)};
}

void expect_equal(const Result& got, const Result& expected) {
  EXPECT_EQ(got.parameters, expected.parameters);
  EXPECT_EQ(got.csv, expected.csv);
  EXPECT_EQ(got.metadata, expected.metadata);
  EXPECT_EQ(got.plots, expected.plots);
}

TEST(Resume, AResumedRunEqualsAnUninterruptedOneBitForBit) {
  const Scratch straight, resumed;
  const Result whole = trained(straight.path(), 5, "", 11);
  trained(resumed.path(), 3, "", 11);
  const std::string run = resumed / "lightning_logs/version_0/checkpoints/";
  expect_equal(trained(resumed.path(), 5, run + "last.ckpt", 99), whole);
  // From within epoch 2. A run's other files are looked for two folders above a checkpoint.
  for (const char* stage : {"training", "validating"}) {
    std::filesystem::copy(straight / stage, run + stage);
    expect_equal(trained(resumed.path(), 5, run + stage, 99), whole);
  }
}

TEST(Resume, ARunThatIsDoneEndsAtOnce) {
  const Scratch folder;
  LME model(nn::Linear(5, 10));
  make_seed(model);
  const auto loader = normal_loader(20, 5, 10);
  Trainer(quiet(folder.path(), 3)).fit(model, loader, loader);
  const std::vector<double> before = parameters_of(model);
  const std::string last = folder / "lightning_logs/version_0/checkpoints/last.ckpt";
  for (const int64_t epochs : {2, 3}) {
    Trainer(quiet(folder.path(), epochs)).fit(model, loader, loader, {.ckpt_path = last});
    EXPECT_EQ(parameters_of(model), before);
  }
  EXPECT_EQ(error_of<std::invalid_argument>([&] {
              Trainer(quiet(folder.path(), 1)).fit(model, loader, {}, {.ckpt_path = last});
            }),
            "You restored a checkpoint with current_epoch=2, but you have set "
            "Trainer(max_epochs=1).");
}

TEST(Resume, TheUsersHparamsStand) {
  const Scratch folder;
  LME model(nn::Linear(5, 10));
  make_seed(model);
  model.hparams["lr"] = 0.1;
  model.hparams["old"] = 1;
  const auto loader = normal_loader(20, 5, 10);
  Trainer(quiet(folder.path(), 1)).fit(model, loader);
  LME other(nn::Linear(5, 10));
  make_seed(other);
  other.hparams["lr"] = 0.5;
  Trainer(quiet(folder.path(), 2))
      .fit(other, loader, {},
           {.ckpt_path = folder / "lightning_logs/version_0/checkpoints/last.ckpt"});
  EXPECT_EQ(other.hparams.at("lr").as_real(), 0.5);
  EXPECT_EQ(other.hparams.at("old").as_integer(), 1);
}

TEST(Defects, Q42_WeightsAloneCannotBeResumedAndFullBestOnesCan) {
  const Scratch folder;
  const auto loader = normal_loader(20, 5, 10);
  for (const bool weights_only : {true, false}) {
    LME model(nn::Linear(5, 10));
    make_seed(model);
    model.save_weights_only_monitor_ckpts = weights_only;
    Trainer trainer(quiet(folder.path(), 1)), next(quiet(folder.path(), 2));
    trainer.fit(model, loader);
    const std::string best = trainer.best_checkpoint()->best_model_path();
    const std::string error =
        error_of<std::invalid_argument>([&] { next.fit(model, loader, {}, {.ckpt_path = best}); });
    EXPECT_EQ(error.find("holds weights only") != std::string::npos, weights_only) << error;
    EXPECT_EQ(error.find("last.ckpt") != std::string::npos, weights_only) << error;
    EXPECT_EQ(next.current_epoch(), weights_only ? 0 : 2);
  }
}

TEST(Defects, Q14_ARunWithFewerMetricsGoesOn) {
  const Scratch folder;
  const auto loader = normal_loader(20, 5, 10);
  LME model(nn::Linear(5, 10));
  make_seed(model);
  Trainer(quiet(folder.path(), 1)).fit(model, loader, loader);
  model.metrics = {};
  Trainer next(quiet(folder.path(), 2));
  next.fit(model, loader, {},
           {.ckpt_path = folder / "lightning_logs/version_0/checkpoints/last.ckpt"});
  const std::string csv = read_whole(next.log_dir() + "/metrics.csv");
  const std::string old = read_whole(folder / "lightning_logs/version_0/metrics.csv");
  EXPECT_TRUE(csv.starts_with(old)) << csv;
  const std::string row = csv.substr(old.size());
  EXPECT_TRUE(std::regex_match(row, std::regex(",1,,[0-9.]+,3,,,\r\n"))) << row;
}

TEST(Defects, Q29_WithoutALoggerARunGoesOn) {
  const Scratch folder;
  const auto loader = normal_loader(20, 5, 10);
  const auto fitted = [&](int64_t epochs, const std::string& ckpt_path) {
    manual_seed(2);
    LME model(nn::Linear(5, 10));
    make_seed(model);
    TrainerOptions options = quiet(folder.path(), epochs);
    options.logger = false;
    options.default_root_dir = folder.path();
    Trainer trainer(options);
    trainer.fit(model, loader, loader, {.ckpt_path = ckpt_path});
    EXPECT_EQ(trainer.current_epoch(), epochs);
    return parameters_of(model);
  };
  const std::vector<double> whole = fitted(2, "");
  std::filesystem::remove_all(folder / "checkpoints");
  fitted(1, "");
  EXPECT_EQ(fitted(2, folder / "checkpoints/last.ckpt"), whole);
}

TEST(Resume, AFailedStartLeavesTheRunBeforeAlone) {
  const Scratch folder;
  LME model(nn::Linear(5, 10));
  make_seed(model);
  const auto loader = normal_loader(20, 5, 10);
  Trainer trainer(quiet(folder.path(), 1));
  trainer.fit(model, loader);
  const std::string metadata = folder / "lightning_logs/version_0/fit_metadata.json";
  const std::string before = read_whole(metadata);
  EXPECT_THROW(trainer.fit(model, loader, {}, {.ckpt_path = folder / "none.ckpt"}),
               std::runtime_error);
  EXPECT_EQ(read_whole(metadata), before);
}

TEST(Resume, WhatLevinDoesNotKnowIsKept) {
  const Scratch folder;
  LME model(nn::Linear(5, 10));
  make_seed(model);
  const auto loader = normal_loader(20, 5, 10);
  Trainer(quiet(folder.path(), 1)).fit(model, loader);
  const std::string checkpoints = folder / "lightning_logs/version_0/checkpoints/";
  Checkpoint last = load_checkpoint_file(checkpoints + "last.ckpt");
  last.state["from_the_future"]["a"] = 0.1;
  last.tensors.emplace_back("from_the_future.b", ones({2}));
  save_checkpoint_file(checkpoints + "future.ckpt", last);
  Trainer(quiet(folder.path(), 2))
      .fit(model, loader, {}, {.ckpt_path = checkpoints + "future.ckpt"});
  const Checkpoint saved =
      load_checkpoint_file(folder / "lightning_logs/version_1/checkpoints/last.ckpt");
  EXPECT_EQ(saved.state.at("from_the_future"), last.state.at("from_the_future"));
  EXPECT_EQ(saved.with_prefix("from_the_future.").size(), 1);
}

}  // namespace
}  // namespace levin

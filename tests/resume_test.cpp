// Runs that go on from a checkpoint.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>

#include <filesystem>

#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

// Trains to `epochs`, from `ckpt_path` where given; returns parameters and the text of metrics.csv.
std::pair<std::vector<double>, std::string> trained(const std::string& folder, int64_t epochs,
                                                    const std::string& ckpt_path,
                                                    uint64_t program_seed) {
  manual_seed(program_seed);
  LME model(nn::Sequential(nn::Linear(5, 7), nn::Tanh(), nn::Linear(7, 10)));
  make_seed(model);
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.05, .momentum = 0.9});
  model.hparams["lr"] = 0.05;
  model.model_algorithm = [](LME& model, const data::Batch& batch) {
    const Tensor noise = randn({1}) * 0.01;  // the default generator's state is part of a run
    return plain_algorithm(model, {batch[0] + noise, batch[1]});
  };
  struct MidEpoch : Callback {
    explicit MidEpoch(std::string path) : path(std::move(path)) {}
    void on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                            int64_t batch) override {
      if (trainer.current_epoch() == 2 && batch == 3) trainer.save_checkpoint(path);
    }
    std::string path;
  };
  model.callbacks = {MidEpoch(folder + "/middle.ckpt"), PlotMetrics()};
  Trainer trainer(quiet(folder, epochs));
  trainer.fit(model, normal_loader(75, 5, 10, {.batch_size = 10, .shuffle = true}),
              normal_loader(30, 5, 10, {.batch_size = 10}, 8), {.ckpt_path = ckpt_path});
  EXPECT_EQ(trainer.current_epoch(), epochs);
  return {parameters_of(model), read_whole(trainer.log_dir() + "/metrics.csv")};
}

TEST(Resume, AResumedRunEqualsAnUninterruptedOneBitForBit) {
  const Scratch straight, resumed;
  const auto whole = trained(straight.path(), 5, "", 11);
  trained(resumed.path(), 3, "", 11);
  const std::string last = resumed / "lightning_logs/version_0/checkpoints/last.ckpt";
  const auto from_end = trained(resumed.path(), 5, last, 99);
  EXPECT_EQ(from_end.first, whole.first);
  EXPECT_EQ(from_end.second, whole.second);

  // From the middle of epoch 2. A checkpoint's run folder is two levels up: here that has no csv.
  const std::string middle = resumed / "lightning_logs/version_0/checkpoints/middle.ckpt";
  std::filesystem::copy(resumed / "middle.ckpt", middle);
  const auto from_middle = trained(resumed.path(), 5, middle, 99);
  EXPECT_EQ(from_middle.first, whole.first);
  EXPECT_EQ(from_middle.second, whole.second);
}

TEST(Resume, WeightsAloneCannotBeResumed) {  // Q42
  const Scratch folder;
  LME model(nn::Linear(5, 10));
  make_seed(model);
  const auto loader = normal_loader(20, 5, 10);
  Trainer trainer(quiet(folder.path(), 1));
  trainer.fit(model, loader);
  const std::string best = trainer.best_checkpoint()->best_model_path();
  const std::string error = error_of<std::invalid_argument>(
      [&] { Trainer(quiet(folder.path(), 2)).fit(model, loader, {}, {.ckpt_path = best}); });
  EXPECT_NE(error.find("holds weights only"), std::string::npos) << error;
  EXPECT_NE(error.find("last.ckpt"), std::string::npos) << error;
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

// A trainer in the wrong hands: wrong use, failures, what a hook may do.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <levin/train/callbacks/metadata.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

using Lines = std::vector<std::string>;

template <class E>
std::string fit_error(LME& model, const Scratch& folder) {
  return error_of<E>([&] {
    Trainer(quiet(folder.path(), 1)).fit(model, normal_loader(20, 5, 10), normal_loader(20, 5, 10));
  });
}

TEST(Trainer, WrongUseIsNamed) {
  const Scratch folder;
  LME model(nn::Sequential(nn::Linear(5, 8), nn::ReLU(), nn::Linear(9, 10)));
  EXPECT_EQ(fit_error<std::invalid_argument>(model, folder).substr(0, 24),
            "No optimizer was set: us");
  model.optimizer = optim::SGD(model.parameters());
  EXPECT_EQ(fit_error<std::logic_error>(model, folder),
            "Use model.model_algorithm=xxx to define your forward & metrics function");
  model.model_algorithm = plain_algorithm;
  EXPECT_EQ(fit_error<std::invalid_argument>(model, folder),
            "model.2 (Linear 9 -> 10): linear: input [10, 8] and weight [10, 9]: the input's last "
            "size must be the weight's");

  LME linear(nn::Linear(5, 10));
  linear.optimizer = optim::SGD(linear.parameters());
  linear.model_algorithm = plain_algorithm;
  EXPECT_EQ(fit_error<std::logic_error>(linear, folder),
            "No criterion fn was implemented. Use model.criterion_fn=XXX or a different "
            "model.model_algorithm that includes a loss function");
  linear.criterion_fn = [](auto& y, auto& gt) { return mse_loss(y, gt); };
  linear.model_algorithm = [](LME& model, const data::Batch& batch) {
    AlgorithmOutput output = plain_algorithm(model, batch);
    output.metrics["lala"] = 1.0;
    return output;
  };
  EXPECT_EQ(fit_error<std::invalid_argument>(linear, folder),
            "Expected metrics: ['loss'] vs. this batch: ['lala', 'loss']");
  linear.model_algorithm = [](LME& model, const data::Batch& batch) {
    AlgorithmOutput output = plain_algorithm(model, batch);
    output.metrics["loss"] = output.metrics.find("loss")->tensor().detach();
    return output;
  };
  EXPECT_EQ(fit_error<std::invalid_argument>(linear, folder),
            "Loss not set or doesn't require grad");
  linear.model_algorithm = [](LME& model, const data::Batch& batch) {
    AlgorithmOutput output = plain_algorithm(model, batch);
    output.metrics["loss"] = std::nullopt;
    return output;
  };
  EXPECT_EQ(fit_error<std::invalid_argument>(linear, folder), "Loss not set");
  linear.metrics = {{"bad", {[](auto& y, auto&) { return matmul(y, zeros({3, 4})); }, "min"}}};
  linear.model_algorithm = plain_algorithm;
  EXPECT_EQ(fit_error<std::invalid_argument>(linear, folder),
            "bad (metric): matmul: [10, 10] and [3, 4]: inner sizes must be equal");
}

TEST(Trainer, AnUnwritableFolderIsNamed) {
  LME model(nn::Linear(5, 10));
  make_seed(model);
  const std::string error = error_of<std::runtime_error>(
      [&] { Trainer(quiet("/proc/levin", 1)).fit(model, normal_loader(10, 5, 10)); });
  EXPECT_NE(error.find("CSVLogger: the folder '/proc/levin/lightning_logs' cannot be made"),
            std::string::npos)
      << error;
}

TEST(Defects, Q5_AModelCanBeFittedAndTestedAfterAnException) {
  const Scratch folder;
  LME model(nn::Linear(5, 10));
  make_seed(model);
  int calls = 0;
  model.model_algorithm = [&](LME& model, const data::Batch& batch) {
    if (++calls == 17) throw std::runtime_error("out of luck");
    return plain_algorithm(model, batch);
  };
  model.callbacks = {PlotMetrics()};
  Trainer trainer(quiet(folder.path(), 2));
  const auto loader = normal_loader(100, 5, 10);
  EXPECT_EQ(error_of<std::runtime_error>([&] { trainer.fit(model, loader); }), "out of luck");
  const std::string run = folder / "lightning_logs/version_0/";
  EXPECT_NE(read_whole(run + "fit_metadata.json").find("\"status\": \"failed: out of luck\""),
            std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(run + "loss.png"));
  EXPECT_TRUE(std::filesystem::exists(run + "checkpoints/last.ckpt"));
  EXPECT_EQ(trainer.test(model, loader, {.verbose = false}).size(), 1);
  trainer.fit(model, loader);
  EXPECT_EQ(trainer.current_epoch(), 2);
  EXPECT_EQ(read_whole(run + "fit_metadata.json").find("status"), std::string::npos);
}

std::vector<std::string> warnings;

TEST(Defects, Q43_ABadLossIsNotedOnceAndTrainingGoesOn) {  // Q49
  const Scratch folder;
  LME model(nn::Linear(5, 10));
  make_seed(model);
  int calls = 0;
  model.model_algorithm = [&](LME& model, const data::Batch& batch) {
    AlgorithmOutput output = plain_algorithm(model, batch);
    const Tensor loss = output.metrics.find("loss")->tensor();
    if (++calls == 14) output.metrics["loss"] = loss * std::numeric_limits<double>::quiet_NaN();
    return output;
  };
  // The parameters must survive, so the gradient is taken from a healthy loss.
  struct Heal : Callback {
    void on_after_backward(Trainer&, LME& model) override {
      for (const Tensor& p : model.parameters())
        if (std::isnan(p.grad().sum().item())) p.grad().zero_();
    }
  };
  model.callbacks = {Heal()};
  warnings.clear();
  set_log_sink([](LogLevel level, std::string_view message) {
    if (level == LogLevel::warning) warnings.emplace_back(message);
  });
  Trainer trainer(quiet(folder.path(), 3));
  trainer.fit(model, normal_loader(100, 5, 10));
  set_log_sink(nullptr);
  EXPECT_EQ(warnings, (Lines{"the training loss is not finite from epoch 1, batch 3 on. Training "
                             "goes on."}));
  const std::string csv = read_whole(folder / "lightning_logs/version_0/metrics.csv");
  EXPECT_NE(csv.find(",nan,19\r\n"), std::string::npos) << csv;
  EXPECT_TRUE(std::isfinite(*trainer.callback_metric("loss")));  // the next epoch recovers
  EXPECT_EQ(trainer.current_epoch(), 3);
}

TEST(Trainer, OptionsThatMeanNothingAreRefused) {
  EXPECT_EQ(error_of<std::invalid_argument>([] { Trainer({.max_epochs = -2}); }),
            "`max_epochs` must be a non-negative integer or -1. You passed in -2.");
  LME model(nn::Linear(5, 10));
  make_seed(model);
  const Scratch folder;
  Trainer trainer(quiet(folder.path(), 1));
  trainer.start(model, normal_loader(20, 5, 10));
  EXPECT_THROW(trainer.start(model, normal_loader(20, 5, 10)), std::logic_error);
  EXPECT_THROW(Trainer(quiet(folder.path(), 1)).fit(model, normal_loader(20, 5, 10)),
               std::logic_error);
  EXPECT_THROW(Trainer().save_checkpoint("x"), std::logic_error);
}

TEST(Trainer, ACallbackThatThrowsAnythingLeavesAllUsable) {
  struct Rude : Callback {
    void on_train_start(Trainer&, LME&) override { throw std::runtime_error("no"); }
    void on_exception(Trainer&, LME&, const std::exception&) override { throw 1; }
    void teardown(Trainer&, LME&) override { throw 2; }
  };
  const Scratch folder;
  LME model(nn::Linear(5, 10));
  make_seed(model);
  model.callbacks = {Rude()};
  Trainer trainer(quiet(folder.path(), 1));
  const auto loader = normal_loader(20, 5, 10);
  set_log_sink([](LogLevel, std::string_view) {});
  EXPECT_EQ(error_of<std::runtime_error>([&] { trainer.fit(model, loader); }), "no");
  set_log_sink(nullptr);
  model.callbacks = {};
  trainer.fit(model, loader);
  EXPECT_EQ(trainer.current_epoch(), 1);
}

TEST(Trainer, AModelMayGoAwayInTheMiddleOfARun) {
  const Scratch folder;
  Trainer trainer(quiet(folder.path(), 3));
  {
    LME model(nn::Linear(5, 10));
    make_seed(model);
    trainer.start(model, normal_loader(20, 5, 10));
    trainer.advance();
  }
  EXPECT_FALSE(trainer.advance());
}

TEST(Trainer, AHookMayAssignOtherOptimizers) {
  struct Swap : Callback {
    void on_before_optimizer_step(Trainer& trainer, LME& model, optim::Optimizer&) override {
      if (trainer.batch_idx() == 1) model.optimizer = optim::SGD(model.parameters(), {.lr = 0.25});
    }
  };
  const Scratch folder;
  LME model(nn::Linear(5, 10));
  make_seed(model);
  model.callbacks = {Swap()};
  Trainer(quiet(folder.path(), 1)).fit(model, normal_loader(40, 5, 10));
  EXPECT_EQ(model.optimizer->lr(), 0.25);
}

TEST(Trainer, AUsersCheckpointStandsBesideTheOwnOnes) {  // Q18
  const Scratch folder;
  LME model(nn::Linear(5, 10));
  make_seed(model);
  model.callbacks = {ModelCheckpoint({.filename = "mine", .monitor = "val_l1"})};
  Trainer trainer(quiet(folder.path(), 2));
  trainer.fit(model, normal_loader(20, 5, 10), normal_loader(20, 5, 10));
  EXPECT_EQ(model.metadata_callback()->metadata().at("best_model").at("monitor").as_text(),
            "val_loss");
  EXPECT_TRUE(std::filesystem::exists(trainer.log_dir() + "/checkpoints/mine.ckpt"));
  EXPECT_TRUE(std::filesystem::exists(trainer.log_dir() + "/checkpoints/last.ckpt"));
  model.callbacks = {ModelCheckpoint({.filename = "a"}), ModelCheckpoint({.filename = "a"})};
  EXPECT_NE(
      fit_error<std::invalid_argument>(model, folder).find("two callbacks have the state key"),
      std::string::npos);
}

}  // namespace
}  // namespace levin

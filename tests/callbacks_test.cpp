// The smaller callbacks: learning rates in the log, accumulation by epoch, functions as callbacks.
#include <gtest/gtest.h>
#include <levin/tensor/file.h>

#include <filesystem>
#include <map>
#include <set>

#include "callback_run.h"
#include "port.h"

namespace levin {
namespace {

using Cells = std::vector<std::string>;

// 40 samples in four batches an epoch; two layers, so that there can be several optimizers.
struct Fit {
  Scratch folder;
  LME model{nn::Sequential(nn::Linear(5, 7), nn::Tanh(), nn::Linear(7, 10))};
  TrainerOptions options = quiet(folder.path(), 3);
  std::unique_ptr<Trainer> trainer;

  Fit() { make_seed(model, 0.1); }
  std::vector<Tensor> half(int which) const {
    const std::vector<Tensor> all = model.parameters();
    return {all[2 * which], all[2 * which + 1]};
  }
  void run() {
    trainer = std::make_unique<Trainer>(options);
    trainer->fit(model, normal_loader(40, 5, 10));
  }
  Cells column(const std::string& name) const {
    return port::column(trainer->log_dir() + "/metrics.csv", name);
  }
};

TEST(LearningRateMonitor, EpochsHaveTheRateThatTheyAreTrainedWith) {  // Q32, L2
  Fit fit;
  fit.model.scheduler = {.scheduler =
                             optim::StepLR(fit.model.optimizer, {.step_size = 1, .gamma = 0.5})};
  fit.model.callbacks = {LearningRateMonitor()};
  fit.run();
  EXPECT_EQ(fit.column("lr-SGD"), (Cells{"0.1", "0.05", "0.025"}));
  EXPECT_EQ(fit.column("lr-SGD-1"), Cells{});
  EXPECT_EQ(fit.column("epoch"), (Cells{"0", "1", "2"}));  // the epochs' own rows
  EXPECT_EQ(fit.trainer->callback_metric("lr-SGD"), 0.025);
}

TEST(LearningRateMonitor, OptimizersAndGroupsAreTold) {
  Fit fit;
  const auto first = fit.half(0);
  fit.model.optimizer = {
      optim::AnyOptimizer(optim::SGD({{{first[0]}, {.lr = 0.1, .momentum = 0.9}},
                                      {{first[1]}, {.lr = 0.2, .weight_decay = 0.01}}})),
      optim::AnyOptimizer(optim::SGD({fit.half(1)[0]}, {.lr = 0.3})),
      optim::AnyOptimizer(optim::Adam({fit.half(1)[1]}, {.lr = 0.4}))};
  fit.options.max_epochs = 1;
  fit.model.callbacks = {LearningRateMonitor({.log_momentum = true, .log_weight_decay = true})};
  fit.run();
  const auto rows = port::csv(fit.trainer->log_dir() + "/metrics.csv");
  std::map<std::string, std::string> rates;
  for (std::size_t i = 0; i < rows[0].size(); ++i)
    if (rows[0][i].starts_with("lr-")) rates[rows[0][i]] = rows[1][i];
  EXPECT_EQ(rates, (std::map<std::string, std::string>{{"lr-SGD/pg1", "0.1"},
                                                       {"lr-SGD/pg1-momentum", "0.9"},
                                                       {"lr-SGD/pg1-weight_decay", "0.0"},
                                                       {"lr-SGD/pg2", "0.2"},
                                                       {"lr-SGD/pg2-momentum", "0.0"},
                                                       {"lr-SGD/pg2-weight_decay", "0.01"},
                                                       {"lr-SGD-1", "0.3"},
                                                       {"lr-SGD-1-momentum", "0.0"},
                                                       {"lr-SGD-1-weight_decay", "0.0"},
                                                       {"lr-Adam", "0.4"},
                                                       {"lr-Adam-momentum", "0.9"},
                                                       {"lr-Adam-weight_decay", "0.0"}}));
}

TEST(LearningRateMonitor, SchedulersGiveNamesAndIntervals) {
  Fit fit;
  const optim::AnyOptimizer first = optim::SGD(fit.half(0), {.lr = 1});
  const optim::AnyOptimizer second = optim::SGD(fit.half(1), {.lr = 0.1});
  fit.model.optimizer = {first, second};
  fit.model.scheduler = {
      {.scheduler = optim::StepLR(first, {.step_size = 1, .gamma = 0.5}),
       .interval = "step",
       .name = "warm"},
      {.scheduler = optim::StepLR(second, {.step_size = 1, .gamma = 0.5})},
  };
  fit.options.max_epochs = 2;
  fit.options.log_every_n_steps = 2;
  fit.model.callbacks = {LearningRateMonitor()};
  fit.run();
  // Rows of batches 1 and 3, the epoch, batches 5 and 7, the epoch.
  EXPECT_EQ(fit.column("warm"), (Cells{"0.5", "0.125", "", "0.03125", "0.0078125", ""}));
  EXPECT_EQ(fit.column("step"), (Cells{"1", "3", "3", "5", "7", "7"}));
  EXPECT_EQ(fit.column("lr-SGD"), (Cells{"", "", "0.1", "", "", "0.05"}));

  fit.model.scheduler = {{.scheduler = optim::StepLR(first, {.step_size = 1}), .name = "one"},
                         {.scheduler = optim::StepLR(second, {.step_size = 1}), .name = "one"}};
  EXPECT_THROW(fit.run(), std::invalid_argument);
}

TEST(LearningRateMonitor, ItsIntervalStandsOverThoseOfSchedulers) {
  Fit fit;
  fit.options.max_epochs = 1;
  fit.options.log_every_n_steps = 2;
  fit.model.callbacks = {LearningRateMonitor({.logging_interval = "step"})};
  fit.run();
  EXPECT_EQ(fit.column("lr-SGD"), (Cells{"0.1", "0.1", ""}));
  EXPECT_THROW(LearningRateMonitor({.logging_interval = "day"}), std::invalid_argument);
}

TEST(LearningRateMonitor, NeedsALogger) {
  Fit fit;
  fit.model.callbacks = {LearningRateMonitor()};
  fit.options.logger = false;
  fit.options.enable_checkpointing = false;
  EXPECT_EQ(error_of<std::invalid_argument>([&] { fit.run(); }),
            "LearningRateMonitor (callback): Cannot use `LearningRateMonitor` callback with "
            "`Trainer` that has no logger.");
  fit.options.fast_dev_run = 1;
  fit.run();
}

TEST(GradientAccumulationScheduler, SetsTheBatchesOfAnUpdateByEpoch) {
  Fit fit;
  std::vector<int64_t> steps;
  fit.model.callbacks = {GradientAccumulationScheduler({{1, 2}, {2, 4}}),
                         LambdaCallback({.on_train_epoch_end = [&](Trainer& trainer, LME&) {
                           steps.push_back(trainer.global_step());
                         }})};
  fit.run();
  EXPECT_EQ(steps, (std::vector<int64_t>{4, 6, 7}));

  fit.options.accumulate_grad_batches = 2;
  EXPECT_THROW(fit.run(), std::invalid_argument);
  EXPECT_THROW(GradientAccumulationScheduler({}), std::invalid_argument);
  EXPECT_THROW(GradientAccumulationScheduler({{-1, 2}}), std::invalid_argument);
  EXPECT_THROW(GradientAccumulationScheduler({{0, 0}}), std::invalid_argument);
  EXPECT_THROW(GradientAccumulationScheduler({{0, 1}, {0, 2}}), std::invalid_argument);
}

TEST(LambdaCallback, CallsTheFunctionOfEachHook) {
  std::vector<std::string> calls;
  const auto plain = [&](const char* name) {
    return [&calls, name](Trainer&, LME&) { calls.push_back(name); };
  };
  const auto start = [&](const char* name) {
    return [&calls, name](Trainer&, LME&, const data::Batch&, int64_t, int64_t) {
      calls.push_back(name);
    };
  };
  const auto end = [&](const char* name) {
    return [&calls, name](Trainer&, LME&, const AlgorithmOutput* output, const data::Batch&,
                          int64_t, int64_t) {
      EXPECT_TRUE(output);
      calls.push_back(name);
    };
  };
  const auto of_optimizer = [&](const char* name) {
    return [&calls, name](Trainer&, LME&, optim::Optimizer&) { calls.push_back(name); };
  };
  Fit fit;
#define LEVIN_PLAIN(name) .name = plain(#name)
#define LEVIN_EVALUATION(kind)                                                  \
  LEVIN_PLAIN(on_##kind##_start), LEVIN_PLAIN(on_##kind##_end),                 \
      LEVIN_PLAIN(on_##kind##_epoch_start), LEVIN_PLAIN(on_##kind##_epoch_end), \
      .on_##kind##_batch_start = start("on_" #kind "_batch_start"),             \
      .on_##kind##_batch_end = end("on_" #kind "_batch_end")
  fit.model.callbacks = {LambdaCallback({
      LEVIN_PLAIN(setup),
      LEVIN_PLAIN(teardown),
      LEVIN_PLAIN(on_fit_start),
      LEVIN_PLAIN(on_fit_end),
      LEVIN_PLAIN(on_sanity_check_start),
      LEVIN_PLAIN(on_sanity_check_end),
      LEVIN_PLAIN(on_train_start),
      LEVIN_PLAIN(on_train_end),
      LEVIN_PLAIN(on_train_epoch_start),
      LEVIN_PLAIN(on_train_epoch_end),
      .on_train_batch_start = [&](Trainer&, LME&, const data::Batch&,
                                  int64_t) { calls.push_back("on_train_batch_start"); },
      .on_train_batch_end = [&](Trainer&, LME&, const AlgorithmOutput*, const data::Batch&,
                                int64_t) { calls.push_back("on_train_batch_end"); },
      LEVIN_EVALUATION(validation),
      LEVIN_EVALUATION(test),
      LEVIN_EVALUATION(predict),
      .on_before_zero_grad = of_optimizer("on_before_zero_grad"),
      .on_before_backward = [&](Trainer&, LME&,
                                const Tensor&) { calls.push_back("on_before_backward"); },
      LEVIN_PLAIN(on_after_backward),
      .on_before_optimizer_step = of_optimizer("on_before_optimizer_step"),
      LEVIN_PLAIN(on_epoch_logged),
      .on_exception = [&](Trainer&, LME&,
                          const std::exception&) { calls.push_back("on_exception"); },
      .on_save_checkpoint = [&](Trainer&, LME&, Value&) { calls.push_back("on_save_checkpoint"); },
      .on_load_checkpoint = [&](Trainer&, LME&,
                                const Value&) { calls.push_back("on_load_checkpoint"); },
  })};
#undef LEVIN_EVALUATION
#undef LEVIN_PLAIN
  const auto loader = normal_loader(20, 5, 10);
  fit.options.max_epochs = 1;
  Trainer trainer(fit.options);
  trainer.fit(fit.model, loader, loader);
  trainer.test(fit.model, loader, {.verbose = false});
  trainer.predict(fit.model, loader);
  trainer.validate(fit.model, loader, {.ckpt_path = "last", .verbose = false});
  trainer.fit(fit.model, loader, loader, {.ckpt_path = "last"});
  fit.model.model_algorithm = [](LME&, const data::Batch&) -> std::optional<AlgorithmOutput> {
    throw std::runtime_error("on purpose");
  };
  EXPECT_THROW(trainer.fit(fit.model, loader), std::runtime_error);
  EXPECT_EQ(std::set<std::string>(calls.begin(), calls.end()).size(), 38);
  const Cells first(calls.begin(), calls.begin() + 6);
  EXPECT_EQ(first, (Cells{"setup", "on_fit_start", "on_sanity_check_start", "on_validation_start",
                          "on_validation_epoch_start", "on_validation_batch_start"}));
}

TEST(LambdaCallback, OneOfTheModelReplacesNoneOfTheTrainer) {
  Fit fit;
  int calls = 0;
  const auto counting = [&] {
    return LambdaCallback({.on_fit_start = [&](Trainer&, LME&) { ++calls; }});
  };
  fit.model.callbacks = {counting(), counting()};
  fit.options.callbacks = {counting()};
  fit.options.max_epochs = 1;
  fit.run();
  EXPECT_EQ(calls, 3);
}

TEST(Metadata, CountsAreIntegers) {
  MetadataCallback metadata;
  metadata.log_epoch_metric("counts", 0, tensor({3, 4}));
  metadata.log_epoch_metric("mean", 0, tensor({3.0}));
  const Value& epochs = metadata.metadata().at("epoch_metrics");
  EXPECT_EQ(epochs.at("counts").at("0"), Value(Value::List{3, 4}));
  EXPECT_EQ(epochs.at("mean").at("0"), Value(Value::List{3.0}));
}

TEST(RemovePreviousTrainArtifacts, LeavesTheNewestEventFile) {
  Fit fit;
  fit.options.logger = CSVLogger(fit.folder.path(), {.version = 3});
  const std::string dir = fit.folder / "lightning_logs/version_3/";
  std::filesystem::create_directories(dir);
  for (const char* name :
       {"events.out.tfevents.1", "events.out.tfevents.3", "events.out.tfevents.2", "other.txt"})
    write_whole(dir + name, "x");
  fit.model.callbacks = {RemovePreviousTrainArtifacts()};
  fit.options.max_epochs = 1;
  const LogLines lines;
  fit.run();
  EXPECT_FALSE(std::filesystem::exists(dir + "events.out.tfevents.1"));
  EXPECT_FALSE(std::filesystem::exists(dir + "events.out.tfevents.2"));
  EXPECT_TRUE(std::filesystem::exists(dir + "events.out.tfevents.3"));
  EXPECT_TRUE(std::filesystem::exists(dir + "other.txt"));
}

}  // namespace
}  // namespace levin

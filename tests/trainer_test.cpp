// The fit loop: order of hooks, slices, failures, resuming.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <levin/train/callbacks/metadata.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

using Lines = std::vector<std::string>;

// The hooks that callbacks and models both have: X(name, arguments..).
#define LEVIN_HOOKS(X)                                                            \
  X(setup)                                                                        \
  X(teardown)                                                                     \
  X(on_fit_start)                                                                 \
  X(on_fit_end)                                                                   \
  X(on_train_start)                                                               \
  X(on_train_end)                                                                 \
  X(on_train_epoch_start)                                                         \
  X(on_train_epoch_end)                                                           \
  X(on_validation_start)                                                          \
  X(on_validation_end)                                                            \
  X(on_validation_epoch_start)                                                    \
  X(on_validation_epoch_end)                                                      \
  X(on_after_backward)                                                            \
  X(on_train_batch_start, const data::Batch&, int64_t)                            \
  X(on_train_batch_end, const AlgorithmOutput*, const data::Batch&, int64_t)      \
  X(on_validation_batch_start, const data::Batch&, int64_t)                       \
  X(on_validation_batch_end, const AlgorithmOutput*, const data::Batch&, int64_t) \
  X(on_before_zero_grad, optim::Optimizer&)                                       \
  X(on_before_backward, const Tensor&)                                            \
  X(on_before_optimizer_step, optim::Optimizer&)                                  \
  X(on_save_checkpoint, Value&)                                                   \
  X(on_load_checkpoint, const Value&)

// Writes down its hooks, in the words of reference/lme/hooks.txt.
class Recorder : public Callback {
 public:
  explicit Recorder(std::shared_ptr<Lines> lines) : lines_(std::move(lines)) {}
#define LEVIN_HOOK(name, ...)                                     \
  void name(Trainer&, LME& __VA_OPT__(, ) __VA_ARGS__) override { \
    lines_->push_back("callback." #name);                         \
  }
  LEVIN_HOOKS(LEVIN_HOOK)
  LEVIN_HOOK(on_sanity_check_start)
  LEVIN_HOOK(on_sanity_check_end)
#undef LEVIN_HOOK

 private:
  std::shared_ptr<Lines> lines_;
};

class RecordingModel : public LME {
 public:
  explicit RecordingModel(std::shared_ptr<Lines> lines) : LME(nn::Linear(5, 10)), lines_(lines) {
    make_seed(*this);
    model_algorithm = [lines](LME& model, const data::Batch& batch) {
      lines->push_back(model.is_training() ? "module.training_step" : "module.validation_step");
      return plain_algorithm(model, batch);
    };
    callbacks = {Recorder(lines)};
  }
#define LEVIN_HOOK(name, ...) \
  void name(__VA_ARGS__) override { lines_->push_back("module." #name); }
  LEVIN_HOOKS(LEVIN_HOOK)
  LEVIN_HOOK(configure_optimizers)
#undef LEVIN_HOOK

 private:
  std::shared_ptr<Lines> lines_;
};
#undef LEVIN_HOOKS

// A section of hooks.txt, which real LME wrote.
Lines expected_hooks(const std::string& title) {
  std::ifstream file(LEVIN_TEST_DIR "/reference/lme/hooks.txt");
  Lines lines;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("# ")) inside = line == "# " + title;
    if (inside && !line.empty() && line[0] != '#') lines.push_back(line);
  }
  return lines;
}

// on_before_zero_grad never fires in LME; it does here.
Lines without_zero_grad(const Lines& lines) {
  Lines result;
  for (const std::string& line : lines)
    if (line.find("on_before_zero_grad") == std::string::npos) result.push_back(line);
  return result;
}

TEST(Trainer, HooksComeInTheOrderOfLME) {
  const Scratch folder;
  const auto lines = std::make_shared<Lines>();
  RecordingModel model(lines);
  const auto train = normal_loader(20, 5, 10), val = normal_loader(20, 5, 10);
  Trainer(quiet(folder.path(), 1)).fit(model, train, val);
  EXPECT_EQ(without_zero_grad(*lines),
            expected_hooks("fit, 1 epoch of 2 batches, validation of 2 batches"));
  EXPECT_EQ(lines->size() - without_zero_grad(*lines).size(), 4);

  lines->clear();
  const std::string last = folder / "lightning_logs/version_0/checkpoints/last.ckpt";
  Trainer(quiet(folder.path(), 2)).fit(model, train, val, {.ckpt_path = last});
  EXPECT_EQ(without_zero_grad(*lines), expected_hooks("fit to 2 epochs from last.ckpt"));

  lines->clear();
  Trainer(quiet(folder.path(), 1)).fit(model, train);
  EXPECT_EQ(without_zero_grad(*lines), expected_hooks("fit without validation"));
}

TEST(Trainer, CallbacksKeepTheUsersOrder) {
  struct Named : Callback {
    Named(std::string name, Lines* lines) : name(std::move(name)), lines(lines) {}
    void on_fit_start(Trainer&, LME&) override { lines->push_back(name); }
    std::string name;
    Lines* lines;
  };
  const Scratch folder;
  Lines lines;
  LME model(nn::Linear(5, 10));
  make_seed(model);
  model.callbacks = {Named("z", &lines), Named("a", &lines), Named("m", &lines)};
  Trainer(quiet(folder.path(), 1)).fit(model, normal_loader(10, 5, 10));
  EXPECT_EQ(lines, (Lines{"z", "a", "m"}));
}

TEST(Trainer, SlicesGiveTheSameBitsAsOneFit) {
  const Scratch folder;
  const auto train = normal_loader(50, 5, 10, {.batch_size = 10, .shuffle = true, .seed = 3});
  std::vector<std::vector<double>> results;
  for (const bool slices : {false, true}) {
    manual_seed(1);
    LME model(nn::Linear(5, 10));
    make_seed(model);
    Trainer trainer(quiet(folder.path(), 3));
    if (slices) {
      trainer.start(model, train, train);
      int count = 0;
      while (trainer.run_for(std::chrono::nanoseconds(1))) ++count;
      EXPECT_GT(count, 30);
    } else {
      trainer.fit(model, train, train);
    }
    EXPECT_EQ(trainer.current_epoch(), 3);
    EXPECT_EQ(trainer.global_step(), 15);
    results.push_back(parameters_of(model));
  }
  EXPECT_EQ(results[0], results[1]);
}

TEST(Trainer, SanityCheckChangesNothing) {  // Q1
  const Scratch folder;
  std::vector<std::vector<double>> results;
  std::vector<double> val_losses;
  for (const int64_t steps : {0, 2, -1}) {
    manual_seed(5);
    LME model(nn::Linear(5, 10));
    make_seed(model);
    TrainerOptions options = quiet(folder.path(), 1);
    options.num_sanity_val_steps = steps;
    Trainer trainer(options);
    trainer.fit(model, normal_loader(30, 5, 10, {.batch_size = 10, .shuffle = true, .seed = 1}),
                normal_loader(30, 5, 10, {.batch_size = 10, .shuffle = true, .seed = 2}, 9));
    val_losses.push_back(*trainer.callback_metric("val_loss"));
    results.push_back(parameters_of(model));
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
  EXPECT_EQ(val_losses[0], val_losses[1]);
  EXPECT_EQ(val_losses[0], val_losses[2]);
}

TEST(Trainer, SkippedBatchesCountAsBatchesOnly) {
  const Scratch folder;
  LME model(nn::Linear(5, 10));
  make_seed(model);
  int calls = 0;
  model.model_algorithm = [&](LME& model,
                              const data::Batch& batch) -> std::optional<AlgorithmOutput> {
    if (calls++ % 2 == 0) return std::nullopt;
    return plain_algorithm(model, batch);
  };
  Trainer trainer(quiet(folder.path(), 1));
  trainer.fit(model, normal_loader(100, 5, 10));
  EXPECT_EQ(calls, 10);
  EXPECT_EQ(trainer.global_step(), 5);
  std::ifstream csv(folder / "lightning_logs/version_0/metrics.csv");
  std::string header, row;
  std::getline(csv, header);
  std::getline(csv, row);
  EXPECT_NE(row.find(",9\r"), std::string::npos) << row;  // step counts all ten
}

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

TEST(Trainer, AModelCanBeFittedAfterAnException) {  // Q5
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
  EXPECT_FALSE(model.has_trainer());
  trainer.fit(model, loader);
  EXPECT_EQ(trainer.current_epoch(), 2);
  EXPECT_EQ(read_whole(run + "fit_metadata.json").find("status"), std::string::npos);
}

std::vector<std::string> warnings;

TEST(Trainer, ABadLossIsNotedOnceAndTrainingGoesOn) {  // Q43, Q49
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

TEST(Trainer, SparseValidationLeavesCellsEmpty) {
  const Scratch folder;
  LME model(nn::Linear(5, 10));
  make_seed(model);
  TrainerOptions options = quiet(folder.path(), 3);
  options.check_val_every_n_epoch = 2;
  Trainer(options).fit(model, normal_loader(20, 5, 10), normal_loader(20, 5, 10));
  const std::string csv = read_whole(folder / "lightning_logs/version_0/metrics.csv");
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  for (const bool validated : {false, true, false}) {
    std::getline(lines, line);
    EXPECT_EQ(line.ends_with(",,,\r"), !validated) << line;
  }
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

TEST(Trainer, TheSanityCheckDrawsNoNumbers) {
  struct Drawing : data::Dataset {
    int64_t size() const override { return 30; }
    data::Batch get(int64_t, Generator&) const override { return {}; }
    data::Batch get_batch(const Tensor& index) const override {
      return {randn({index.numel(), 5}), randn({index.numel(), 10})};
    }
  };
  struct DrawingHooks : Callback {
    void on_validation_start(Trainer& trainer, LME&) override {
      if (trainer.stage() == Stage::sanity_check) randn({3});
    }
  };
  std::vector<std::vector<double>> results;
  for (const int64_t steps : {0, 2}) {
    const Scratch folder;
    manual_seed(1);
    LME model(nn::Linear(5, 10));
    make_seed(model);
    model.callbacks = {DrawingHooks()};
    TrainerOptions options = quiet(folder.path(), 1);
    options.num_sanity_val_steps = steps;
    Trainer(options).fit(model, {Drawing(), {.batch_size = 10}}, {{Drawing(), {.batch_size = 10}}});
    results.push_back(parameters_of(model));
  }
  EXPECT_EQ(results[0], results[1]);
}

TEST(Trainer, ModesOfPartsAreKept) {
  const Scratch folder;
  LME model(nn::Sequential{nn::Linear(5, 7), nn::Tanh(), nn::Linear(7, 10)});
  make_seed(model);
  nn::Module& frozen = *model.base_model().named_children()[1].second;
  frozen.eval();
  Trainer(quiet(folder.path(), 1)).fit(model, normal_loader(20, 5, 10), normal_loader(20, 5, 10));
  EXPECT_FALSE(frozen.is_training());
  EXPECT_TRUE(model.is_training());
  EXPECT_TRUE(model.base_model().named_children()[0].second->is_training());
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

TEST(Trainer, NothingToDoIsNoError) {
  const Scratch folder;
  const auto lines = std::make_shared<Lines>();
  RecordingModel model(lines);
  Trainer(quiet(folder.path(), 0)).fit(model, normal_loader(20, 5, 10), normal_loader(20, 5, 10));
  EXPECT_EQ(*lines, (Lines{"callback.setup", "module.setup", "module.configure_optimizers",
                           "callback.on_fit_start", "module.on_fit_start", "callback.on_fit_end",
                           "module.on_fit_end", "callback.teardown", "module.teardown"}));
}

}  // namespace
}  // namespace levin

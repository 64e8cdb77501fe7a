// OnExceptionCheckpoint: a run that failed goes on as if it had not.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <levin/train/callbacks/metadata.h>
#include <levin/train/console/log.h>
#include <levin/train/files/text.h>

#include <algorithm>

#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

namespace fs = std::filesystem;

// Where the run fails, once.
struct Fault {
  std::string place;
  int64_t batches_done = 0;
  bool is_over = false;
  void at(const std::string& here, const Trainer& trainer) {
    if (is_over || here != place || trainer.batches_done() != batches_done) return;
    is_over = true;
    throw std::runtime_error("failed: " + here);
  }
};

struct Failing : Callback {
  explicit Failing(Fault& fault) : fault(fault) {}
  void on_train_epoch_start(Trainer& t, LME&) override { fault.at("epoch_start", t); }
  void on_train_batch_start(Trainer& t, LME&, const data::Batch&, int64_t) override {
    fault.at("batch_start", t);
  }
  void on_before_backward(Trainer& t, LME&, const Tensor&) override { fault.at("backward", t); }
  void on_after_backward(Trainer& t, LME&) override { fault.at("after_backward", t); }
  void on_before_optimizer_step(Trainer& t, LME&, optim::Optimizer&) override {
    fault.at("optimizer_step", t);
  }
  void on_train_batch_end(Trainer& t, LME&, const AlgorithmOutput*, const data::Batch&,
                          int64_t) override {
    fault.at("batch_end", t);
  }
  void on_validation_start(Trainer& t, LME&) override {
    if (!t.sanity_checking()) fault.at("validation_start", t);
  }
  void on_validation_epoch_end(Trainer& t, LME&) override {
    if (!t.sanity_checking()) fault.at("validation_epoch_end", t);
  }
  void on_validation_end(Trainer& t, LME&) override {
    if (!t.sanity_checking()) fault.at("validation_end", t);
  }
  void on_train_epoch_end(Trainer& t, LME&) override { fault.at("epoch_end", t); }
  void on_epoch_logged(Trainer& t, LME&) override { fault.at("epoch_logged", t); }
  void on_train_end(Trainer& t, LME&) override { fault.at("train_end", t); }
  Fault& fault;
};

struct Result {
  std::vector<double> parameters;
  std::string csv, lr_history;
};

// 3 epochs of 5 batches, an update every 2; what is drawn, logged and counted all matters.
Result trained(const std::string& folder, Fault& fault, const std::string& ckpt_path = "") {
  manual_seed(3);
  LME model(nn::Sequential(nn::Linear(5, 7), nn::Dropout(0.25), nn::Linear(7, 10)));
  make_seed(model);
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.05, .momentum = 0.9});
  model.scheduler = {.scheduler = optim::StepLR(model.optimizer, {.step_size = 1, .gamma = 0.5})};
  model.model_algorithm = [&](LME& model, const data::Batch& batch) {
    Trainer& trainer = model.trainer();
    const Tensor noise = randn({1}) * 0.01;
    AlgorithmOutput output = plain_algorithm(model, {batch[0] + noise, batch[1]});
    if (!trainer.sanity_checking())
      trainer.log("noise", noise.abs(), {.on_step = false, .on_epoch = true});
    if (trainer.training()) fault.at("algorithm", trainer);
    if (trainer.validating() && trainer.val_batch_idx() == 1) fault.at("validation", trainer);
    return output;
  };
  model.callbacks = {Failing(fault), PlotMetrics(),
                     OnExceptionCheckpoint(folder + "/elsewhere/deep")};
  TrainerOptions options = quiet(folder, 3);
  options.accumulate_grad_batches = 2;
  options.log_every_n_steps = 1;
  Trainer trainer(std::move(options));
  trainer.fit(model, normal_loader(50, 5, 10, {.batch_size = 10, .shuffle = true}),
              normal_loader(30, 5, 10, {.batch_size = 10}, 8), {.ckpt_path = ckpt_path});
  const Value& metadata = model.metadata_callback()->metadata();
  return {parameters_of(model), read_whole(trainer.log_dir() + "/metrics.csv"),
          to_json(metadata.at("optimizer"), -1, NonFinite::text)};
}

struct Quietly {
  Quietly() {
    lines.clear();
    set_log_sink([](LogLevel level, std::string_view line) {
      if (level == LogLevel::warning) lines.emplace_back(line);
    });
  }
  ~Quietly() { set_log_sink(nullptr); }
  static inline std::vector<std::string> lines;
};

TEST(OnExceptionCheckpoint, TheRunGoesOnAsIfItHadNotFailed) {
  Fault none;
  const Scratch straight;
  const Result expected = trained(straight.path(), none);
  EXPECT_FALSE(fs::exists(straight / "elsewhere"));
  const std::vector<std::pair<const char*, int64_t>> places = {
      {"epoch_start", 5},       {"batch_start", 7},
      {"algorithm", 0},         {"algorithm", 6},
      {"algorithm", 8},         {"backward", 8},
      {"after_backward", 6},    {"optimizer_step", 8},
      {"batch_end", 8},         {"batch_end", 10},
      {"validation_start", 10}, {"validation", 10},
      {"validation_end", 10},   {"validation_epoch_end", 10},
      {"epoch_end", 10},        {"epoch_logged", 10},
      {"train_end", 15}};
  for (const auto& [place, batches_done] : places) {
    SCOPED_TRACE(place + std::string(" ") + std::to_string(batches_done));
    const Quietly quietly;
    const Scratch folder;
    const std::string file = folder / "elsewhere/deep/on_exception.ckpt";
    Fault fault{place, batches_done};
    EXPECT_THROW(trained(folder.path(), fault), std::runtime_error);
    ASSERT_TRUE(fault.is_over);
    ASSERT_TRUE(fs::exists(file));
    EXPECT_TRUE(load_checkpoint_file(file).state.at("exact").as_bool());
    const Result got = trained(folder.path(), fault);
    EXPECT_EQ(got.parameters, expected.parameters);
    EXPECT_EQ(got.csv, expected.csv);
    EXPECT_EQ(got.lr_history, expected.lr_history);
    EXPECT_FALSE(fs::exists(file));
  }
}

// A second optimizer fails after the first has stepped.
TEST(OnExceptionCheckpoint, SaysThatABatchWasHalfDone) {
  struct FailsSecond : Callback {
    void on_before_optimizer_step(Trainer& trainer, LME& model,
                                  optim::Optimizer& optimizer) override {
      if (trainer.batches_done() == 3 && &optimizer == model.optimizer.list()[1].get() &&
          !is_over) {
        is_over = true;
        throw std::runtime_error("no");
      }
    }
    bool is_over = false;
  };
  const Scratch folder;
  const auto failing = std::make_shared<FailsSecond>();
  const auto fit = [&] {
    manual_seed(1);
    LME model(nn::Linear(5, 10));
    make_seed(model);
    const std::vector<Tensor> all = model.parameters();
    model.optimizer = {optim::SGD({all[0]}, {.lr = 0.1}), optim::SGD({all[1]}, {.lr = 0.1})};
    model.callbacks = {failing, OnExceptionCheckpoint(folder.path(), "mine")};
    Trainer trainer(quiet(folder.path(), 2));
    trainer.fit(model, normal_loader(50, 5, 10));
    EXPECT_EQ(trainer.global_step(), 10);
  };
  const Quietly quietly;
  EXPECT_THROW(fit(), std::runtime_error);
  const std::string file = folder / "mine.ckpt";
  const Checkpoint saved = load_checkpoint_file(file);
  EXPECT_FALSE(saved.state.at("exact").as_bool());
  EXPECT_EQ(saved.state.at("global_step"), 4);
  EXPECT_EQ(saved.state.at("loops").at("fit_loop").at("batch"), 4);
  Quietly::lines.clear();
  fit();
  const std::string warning =
      "'" + file +
      "' was saved when a batch failed that had begun to change the parameters: the resumed run is "
      "not exact";
  EXPECT_EQ(std::count(Quietly::lines.begin(), Quietly::lines.end(), warning), 1);
  EXPECT_FALSE(fs::exists(file));
}

TEST(OnExceptionCheckpoint, AnInterruptIsOne) {
  const Scratch folder;
  struct Interrupts : Callback {
    void on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                            int64_t) override {
      if (trainer.batches_done() == 3) trainer.interrupt();
    }
  };
  LME model(nn::Linear(5, 10));
  make_seed(model);
  model.callbacks = {Interrupts(), OnExceptionCheckpoint(folder.path())};
  const Quietly quietly;
  Trainer trainer(quiet(folder.path(), 2));
  trainer.fit(model, normal_loader(50, 5, 10));
  EXPECT_EQ(trainer.status(), Status::interrupted);
  const Checkpoint saved = load_checkpoint_file(folder / "on_exception.ckpt");
  EXPECT_EQ(saved.state.at("loops").at("fit_loop").at("batch"), 3);
}

TEST(OnExceptionCheckpoint, WhatFailsBeforeTrainingLeavesTheFile) {
  const Scratch folder;
  write_whole(folder / "on_exception.ckpt", "damaged");
  LME model(nn::Linear(5, 10));
  make_seed(model);
  model.callbacks = {OnExceptionCheckpoint(folder.path())};
  const Quietly quietly;
  EXPECT_THROW(Trainer(quiet(folder.path(), 1)).fit(model, normal_loader(50, 5, 10)),
               std::runtime_error);
  EXPECT_EQ(read_whole(folder / "on_exception.ckpt"), "damaged");
  EXPECT_EQ(error_of<std::invalid_argument>([] { OnExceptionCheckpoint(""); }),
            "The directory path cannot be empty");
  EXPECT_EQ(error_of<std::invalid_argument>([] { OnExceptionCheckpoint(".", ""); }),
            "The filename cannot be empty");
  // One that is named goes before it; a normal end removes it.
  model.callbacks = {};
  Trainer other(quiet(folder.path(), 1));
  other.fit(model, normal_loader(50, 5, 10));
  model.callbacks = {OnExceptionCheckpoint(folder.path())};
  Trainer trainer(quiet(folder.path(), 2));
  trainer.fit(model, normal_loader(50, 5, 10), {},
              {.ckpt_path = other.log_dir() + "/checkpoints/last.ckpt"});
  EXPECT_FALSE(fs::exists(folder / "on_exception.ckpt"));
}

}  // namespace
}  // namespace levin

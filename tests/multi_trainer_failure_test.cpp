// MultiTrainer: runs that fail or are interrupted, refusals.
#include <gtest/gtest.h>
#include <signal.h>

#include "multi_run.h"

namespace levin {
namespace {

using std::invalid_argument;
using std::logic_error;
using std::runtime_error;

// Throws, or does something else, at one batch of one run.
struct AtBatch : Callback {
  AtBatch(int64_t epoch, std::function<void(Trainer&)> action)
      : epoch(epoch), action(std::move(action)) {}
  void on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                          int64_t batch) override {
    if (trainer.current_epoch() == epoch && batch == 1) action(trainer);
  }
  int64_t epoch;
  std::function<void(Trainer&)> action;
};

MultiTrainerOptions with(int64_t n_devices, int64_t run, int64_t epoch,
                         std::function<void(Trainer&)> action) {
  return {.n_devices = n_devices, .callbacks = [=](int64_t asked) -> std::vector<AnyCallback> {
            if (asked != run) return {};
            return {AtBatch(epoch, action)};
          }};
}

void fit_noisy(MultiTrainer& multi) {
  LME model(nn::Linear(3, 3));
  make_noisy(model);
  multi.fit(model, train_data(), val_data());
}

std::string all_numbers(const std::string& folder, int runs) {
  std::string numbers = read_whole(folder + "/MultiTrainer/fit_metrics.csv");
  for (int run = 0; run < runs; ++run)
    numbers += numbers_of(folder + "/MultiTrainer/" + std::to_string(run));
  return numbers;
}

TEST(Defects, Q27_a_run_that_fails_hangs_nothing) {
  const QuietLog log("MultiTrainer: an error in run 1");
  const Scratch folder;
  for (const int64_t devices : {int64_t{0}, two_devices()}) {
    const std::string dir = folder / std::to_string(devices);
    MultiTrainer multi(in_folder(dir), 3, with(devices, 1, 1, [](Trainer&) {
                         throw invalid_argument("no such number");
                       }));
    const std::string error = error_of<invalid_argument>([&] { fit_noisy(multi); });
    EXPECT_EQ(error.find("MultiTrainer: self.n_raises_allowed=5 reached. Errors: ['run 1: "), 0u)
        << error;
    EXPECT_NE(error.find("no such number"), std::string::npos);
    EXPECT_FALSE(multi.done());
    // Of two at once, one may be interrupted by the fifth error.
    EXPECT_GE(multi.done_so_far(), devices == 0 ? 2 : 1);
    EXPECT_FALSE(fs::exists(dir + "/MultiTrainer/1/results.json"));
    EXPECT_EQ(error_of<logic_error>([&] { multi.best_id(); }),
              "MultiTrainer: Cannot get best_id before the experiment is done");
  }
  EXPECT_EQ(log.count(), 10);
}

TEST(Defects, Q27_no_optimizer_and_no_exception_class_hang) {
  const QuietLog log;
  const Scratch folder;
  MultiTrainer multi(in_folder(folder / "runs"), 3);
  LME model(nn::Linear(3, 3));
  model.criterion_fn = [](auto& y, auto& gt) { return (y - gt).pow(2).mean(); };
  model.model_algorithm = plain_algorithm;
  const auto fit = [&] { multi.fit(model, train_data(), val_data()); };
  EXPECT_NE(error_of<invalid_argument>(fit).find("No optimizer was set"), std::string::npos);
  model.model_algorithm = [](LME&, const data::Batch&) -> std::optional<AlgorithmOutput> {
    throw 7;
  };
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.1});
  EXPECT_NE(error_of<invalid_argument>(fit).find("no std::exception"), std::string::npos);
  model.model_algorithm = plain_algorithm;
  fit();  // the same object, once the mistake is found
  EXPECT_TRUE(multi.done());
  EXPECT_EQ(error_of<logic_error>(fit), "MultiTrainer: Cannot fit twice");
}

TEST(MultiTrainer, AFailedRunIsTriedAgainWithTheSameBits) {
  const QuietLog log("MultiTrainer: an error in run 1");
  const Scratch folder;
  MultiTrainer straight(in_folder(folder / "straight"), 3, {.n_devices = 0});
  fit_noisy(straight);
  std::atomic<int> raises = 0;
  MultiTrainer again(in_folder(folder / "again"), 3, with(two_devices(), 1, 2, [&](Trainer&) {
                       if (++raises <= 4) throw runtime_error("once more");
                     }));
  fit_noisy(again);
  EXPECT_EQ(log.count(), 4);
  EXPECT_EQ(again.best_id(), straight.best_id());
  EXPECT_EQ(all_numbers(folder / "again", 3), all_numbers(folder / "straight", 3));
}

// Before the first checkpoint, in an epoch, at the end of the fit: a second MultiTrainer finishes.
TEST(MultiTrainer, AnInterruptedOneGoesOnWithTheSameBits) {
  const QuietLog log;
  const Scratch folder;
  MultiTrainer straight(in_folder(folder / "straight"), 3, {.n_devices = 0});
  fit_noisy(straight);
  const std::string expected = all_numbers(folder / "straight", 3);
  const auto fail = [](Trainer&) { throw runtime_error("killed"); };
  const auto interrupt = [](Trainer& trainer) { trainer.interrupt(); };
  struct Case {
    int64_t n_devices, epoch;
    bool by_error;
  };
  const int64_t two = two_devices();
  for (const Case& c : {Case{0, 0, true}, {0, 1, false}, {two, 1, true}, {two, 2, false}}) {
    const std::string dir = folder / (std::to_string(c.n_devices) + std::to_string(c.epoch));
    MultiTrainer first(in_folder(dir), 3,
                       with(c.n_devices, 1, c.epoch,
                            c.by_error ? std::function<void(Trainer&)>(fail) : interrupt));
    EXPECT_EQ(error_of<invalid_argument>([&] { fit_noisy(first); }).empty(), !c.by_error);
    EXPECT_FALSE(first.done());
    EXPECT_FALSE(fs::exists(dir + "/MultiTrainer/1/results.json"));
    EXPECT_FALSE(fs::exists(dir + "/metrics.csv"));
    MultiTrainer second(in_folder(dir), 3, {.n_devices = two});
    fit_noisy(second);
    EXPECT_EQ(all_numbers(dir, 3), expected) << dir;
    EXPECT_EQ(fs::exists(dir + "/MultiTrainer/1/checkpoints/loaded.ckpt"),
              c.epoch > 0 || !c.by_error);  // it went on, not anew
  }
}

TEST(MultiTrainer, InterruptAndSignalsEndAllRuns) {
  const QuietLog log;
  const Scratch folder;
  for (const bool by_signal : {false, true}) {
    const std::string dir = folder / (by_signal ? "signal" : "interrupt");
    TrainerOptions trainer = in_folder(dir, 100000);
    trainer.handle_signals = by_signal;
    MultiTrainer* running = nullptr;
    MultiTrainer multi(trainer, 4, with(two_devices(), 0, 3, [&](Trainer&) {
                         if (by_signal)
                           raise(SIGTERM);
                         else
                           running->interrupt();
                       }));
    running = &multi;
    fit_noisy(multi);
    EXPECT_FALSE(multi.done());
    EXPECT_EQ(multi.done_so_far(), 0);
    EXPECT_TRUE(fs::exists(dir + "/MultiTrainer/0/checkpoints/last.ckpt"));
  }
}

TEST(MultiTrainer, TwoInOneFolderAtOnceAreRefused) {
  const QuietLog log;
  const Scratch folder;
  std::string error;
  MultiTrainer multi(in_folder(folder / "runs"), 2, with(0, 0, 1, [&](Trainer&) {
                       MultiTrainer other(in_folder(folder / "runs"), 2);
                       error = error_of<runtime_error>([&] { fit_noisy(other); });
                     }));
  fit_noisy(multi);
  EXPECT_TRUE(multi.done());
  EXPECT_NE(error.find("MultiTrainer: another MultiTrainer is at work in '" +
                       (folder / "runs/MultiTrainer") + "'"),
            std::string::npos)
      << error;
  MultiTrainer after(in_folder(folder / "runs"), 2);
  fit_noisy(after);
}

TEST(MultiTrainer, WhatCannotWorkIsRefusedBeforeTheFirstRun) {
  const QuietLog log;
  const Scratch folder;
  const auto options = in_folder(folder / "runs");
  EXPECT_EQ(error_of<invalid_argument>([&] { MultiTrainer(options, 0); }),
            "MultiTrainer: num_trains 0: at least 1 is needed");
  EXPECT_EQ(error_of<invalid_argument>([&] { MultiTrainer(options, 1, {.n_devices = -2}); }),
            "MultiTrainer: n_devices -2: -1, 0 or a number of cores is needed");
  EXPECT_EQ(error_of<invalid_argument>([] { MultiTrainer({.logger = false}, 1); }),
            "MultiTrainer: the trainer has no logger, in whose folder runs lie");

  LME model(nn::Linear(3, 3));
  make_noisy(model);
  const auto fit = [&](MultiTrainerOptions multi, std::vector<AnyCallback> callbacks = {}) {
    TrainerOptions trainer = options;
    trainer.callbacks = std::move(callbacks);
    return error_of<logic_error>(
        [&] { MultiTrainer(trainer, 2, multi).fit(model, train_data(), val_data()); });
  };
  EXPECT_EQ(fit({.relevant_metric = "val_loss"}),
            "MultiTrainer: relevant_metric 'val_loss' not in metrics: ['loss', 'l1', "
            "'accuracy_like']");
  const std::string shared = "MultiTrainer: runs cannot share the callbacks of the trainer and";
  EXPECT_EQ(fit({}, {PlotMetrics()}).find(shared), 0u);
  model.callbacks = {PlotMetrics()};
  EXPECT_EQ(fit({}).find(shared), 0u);
  EXPECT_FALSE(fs::exists(folder / "runs/MultiTrainer"));
  EXPECT_EQ(fit({.callbacks = [](int64_t) { return std::vector<AnyCallback>{PlotMetrics()}; }}),
            "");
  EXPECT_TRUE(fs::exists(folder / "runs/MultiTrainer/1/loss.png"));
}

TEST(MultiTrainer, ADamagedResultIsNamed) {
  const QuietLog log;
  const Scratch folder;
  fs::create_directories(folder / "runs/MultiTrainer/0");
  write_whole(folder / "runs/MultiTrainer/0/results.json", "{\"metr");
  MultiTrainer multi(in_folder(folder / "runs"), 1);
  EXPECT_NE(error_of<invalid_argument>([&] {
              multi.fit_metrics();
            }).find("runs/MultiTrainer/0/results.json"),
            std::string::npos);
}

}  // namespace
}  // namespace levin

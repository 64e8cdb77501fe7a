// Runs that are ended from outside: by signals, from other threads, in slices, by exceptions.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <optional>
#include <thread>

#include "scratch.h"
#include "whole_run.h"

namespace levin {
namespace {

namespace fs = std::filesystem;

std::atomic<int> host_heard = 0;
extern "C" void host_handler(int) { ++host_heard; }

// A host program that has handlers of its own.
class Host {
 public:
  Host() {
    host_heard = 0;
    struct sigaction action = {};
    action.sa_handler = host_handler;
    sigaction(SIGINT, &action, &interrupt_);
    sigaction(SIGTERM, &action, &terminate_);
  }
  ~Host() {
    sigaction(SIGINT, &interrupt_, nullptr);
    sigaction(SIGTERM, &terminate_, nullptr);
  }
  static bool handles(int number) {
    struct sigaction now = {};
    sigaction(number, nullptr, &now);
    return now.sa_handler == host_handler;
  }

 private:
  struct sigaction interrupt_, terminate_;
};

// Does something once, at one of the moments of a run.
struct AtMoment : Callback {
  AtMoment(int moment, std::function<void(Trainer&)> action)
      : moment(moment), action(std::move(action)) {}
  void reached(Trainer& trainer) {
    if (count++ == moment) action(trainer);
  }
  void on_train_batch_start(Trainer& trainer, LME&, const data::Batch&, int64_t) override {
    reached(trainer);
  }
  void on_validation_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                               int64_t, int64_t) override {
    if (!trainer.sanity_checking()) reached(trainer);
  }
  void on_epoch_logged(Trainer& trainer, LME&) override { reached(trainer); }
  int moment, count = 0;
  std::function<void(Trainer&)> action;
};

RunResult straight_run() {
  const Scratch folder(memory_dir());
  WholeRun run({.folder = folder.path()});
  run.start();
  run.finish();
  return result_of(run);
}

const RunResult& straight() {
  static const RunResult result = straight_run();
  return result;
}

std::string status_in(const std::string& dir) {
  const auto metadata = nlohmann::json::parse(read_whole(dir + "/fit_metadata.json"));
  return metadata.value("status", "");
}

// The run that was interrupted, gone on with.
void expect_to_go_on(const std::string& dir) {
  const Scratch folder(memory_dir());
  WholeRun run({.folder = folder.path(), .seed = 99});
  run.start(dir + "/checkpoints/last.ckpt");
  run.finish();
  EXPECT_EQ(run.trainer.status(), Status::finished);
  EXPECT_TRUE(result_of(run) == straight()) << dir;
  EXPECT_EQ(status_in(run.trainer.log_dir()), "");
}

TEST(Signals, TheFirstEndsTheFitInGoodOrder) {
  const Silent silent;
  for (const int moment : {0, 1, 5, 11, 20, 40}) {
    const Host host;
    const int number = moment % 2 == 0 ? SIGINT : SIGTERM;
    const Scratch folder(memory_dir());
    int64_t batches = 0;
    WholeRun run({.folder = folder.path(),
                  .callbacks = {AtMoment(moment,
                                         [&](Trainer& trainer) {
                                           raise(number);
                                           batches = trainer.batches_done() + trainer.training();
                                         })},
                  .handle_signals = true});
    run.start();
    EXPECT_FALSE(Host::handles(number));
    run.finish();  // control returns
    EXPECT_EQ(run.trainer.status(), Status::interrupted);
    EXPECT_EQ(run.trainer.batches_done(), batches) << "after the current batch";
    EXPECT_TRUE(Host::handles(SIGINT) && Host::handles(SIGTERM));
    EXPECT_EQ(host_heard, 0);
    const std::string dir = run.trainer.log_dir();
    EXPECT_EQ(status_in(dir), "interrupted");
    EXPECT_EQ(fs::exists(dir + "/loss.png"), run.trainer.current_epoch() > 0);
    expect_to_go_on(dir);
  }
}

TEST(Defects, Q40_AnInterruptedRunLeavesItsFiles) {
  const Silent silent;
  const Scratch folder(memory_dir());
  WholeRun run({.folder = folder.path(),
                .callbacks = {AtMoment(30, [](Trainer&) { raise(SIGINT); })},
                .handle_signals = true});
  const Host host;
  run.start();
  run.finish();
  const std::string dir = run.trainer.log_dir();
  const auto metadata = nlohmann::json::parse(read_whole(dir + "/fit_metadata.json"));
  EXPECT_EQ(metadata["status"], "interrupted");
  EXPECT_EQ(metadata["epoch_metrics"]["loss"].size(), 1);  // the epoch that was done
  for (const char* name : {"/loss.png", "/accuracy.png", "/metrics.csv", "/checkpoints/last.ckpt"})
    EXPECT_TRUE(fs::exists(dir + name)) << name;
}

TEST(Signals, AreNotHandledUnasked) {
  const Host host;
  const Scratch folder(memory_dir());
  WholeRun run({.folder = folder.path(), .callbacks = {AtMoment(3, [](Trainer&) {
                                           EXPECT_TRUE(Host::handles(SIGINT) &&
                                                       Host::handles(SIGTERM));
                                           raise(SIGINT);
                                         })}});
  run.start();
  run.finish();
  EXPECT_EQ(run.trainer.status(), Status::finished);
  EXPECT_EQ(host_heard, 1);
}

TEST(Signals, OneThatComesInTheLastHooksIsStillHeard) {
  struct Late : Callback {
    void on_fit_end(Trainer&, LME&) override { raise(SIGTERM); }
  };
  const Host host;
  const Scratch folder(memory_dir());
  WholeRun run({.folder = folder.path(), .callbacks = {Late()}, .handle_signals = true});
  run.start();
  run.finish();
  EXPECT_EQ(run.trainer.current_epoch(), 3);
  EXPECT_EQ(run.trainer.status(), Status::interrupted);
  EXPECT_EQ(host_heard, 0);
}

TEST(Signals, HandlersComeBackAfterAnException) {
  const Host host;
  const Scratch folder(memory_dir());
  WholeRun run({.folder = folder.path(),
                .callbacks = {AtMoment(2, [](Trainer&) { throw std::runtime_error("no"); })},
                .handle_signals = true});
  run.start();
  EXPECT_EQ(error_of<std::runtime_error>([&] { run.finish(); }), "no");
  EXPECT_TRUE(Host::handles(SIGINT) && Host::handles(SIGTERM));
}

using SignalsDeathTest = testing::TestWithParam<std::pair<int, int>>;

TEST_P(SignalsDeathTest, TheSecondEndsTheProcessAtOnce) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto [first, second] = GetParam();
  // The process that dies removes nothing: it is given its folder.
  constexpr const char* kFolder = "LEVIN_SIGNALS_TEST_FOLDER";
  std::optional<Scratch> folder;
  if (!std::getenv(kFolder)) {
    folder.emplace(memory_dir());
    setenv(kFolder, folder->path().c_str(), 0);
  }
  const auto run_on = [first = first, second = second] {
    const Host host;  // even where the host has a handler
    WholeRun run({.folder = std::getenv(kFolder),
                  .callbacks = {AtMoment(5,
                                         [&](Trainer&) {
                                           raise(first);
                                           raise(second);
                                         })},
                  .handle_signals = true});
    run.start();
    run.finish();
  };
  EXPECT_EXIT(run_on(), testing::KilledBySignal(second), "");
  unsetenv(kFolder);
}

INSTANTIATE_TEST_SUITE_P(Kinds, SignalsDeathTest,
                         testing::Values(std::pair(SIGINT, SIGINT), std::pair(SIGTERM, SIGTERM),
                                         std::pair(SIGINT, SIGTERM)));

TEST(OtherThreads, MayInterruptAFit) {
  const Silent silent;
  for (const int moment : {2, 17}) {
    const Scratch folder(memory_dir());
    std::atomic<bool> reached = false, said = false;
    WholeRun run({.folder = folder.path(), .callbacks = {AtMoment(moment, [&](Trainer&) {
                                             reached = true;
                                             reached.notify_one();
                                             said.wait(false);
                                           })}});
    std::thread host([&] {
      reached.wait(false);
      run.trainer.interrupt();
      said = true;
      said.notify_one();
    });
    run.start();
    run.finish();
    host.join();
    EXPECT_EQ(run.trainer.status(), Status::interrupted);
    expect_to_go_on(run.trainer.log_dir());
  }
}

TEST(OtherThreads, MayInterruptAtAnyTime) {
  const Silent silent;
  int interrupted = 0;
  for (int i = 0; i < 8; ++i) {
    const Scratch folder(memory_dir());
    WholeRun run({.folder = folder.path()});
    run.start();
    std::thread host([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(i));
      run.trainer.interrupt();
    });
    run.finish();
    host.join();
    if (run.trainer.status() == Status::interrupted) ++interrupted;
    EXPECT_TRUE(run.trainer.status() != Status::failed);
  }
  EXPECT_GT(interrupted, 0);
}

TEST(OtherThreads, MaySetShouldStop) {
  const Scratch folder(memory_dir());
  WholeRun run({.folder = folder.path()});
  std::atomic<bool> reached = false, said = false;
  run.model.callbacks += AtMoment(2, [&](Trainer&) {
    reached = true;
    reached.notify_one();
    said.wait(false);
  });
  std::thread host([&] {
    reached.wait(false);
    run.trainer.should_stop = true;
    said = true;
    said.notify_one();
  });
  run.start();
  run.finish();
  host.join();
  EXPECT_EQ(run.trainer.status(), Status::finished);
  EXPECT_EQ(run.trainer.batches_done(), 3);
  EXPECT_EQ(run.trainer.current_epoch(), 1);
  EXPECT_TRUE(run.trainer.callback_metric("val_loss").has_value());  // validated at the stop
}

TEST(Slices, AreWholeBatchesAndGiveTheSameBits) {
  for (const auto time : {std::chrono::microseconds(0), std::chrono::microseconds(500)}) {
    const Scratch folder(memory_dir());
    WholeRun run({.folder = folder.path()});
    int64_t batches = 0, slices = 0;
    struct Counts : Callback {
      explicit Counts(int64_t* count) : count(count) {}
      void on_train_batch_end(Trainer&, LME&, const AlgorithmOutput*, const data::Batch&,
                              int64_t) override {
        ++*count;
      }
      void on_validation_batch_end(Trainer&, LME&, const AlgorithmOutput*, const data::Batch&,
                                   int64_t, int64_t) override {
        ++*count;
      }
      int64_t* count;
    };
    run.model.callbacks += Counts(&batches);
    run.start();
    for (int64_t before = 0; run.trainer.run_for(time); before = batches, ++slices) {
      EXPECT_GE(batches, before + 1);
      if (time.count() == 0) {
        EXPECT_EQ(batches, before + 1);
      }
    }
    EXPECT_FALSE(run.trainer.run_for(time));
    EXPECT_GE(slices, 1);
    EXPECT_TRUE(result_of(run) == straight());
  }
}

TEST(Exceptions, LeaveMetadataPicturesAndTheLastCheckpoint) {
  const Scratch folder(memory_dir());
  std::string last;
  WholeRun run(
      {.folder = folder.path(), .callbacks = {AtMoment(30, [&](Trainer& trainer) {
                                  last = read_whole(trainer.log_dir() + "/checkpoints/last.ckpt");
                                  EXPECT_FALSE(fs::exists(trainer.log_dir() + "/loss.png"));
                                  throw std::runtime_error("out of luck");
                                })}});
  run.start();
  EXPECT_EQ(error_of<std::runtime_error>([&] { run.finish(); }), "out of luck");
  const std::string dir = run.trainer.log_dir();
  EXPECT_EQ(run.trainer.status(), Status::failed);
  EXPECT_EQ(status_in(dir), "failed: out of luck");
  EXPECT_TRUE(fs::exists(dir + "/loss.png"));
  EXPECT_EQ(read_whole(dir + "/checkpoints/last.ckpt"), last);
  expect_to_go_on(dir);
}

}  // namespace
}  // namespace levin

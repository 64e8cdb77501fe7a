// The ways in which a run is gone on with.
#include <cstring>

#include "saved_run.h"

namespace levin {
namespace {

namespace fs = std::filesystem;

TEST(ResumeWays, InTheSameFolder) {
  const Silent silent;
  const Scratch folder(memory_dir());
  WholeRunOptions options{.folder = folder.path()};
  const SavedRun saved = saved_everywhere(options);
  options.loggers = {CSVLogger(folder.path(), {.name = "", .version = "saved"})};
  // The folder is that of a run which is done, then of one which was cut elsewhere.
  for (std::size_t i = 0; i < saved.checkpoints.size(); i += 5) {
    expect_equal(resumed(options, saved.checkpoints[i]), saved.result, saved.checkpoints[i]);
    if (HasFailure()) return;
  }
  // The run's own files are no others' files.
  for (const auto& entry : fs::directory_iterator(folder / "saved/checkpoints"))
    EXPECT_EQ(entry.path().string().find("-v1"), std::string::npos) << entry.path();
}

TEST(ResumeWays, AgainAndAgain) {
  const Silent silent;
  const Scratch folder(memory_dir());
  WholeRunOptions options{.folder = folder.path(), .adam = false};
  const RunResult whole = finished(options);
  const uint64_t seed = options.seed;
  for (const int steps : {1, 7, 30}) {
    options.seed = seed;
    std::string last;
    for (;;) {
      options.loggers = {CSVLogger(folder / "cut", {.name = std::to_string(steps), .version = 0})};
      WholeRun run(options);
      run.start(last);
      options.seed += 1000;
      while (run.trainer.sanity_checking()) run.trainer.advance();
      for (int step = 0; step < steps && run.trainer.advance(); ++step) {
      }
      if (run.trainer.status() == Status::finished) {
        expect_equal(result_of(run), whole, std::to_string(steps));
        break;
      }
      fs::create_directories(run.trainer.log_dir() + "/checkpoints");
      last = run.trainer.log_dir() + "/checkpoints/cut.ckpt";
      run.trainer.save_checkpoint(last);
    }
    if (HasFailure()) return;
  }
}

TEST(ResumeWays, ToMoreEpochs) {
  const Silent silent;
  const Scratch folder(memory_dir());
  WholeRunOptions options{.folder = folder.path()};
  const RunResult whole = finished(options);
  options.epochs = 2;
  const SavedRun saved = saved_everywhere(options);
  options.epochs = 3;
  for (std::size_t i = 0; i < saved.checkpoints.size(); i += 4)
    expect_equal(resumed(options, saved.checkpoints[i]), whole, saved.checkpoints[i]);
  expect_equal(resumed(options, folder / "saved/checkpoints/last.ckpt"), whole, "last.ckpt");
}

TEST(ResumeWays, ARunThatWasStoppedStaysStopped) {  // L22
  const Silent silent;
  const Scratch folder(memory_dir());
  WholeRunOptions options{.folder = folder.path(), .epochs = 9};
  options.callbacks = {EarlyStopping({.monitor = "val_loss", .min_delta = 9, .patience = 3})};
  const SavedRun saved = saved_everywhere(options);
  for (std::size_t i = 0; i < saved.checkpoints.size(); i += 3) {
    const std::string& checkpoint = saved.checkpoints[i];
    options.callbacks = {EarlyStopping({.monitor = "val_loss", .min_delta = 9, .patience = 3})};
    expect_equal(resumed(options, checkpoint), saved.result, checkpoint);
    if (HasFailure()) return;
  }
  options.callbacks = {EarlyStopping({.monitor = "val_loss", .min_delta = 9, .patience = 3})};
  WholeRun again(options);
  again.start(folder / "saved/checkpoints/last.ckpt");
  EXPECT_FALSE(again.trainer.advance());
  EXPECT_EQ(again.trainer.current_epoch(), 3);
}

TEST(ResumeWays, ARunThatTheHostStoppedGoesOn) {
  const Silent silent;
  const Scratch folder(memory_dir());
  const WholeRunOptions options{.folder = folder.path()};
  WholeRun run(options);
  run.start();
  while (run.trainer.global_step() < 2) run.trainer.advance();
  run.trainer.should_stop = true;
  run.finish();
  EXPECT_EQ(run.trainer.status(), Status::finished);
  EXPECT_EQ(run.trainer.current_epoch(), 1);
  WholeRun next(options);
  next.start(run.trainer.log_dir() + "/checkpoints/last.ckpt");
  next.finish();
  EXPECT_EQ(next.trainer.current_epoch(), 3);
}

TEST(ResumeWays, WithOtherBatchesFromTheStartOfAnEpochOnly) {
  const Silent silent;
  const Scratch folder(memory_dir());
  WholeRunOptions options{.folder = folder.path()};
  const SavedRun saved = saved_everywhere(options);
  options.samples = 26;
  int refused = 0;
  for (const std::string& checkpoint : saved.checkpoints)
    refused += !error_of<std::invalid_argument>([&] { finished(options, checkpoint); }).empty();
  // Of each of three epochs, the starts of the next ones and the end may go on.
  EXPECT_EQ(refused, static_cast<int>(saved.checkpoints.size()) - 4);
}

// The scalars of all event files of a run: everything in their records but the times.
std::string scalars_of(const std::string& folder) {
  std::string scalars;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with("events.")) continue;
    const std::string bytes = read_whole(entry.path().string());
    for (std::size_t at = 0; at < bytes.size();) {
      uint64_t size = 0;
      std::memcpy(&size, &bytes[at], sizeof size);
      const std::string event = bytes.substr(at + 12 + 9, size - 9);  // behind the time
      if (event.find("loss") != std::string::npos || event.find("noise") != std::string::npos)
        scalars += event;
      at += 12 + size + 4;
    }
  }
  return scalars;
}

TEST(ResumeWays, EveryLogGoesOn) {
  const Silent silent;
  const Scratch folder(memory_dir()), other(memory_dir());
  const auto loggers = [](const std::string& path) -> std::vector<AnyLogger> {
    return {CSVLogger(path), JsonLinesLogger(path), TensorBoardLogger(path)};
  };
  WholeRunOptions options{.folder = folder.path(), .loggers = loggers(folder.path())};
  WholeRun run(options);
  run.start();
  fs::create_directories(run.trainer.log_dir() + "/steps");
  std::vector<std::string> checkpoints;
  for (int i = 0; run.trainer.advance(); ++i) {
    if (run.trainer.sanity_checking() || i % 4 != 0) continue;
    checkpoints.push_back(run.trainer.log_dir() + "/steps/" + std::to_string(i) + ".ckpt");
    run.trainer.save_checkpoint(checkpoints.back());
  }
  const std::string dir = run.trainer.log_dir(), scalars = scalars_of(dir);
  EXPECT_GT(scalars.size(), 800);
  for (const std::string& checkpoint : checkpoints) {
    options.loggers = loggers(other.path());
    options.seed += 1000;
    WholeRun next(options);
    next.start(checkpoint);
    next.finish();
    for (const char* name : {"/metrics.csv", "/metrics.jsonl"})
      EXPECT_EQ(read_whole(next.trainer.log_dir() + name), read_whole(dir + name)) << checkpoint;
    EXPECT_EQ(scalars_of(next.trainer.log_dir()), scalars) << checkpoint;
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace levin

// Runs that cannot write: a clear error that names the file, and what was there before is whole.
#include "full_disk.h"

#include <gtest/gtest.h>
#include <levin/levin.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <thread>

#include "scratch.h"
#include "whole_files.h"
#include "whole_run.h"

namespace levin {
namespace {

namespace fs = std::filesystem;

// Does something before the second epoch.
struct BeforeSecondEpoch : Callback {
  explicit BeforeSecondEpoch(std::function<void(Trainer&)> action) : action(std::move(action)) {}
  void on_train_epoch_start(Trainer& trainer, LME&) override {
    if (trainer.current_epoch() == 1) action(trainer);
  }
  std::function<void(Trainer&)> action;
};

// A run in `folder`/run that writes every kind of file.
WholeRunOptions everything(const std::string& folder, std::function<void(Trainer&)> action) {
  const FileLoggerOptions options = {.name = "", .version = "run"};
  return {.folder = folder,
          .epochs = 2,
          .loggers = {CSVLogger(folder, options), JsonLinesLogger(folder, options),
                      TensorBoardLogger(folder, options)},
          .callbacks = {HtmlReport(0), BeforeSecondEpoch(std::move(action))},
          .plot_interval = 0};
}

// What a fit says; "" where it came through.
std::string fit_error(const WholeRunOptions& options) {
  WholeRun run(options);
  std::string error;
  try {
    run.start();
    run.finish();
  } catch (const std::runtime_error& failure) {
    error = failure.what();
  }
  EXPECT_EQ(run.trainer.status(), error.empty() ? Status::finished : Status::failed);
  return error;
}

std::string torn_in(const std::string& folder) {
  int count = 0;
  return torn_file(folder, &count);
}

bool has_draft(const std::string& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".draft") return true;
  return false;
}

// The file that an error is about.
std::string file_named_in(const std::string& error) {
  const std::size_t colon = error.rfind(": ");
  return fs::path(error.substr(0, colon)).filename().string();
}

TEST(FullDisk, NamesTheFileAndLosesNothing) {
  const Silent silent;
  std::set<std::string> named;
  for (int bytes = 1; bytes < 100000; bytes += 1 + bytes / 6) {
    for (const bool from_start : {true, false}) {
      const Scratch folder(memory_dir());
      std::unique_ptr<FullDisk> full;
      std::string last;
      auto options = everything(folder.path(), [&](Trainer&) {
        last = read_whole(folder / "run/checkpoints/last.ckpt");
        if (!full) full = std::make_unique<FullDisk>(bytes);
      });
      if (from_start) options.notes = std::string(5000, 'x');  // hparams are written early
      if (from_start) full = std::make_unique<FullDisk>(bytes);
      const std::string error = fit_error(options);
      full.reset();
      ASSERT_EQ(torn_in(folder.path()), "") << bytes << " " << error;
      EXPECT_FALSE(has_draft(folder.path())) << bytes;
      if (error.empty()) continue;
      EXPECT_TRUE(error.ends_with(": File too large")) << error;
      EXPECT_NE(error.find(folder / "run/"), std::string::npos) << error;
      named.insert(file_named_in(error));
      if (!from_start && file_named_in(error) == "last.ckpt") {
        EXPECT_EQ(read_whole(folder / "run/checkpoints/last.ckpt"), last);
      }
    }
  }
  std::string names;
  for (const std::string& name : named) names += name + " ";
  std::printf("files that did not fit: %s\n", names.c_str());
  for (const char* name :
       {"metrics.csv", "metrics.jsonl", "hparams.yaml", "fit_metadata.json", "last.ckpt"})
    EXPECT_TRUE(named.count(name)) << name;
}

TEST(FullDisk, NamesPicturesAndReports) {
  struct Fills : Callback {
    void on_epoch_logged(Trainer&, LME&) override { full = std::make_unique<FullDisk>(100); }
    std::unique_ptr<FullDisk> full;
  };
  for (const std::string name : {"loss.png", "report.html"}) {
    const Silent silent;
    const Scratch folder(memory_dir());
    const auto fills = std::make_shared<Fills>();
    WholeRunOptions options{.folder = folder.path(), .callbacks = {fills}, .plot_interval = 0};
    if (name == "report.html") options.callbacks.push_back(HtmlReport(0));
    const std::string error = fit_error(options);
    fills->full.reset();
    EXPECT_NE(error.find("version_0/" + name + ": File too large"), std::string::npos) << error;
    EXPECT_EQ(torn_in(folder.path()), "");
  }
}

TEST(UnwritableFolder, IsNamed) {
  const Silent silent;
  for (const char* name : {"run", "run/checkpoints"}) {
    const Scratch folder(memory_dir());
    fs::create_directories(fs::path(folder / name).parent_path());
    write_whole(folder / name, "a file");  // so that it cannot be a folder, not even for root
    const std::string error = fit_error(everything(folder.path(), [](Trainer&) {}));
    EXPECT_NE(error.find(folder / name), std::string::npos) << error;
    EXPECT_EQ(read_whole(folder / name), "a file");
  }
}

TEST(UnwritableFile, IsNamed) {
  const Silent silent;
  int refused = 0;
  for (const char* name :
       {"fit_metadata.json", "hparams.yaml", "hparams.json", "loss.png", "report.html",
        "metrics.csv", "metrics.jsonl", "checkpoints/last.ckpt"}) {
    const Scratch folder(memory_dir());
    const std::string path = folder / (std::string("run/") + name);
    fs::create_directories(path + "/in_the_way");
    const std::string error = fit_error(everything(folder.path(), [](Trainer&) {}));
    if (error.empty()) continue;  // logs and checkpoints give way to what they find
    ++refused;
    EXPECT_NE(error.find(path + ": Is a directory"), std::string::npos) << error;
    EXPECT_TRUE(fs::exists(path + "/in_the_way"));
    EXPECT_EQ(torn_in(folder.path()), "");
  }
  EXPECT_EQ(refused, 5);
}

// Runs `test` in a thread to which alone a file system of so many bytes is shown; false where this
// process may not make one.
bool with_small_disk(const std::string& folder, const char* bytes, std::function<void()> test) {
  bool mounted = false;
  std::thread thread([&] {
    if (unshare(CLONE_NEWNS) != 0) return;
    if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return;
    const std::string options = std::string("size=") + bytes;
    if (mount("tmpfs", folder.c_str(), "tmpfs", 0, options.c_str()) != 0) return;
    mounted = true;
    test();
    umount2(folder.c_str(), MNT_DETACH);
  });
  thread.join();
  return mounted;
}

TEST(FullDisk, OfARealFileSystem) {
  const Silent silent;
  const Scratch folder;
  const bool done = with_small_disk(folder.path(), "200k", [&] {
    const std::string error = fit_error(everything(folder.path(), [&](Trainer&) {
      std::ofstream filler(folder / "filler.yaml");
      while (filler.put('\n').flush()) {
      }
    }));
    EXPECT_TRUE(error.ends_with(": No space left on device")) << error;
    EXPECT_EQ(torn_in(folder / "run"), "");
    EXPECT_FALSE(has_draft(folder.path()));
    EXPECT_EQ(load_checkpoint_file(folder / "run/checkpoints/last.ckpt").state.at("epoch"), 0);
  });
  if (!done) GTEST_SKIP() << "file systems can be mounted by root only";
}

TEST(UnwritableFolder, OfAFileSystemThatBecameReadOnly) {
  const Silent silent;
  const Scratch folder;
  const bool done = with_small_disk(folder.path(), "1m", [&] {
    fit_error(everything(folder.path(), [](Trainer&) {}));
    const std::string last = read_whole(folder / "run/checkpoints/last.ckpt");
    ASSERT_EQ(mount("none", folder.path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr), 0);
    const std::string error = fit_error(everything(folder.path(), [](Trainer&) {}));
    EXPECT_TRUE(error.ends_with(": Read-only file system")) << error;
    EXPECT_NE(error.find(folder / "run"), std::string::npos) << error;
    EXPECT_EQ(read_whole(folder / "run/checkpoints/last.ckpt"), last);
    EXPECT_EQ(torn_in(folder / "run"), "");
  });
  if (!done) GTEST_SKIP() << "file systems can be mounted by root only";
}

}  // namespace
}  // namespace levin

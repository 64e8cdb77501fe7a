// What kill_test.cpp kills: `kill_victim FOLDER [resume]` trains in FOLDER/run, from the newest
// checkpoint there where it is told to resume.
#include <string_view>

#include "whole_run.h"

namespace levin {
namespace {

namespace fs = std::filesystem;

// Besides those of every epoch, checkpoints within epochs.
struct SavesOften : Callback {
  CallbackOrder order() const override { return CallbackOrder::checkpoint; }
  void on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                          int64_t batch) override {
    if (batch % 3 != 1) return;
    fs::create_directories(trainer.log_dir() + "/checkpoints");
    trainer.save_checkpoint(trainer.log_dir() + "/checkpoints/middle.ckpt");
  }
};

std::string newest_checkpoint(const fs::path& folder) {
  std::string newest;
  for (const char* name : {"last.ckpt", "middle.ckpt"}) {
    const std::string path = folder / name;
    if (!fs::exists(path)) continue;
    if (newest.empty() || fs::last_write_time(path) > fs::last_write_time(newest)) newest = path;
  }
  return newest;
}

void train(const std::string& folder, bool resumes) {
  set_log_sink([](LogLevel, std::string_view) {});
  WholeRun run({.folder = folder,
                .epochs = 2,
                .loggers = {CSVLogger(folder, {.name = "", .version = "run"}),
                            JsonLinesLogger(folder, {.name = "", .version = "run"})},
                .callbacks = {HtmlReport(0), SavesOften()},
                .plot_interval = 0});
  run.start(resumes ? newest_checkpoint(folder + "/run/checkpoints") : "");
  run.finish();
}

}  // namespace
}  // namespace levin

int main(int count, char** arguments) {
  if (count < 2) return 2;
  levin::train(arguments[1], count > 2);
  return 0;
}

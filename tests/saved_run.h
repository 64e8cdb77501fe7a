// Runs with a checkpoint of every moment, and what becomes of them.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "scratch.h"
#include "whole_run.h"

namespace levin {

inline void expect_equal(const RunResult& got, const RunResult& expected, const std::string& what) {
  EXPECT_EQ(got.parameters, expected.parameters) << what;
  EXPECT_EQ(got.csv, expected.csv) << what;
  EXPECT_EQ(got.metadata, expected.metadata) << what;
  if (!got.state.empty()) {
    EXPECT_EQ(got.state, expected.state) << what;
  }
}

// A run, and a checkpoint after every step of it and within the last hook of every batch.
struct SavedRun {
  RunResult result;
  std::vector<std::string> checkpoints;
};

inline SavedRun saved_everywhere(WholeRunOptions options) {
  const std::string folder = options.folder + "/saved/steps";
  std::filesystem::create_directories(folder);
  const auto in_batches = std::make_shared<SavesInBatches>(folder);
  options.callbacks.push_back(in_batches);
  options.loggers = {CSVLogger(options.folder, {.name = "", .version = "saved"})};
  WholeRun run(options);
  run.start();
  SavedRun saved;
  while (run.trainer.advance()) {
    if (run.trainer.sanity_checking()) continue;
    saved.checkpoints.push_back(folder + "/" + std::to_string(saved.checkpoints.size()) + ".ckpt");
    run.trainer.save_checkpoint(saved.checkpoints.back());
  }
  saved.result = result_of(run);
  saved.checkpoints.insert(saved.checkpoints.end(), in_batches->paths.begin(),
                           in_batches->paths.end());
  return saved;
}

// From start or checkpoint to the end.
inline RunResult finished(const WholeRunOptions& options, const std::string& ckpt_path = "") {
  WholeRun run(options);
  run.start(ckpt_path);
  run.finish();
  return result_of(run);
}

// The same in another state of the program.
inline RunResult resumed(WholeRunOptions options, const std::string& ckpt_path) {
  options.seed += 1000;
  return finished(options, ckpt_path);
}

}  // namespace levin

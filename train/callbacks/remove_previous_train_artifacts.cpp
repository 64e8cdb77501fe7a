#include "remove_previous_train_artifacts.h"

#include <algorithm>
#include <filesystem>

#include "../trainer.h"

namespace levin::inline v0 {
namespace {

void remove_old_events(const std::string& log_dir) {
  namespace fs = std::filesystem;
  if (log_dir.empty() || !fs::is_directory(log_dir)) return;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(log_dir))
    if (entry.is_regular_file() &&
        entry.path().filename().string().find("tfevents") != std::string::npos)
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  if (files.empty()) return;
  files.pop_back();
  for (const fs::path& file : files) fs::remove(file);
}

}  // namespace

void RemovePreviousTrainArtifacts::on_train_start(Trainer& trainer, LME&) {
  remove_old_events(trainer.log_dir());
}

void RemovePreviousTrainArtifacts::on_test_start(Trainer& trainer, LME&) {
  remove_old_events(trainer.log_dir());
}

}  // namespace levin::inline v0

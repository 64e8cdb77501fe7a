// Models and trainers for the tests of MultiTrainer.
#pragma once

#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <levin/train/console/log.h>
#include <levin/train/files/text.h>

#include <filesystem>
#include <set>
#include <thread>

#include "scratch.h"
#include "seed_model.h"

namespace levin {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

inline Names entries_of(const std::string& folder) {
  Names names;
  if (fs::exists(folder))
    for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

/// Linear(3, 3) as in LME's tests, with dropout-like noise, so that random numbers matter.
inline void make_noisy(LME& model) {
  make_seed(model);
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.05, .momentum = 0.9});
  model.model_algorithm = [](LME& model, const data::Batch& batch) {
    return plain_algorithm(model, {batch[0] + randn({1}) * 0.01, batch[1]});
  };
}

inline data::DataLoader train_data() {
  return normal_loader(40, 3, 3, {.batch_size = 10, .shuffle = true});
}
inline data::DataLoader val_data() { return normal_loader(20, 3, 3, {.batch_size = 10}, 2); }

/// Writes to exactly this folder.
inline TrainerOptions in_folder(const std::string& folder, int64_t max_epochs = 3) {
  const fs::path path(folder);
  TrainerOptions options = quiet("", max_epochs);
  options.logger =
      CSVLogger(path.parent_path().string(), {.name = "", .version = path.filename().string()});
  return options;
}

/// No log lines for as long as it lives; counts warnings that hold a text.
class QuietLog {
 public:
  explicit QuietLog(const char* text = "") {
    wanted = text;
    warnings = 0;
    set_log_sink([](LogLevel level, std::string_view line) {
      if (level == LogLevel::warning && line.find(wanted) != std::string_view::npos) ++warnings;
    });
  }
  ~QuietLog() { set_log_sink(nullptr); }
  QuietLog(const QuietLog&) = delete;
  QuietLog& operator=(const QuietLog&) = delete;
  int count() const { return warnings; }

 private:
  static inline const char* wanted = "";
  static inline std::atomic<int> warnings = 0;
};

/// All numbers that a run leaves: its csv files, results and weights at the end.
inline std::string numbers_of(const std::string& run) {
  std::string text = read_whole(run + "/metrics.csv") + read_whole(run + "/test_metrics.csv");
  const Checkpoint last = load_checkpoint_file(run + "/checkpoints/last.ckpt");
  for (const auto& [name, tensor] : last.tensors)
    for (const double number : tensor.to_vector<double>()) text += python_repr(number) + " ";
  return text + read_whole(run + "/results.json");
}

inline int64_t two_devices() { return std::thread::hardware_concurrency() > 1 ? 2 : 1; }

}  // namespace levin

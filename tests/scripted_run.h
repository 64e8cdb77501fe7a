// Fits whose metric follows a script, for the tests of ModelCheckpoint.
#pragma once

#include <levin/levin.h>

#include <filesystem>
#include <set>

#include "scratch.h"
#include "seed_model.h"

namespace levin {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

inline Names files_in(const std::string& folder) {
  Names names;
  if (fs::exists(folder))
    for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

// What a callback sees when a file is about to be written.
struct Witness : Callback {
  explicit Witness(std::function<void(int64_t)> action) : action(std::move(action)) {}
  void on_save_checkpoint(Trainer& trainer, LME&, Value&) override {
    action(trainer.current_epoch());
  }
  std::function<void(int64_t)> action;
};

// Fits in which "score" has one value after another, one for each epoch.
struct ScriptedRun {
  Scratch folder;
  std::vector<double> scores;
  std::shared_ptr<ModelCheckpoint> checkpoint;
  std::function<void(int64_t)> when_saving = [](int64_t) {};
  bool skip_odd_epochs = false, validates = false;
  int64_t last_step = 0;

  void fit(ModelCheckpointOptions options, const std::string& ckpt_path = "",
           CSVLoggerOptions logger = {}) {
    LME model(nn::Linear(2, 1));
    model.criterion_fn = [](auto& y, auto& gt) { return (y - gt).pow(2).mean(); };
    model.optimizer = optim::SGD(model.parameters(), {.lr = 0.1});
    model.metrics = {
        {"score",
         {[&](auto&, auto&) { return MetricResult(scores.at(model.trainer().current_epoch())); },
          "max"}}};
    model.model_algorithm = [&](LME& model,
                                const data::Batch& batch) -> std::optional<AlgorithmOutput> {
      if (skip_odd_epochs && model.trainer().current_epoch() % 2 == 1) return {};
      return plain_algorithm(model, batch);
    };
    checkpoint = std::make_shared<ModelCheckpoint>(std::move(options));
    model.callbacks = {Witness(when_saving), checkpoint};
    Trainer trainer({.max_epochs = static_cast<int64_t>(scores.size()),
                     .logger = CSVLogger(folder.path(), std::move(logger)),
                     .enable_checkpointing = false,
                     .enable_progress_bar = false,
                     .enable_model_summary = false});
    const auto loader = normal_loader(6, 2, 1, {.batch_size = 3});
    trainer.fit(model, loader, validates ? data::Loaders(loader) : data::Loaders(),
                {.ckpt_path = ckpt_path});
    last_step = trainer.global_step();
  }
  Names files() const { return files_in(checkpoint->dirpath()); }
  std::string best() const { return fs::path(checkpoint->best_model_path()).filename(); }
};

}  // namespace levin

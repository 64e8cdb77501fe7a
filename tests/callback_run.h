// Fits whose "score" follows a script, and the lines that they log: for the tests of callbacks.
#pragma once

#include <levin/levin.h>

#include <string>
#include <vector>

#include "scratch.h"
#include "seed_model.h"

namespace levin {

// Log lines that contain a word, while it lives.
class LogLines {
 public:
  LogLines() {
    all().clear();
    set_log_sink([](LogLevel, std::string_view line) { all().emplace_back(line); });
  }
  ~LogLines() { set_log_sink(nullptr); }
  LogLines(const LogLines&) = delete;
  LogLines& operator=(const LogLines&) = delete;

  std::vector<std::string> with(const std::string& word) const {
    std::vector<std::string> found;
    for (const std::string& line : all())
      if (line.find(word) != std::string::npos) found.push_back(line);
    return found;
  }

 private:
  static std::vector<std::string>& all() {
    static std::vector<std::string> lines;
    return lines;
  }
};

// In each epoch "score" and "val_score" have the next value of `scores`, or, where validations have
// values of their own, "val_score" in each validation the next of `val_scores`.
struct ScriptedFit {
  explicit ScriptedFit(std::vector<double> values) : scores(std::move(values)) {}

  Scratch folder;
  std::vector<double> scores, val_scores;
  bool validates = true;
  int64_t validations = 0;  // that are over
  std::unique_ptr<LME> model;
  std::unique_ptr<Trainer> trainer;

  // Without files, which take most of such a fit's time; and with them.
  static TrainerOptions options(int64_t max_epochs) {
    TrainerOptions options = quiet("", max_epochs);
    options.logger = false;
    options.enable_checkpointing = false;
    return options;
  }
  TrainerOptions writing(int64_t max_epochs) const { return quiet(folder.path(), max_epochs); }
  std::string last() const { return trainer->log_dir() + "/checkpoints/last.ckpt"; }

  // Four batches an epoch.
  void fit(std::vector<AnyCallback> callbacks, TrainerOptions options,
           const std::string& ckpt_path = "") {
    struct Counter : Callback {
      explicit Counter(int64_t* count) : count(count) {}
      CallbackOrder order() const override { return CallbackOrder::checkpoint; }
      void on_validation_end(Trainer& trainer, LME&) override {
        if (!trainer.sanity_checking()) ++*count;
      }
      int64_t* count;
    };
    model = std::make_unique<LME>(nn::Linear(2, 1));
    model->criterion_fn = [](auto& y, auto& gt) { return (y - gt).pow(2).mean(); };
    model->optimizer = optim::SGD(model->parameters(), {.lr = 0.1});
    model->metrics = {{"score", {[this](auto&, auto&) { return MetricResult(now()); }, "min"}}};
    model->model_algorithm = plain_algorithm;
    callbacks.push_back(Counter(&validations));
    model->callbacks = std::move(callbacks);
    trainer = std::make_unique<Trainer>(std::move(options));
    const auto loader = normal_loader(8, 2, 1, {.batch_size = 2});
    trainer->fit(*model, loader, validates ? data::Loaders(loader) : data::Loaders(),
                 {.ckpt_path = ckpt_path});
  }

 private:
  double now() const {
    if (trainer->validating() && !val_scores.empty()) return val_scores.at(validations);
    return scores.at(trainer->current_epoch());
  }
};

}  // namespace levin

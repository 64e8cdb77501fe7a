// A run with everything at once that a checkpoint must keep, for the tests of runs that are cut.
#pragma once

#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <levin/train/files/text.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "seed_model.h"

namespace levin {

// Nothing is printed while it lives.
struct Silent {
  Silent() {
    set_log_sink([](LogLevel, std::string_view) {});
  }
  ~Silent() { set_log_sink(nullptr); }
};

// Random samples: x [5] and a class of 4.
struct RandomClasses : data::Dataset {
  explicit RandomClasses(int64_t samples) : samples(samples) {}
  int64_t size() const override { return samples; }
  data::Batch get(int64_t i, Generator& generator) const override {
    return {randn({5}, generator) + static_cast<double>(i % 4), tensor(i % 4)};
  }
  int64_t samples;
};

// Logs by every hook, one name from the second epoch on only.
struct LogsEverywhere : Callback {
  void on_train_epoch_start(Trainer& trainer, LME&) override {
    trainer.log("start", static_cast<double>(trainer.current_epoch()));
    if (trainer.current_epoch() > 0) trainer.log("late", rand({}));
  }
  void on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                          int64_t batch) override {
    trainer.log("batch", static_cast<double>(batch), {.on_epoch = true, .reduce_fx = "sum"});
    trainer.log("noise", rand({}), {.on_step = true, .on_epoch = true, .batch_size = 2});
  }
  void on_validation_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                               int64_t batch, int64_t loader) override {
    trainer.log("val_largest", static_cast<double>(batch + loader), {.reduce_fx = "max"});
  }
};

// Saves within a batch's last hook, after all others.
struct SavesInBatches : Callback {
  explicit SavesInBatches(std::string folder) : folder(std::move(folder)) {}
  CallbackOrder order() const override { return CallbackOrder::checkpoint; }
  void on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                          int64_t) override {
    paths.push_back(folder + "/" + std::to_string(paths.size()) + "_in_batch.ckpt");
    trainer.save_checkpoint(paths.back());
  }
  std::string folder;
  std::vector<std::string> paths;
};

// Its state is a number and a tensor, as a weight average's is.
struct Averages : Callback {
  Value state_dict() const override {
    Value state;
    state["updates"] = updates;
    return state;
  }
  void load_state_dict(const Value& state) override { updates = state.at("updates").as_integer(); }
  std::vector<std::pair<std::string, Tensor>> state_tensors() const override {
    if (!average.defined()) return {};
    return {{"average", average}};
  }
  void load_tensors(const std::vector<std::pair<std::string, Tensor>>& tensors) override {
    average = tensors.at(0).second.clone();  // on the CPU: the first batch moves it
  }
  void on_train_batch_end(Trainer& trainer, LME& model, const AlgorithmOutput*, const data::Batch&,
                          int64_t) override {
    const NoGrad no_grad;
    const Tensor weight = model.parameters()[0].detach();
    if (average.defined()) average = average.to(weight.device());
    average = average.defined() ? average * 0.9 + weight * 0.1 : weight.clone();
    ++updates;
    trainer.log("average", average.abs().mean(), {.on_step = false, .on_epoch = true});
  }
  int64_t updates = 0;
  Tensor average;
};

// Leaves the second epoch in the middle of a window of accumulation.
struct SkippingModel : LME {
  using LME::LME;
  int on_train_batch_start(const data::Batch&, int64_t batch) override {
    return trainer().current_epoch() == 1 && batch == 7 ? -1 : 0;
  }
};

struct WholeRunOptions {
  std::string folder = {};
  int64_t epochs = 3;
  bool adam = true;  // else SGD with momentum
  uint64_t seed = 11;
  std::vector<AnyLogger> loggers = {};  // none: a CSVLogger in `folder`
  std::vector<AnyCallback> callbacks = {};
  bool many_callbacks = false;  // levin's own whose state counts
  bool handle_signals = false;
  double plot_interval = 1e9;
  std::string notes = {};  // a hyper-parameter
  int64_t samples = 36;
};

// One use: constructed, then started or fitted.
struct WholeRun {
  explicit WholeRun(const WholeRunOptions& options)
      : seeded((manual_seed(options.seed), true)),
        model(nn::Sequential(nn::Linear(5, 8), nn::ReLU(), nn::Dropout(0.3), nn::Linear(8, 4))),
        trainer(trainer_options(options)),
        train(RandomClasses(options.samples), {.batch_size = 5, .shuffle = true}),
        val({data::DataLoader(RandomClasses(7), {.batch_size = 3}),
             data::DataLoader(RandomClasses(4), {.batch_size = 3})}) {
    model.criterion_fn = [](auto& y, auto& gt) { return cross_entropy(y, gt); };
    model.metrics = {
        {"accuracy", MultiClassAccuracy(4)},
        {"confusion", MultiClassConfusionMatrix(4)},
        {"sum", CallableCoreMetric([](auto& y, auto&) { return y.sum(); }, true, false, "sum")}};
    model.checkpoint_monitors = {"loss", "accuracy"};
    model.hparams["lr"] = 0.05;
    if (!options.notes.empty()) model.hparams["notes"] = options.notes;
    model.callbacks = options.callbacks;
    model.callbacks += LogsEverywhere();
    model.callbacks += Averages();
    model.callbacks += PlotMetrics(options.plot_interval);
    if (options.many_callbacks) {
      model.callbacks += EMAWeightAveraging({.decay = 0.8, .update_every_n_steps = 2});
      model.callbacks += GradientAccumulationScheduler({{0, 3}, {1, 2}, {2, 1}});
      model.callbacks += LearningRateMonitor({.logging_interval = "step"});
      model.callbacks += EarlyStopping({.monitor = "loss", .patience = 9});
      model.callbacks += Timer("01:00:00:00");
      model.callbacks += ModelCheckpoint({.filename = "{step}",
                                          .monitor = "noise_step",
                                          .save_top_k = 2,
                                          .every_n_train_steps = 1});
    }
    if (options.adam)
      model.optimizer = optim::Adam(model.parameters(), {.lr = 0.05, .amsgrad = true});
    else
      model.optimizer =
          optim::SGD(model.parameters(), {.lr = 0.05, .momentum = 0.9, .nesterov = true});
    model.scheduler = {
        {.scheduler = optim::ReduceLROnPlateau(model.optimizer, {.factor = 0.5, .patience = 0}),
         .monitor = "val_loss"},
        {.scheduler = optim::ExponentialLR(model.optimizer, 0.9), .interval = "step"},
        {.scheduler = optim::StepLR(model.optimizer, {.step_size = 2, .gamma = 0.5})}};
    model.model_algorithm = [](LME& model,
                               const data::Batch& batch) -> std::optional<AlgorithmOutput> {
      const Trainer& trainer = model.trainer();
      if (trainer.training() && trainer.current_epoch() == 1 && trainer.batch_idx() == 4) return {};
      return feed_forward(model, {batch[0] + (randn({1}) * 0.01).to(batch[0].device()), batch[1]});
    };
  }

  static TrainerOptions trainer_options(const WholeRunOptions& options) {
    TrainerOptions made = quiet(options.folder, options.epochs);
    if (!options.loggers.empty()) made.logger = options.loggers;
    made.val_check_interval = 0.5;
    made.log_every_n_steps = 3;
    made.accumulate_grad_batches = options.many_callbacks ? 1 : 3;
    made.gradient_clip_val = 0.5;
    made.handle_signals = options.handle_signals;
    return made;
  }

  void start(const std::string& ckpt_path = "") {
    trainer.start(model, train, val, {.ckpt_path = ckpt_path});
  }
  void finish() {
    while (trainer.advance()) {
    }
  }

  bool seeded;
  SkippingModel model;
  Trainer trainer;
  data::DataLoader train;
  std::vector<data::DataLoader> val;
};

// All that a run leaves, but for times and paths.
struct RunResult {
  std::vector<double> parameters;
  std::string csv, metadata, state;
  bool operator==(const RunResult&) const = default;
};

// The parts of fit_metadata.json that do not depend on the clock and the folder.
inline std::string lasting(const std::string& text) {
  nlohmann::ordered_json metadata = nlohmann::ordered_json::parse(text);
  metadata["epoch_timestamps"] = metadata["epoch_timestamps"].size();
  for (const char* key : {"fit_start_timestamp", "fit_start_date", "epoch_average_duration",
                          "fit_end_timestamp", "fit_end_date", "fit_duration", "run_command"})
    metadata.erase(key);
  metadata["best_model"].erase("path");
  if (metadata.contains("best_models"))
    for (auto& best : metadata["best_models"]) best.erase("path");
  return metadata.dump(1);
}

// Of last.ckpt: what is to be found again in any checkpoint of the same moment. "" where there is
// none: a run that was done when it began saves nothing.
inline std::string state_of(const std::string& last_ckpt) {
  if (!std::filesystem::exists(last_ckpt)) return "";
  const Checkpoint last = load_checkpoint_file(last_ckpt);
  Value kept;
  for (const char* key : {"epoch", "global_step", "loops", "random_state", "loaders",
                          "callback_metrics", "logged", "optimizer_states", "lr_schedulers"})
    if (const Value* value = last.state.find(key)) kept[key] = *value;
  for (const char* key : {"PlotMetrics", "Averages"})
    if (const Value* value = last.state.at("callbacks").find(key)) kept[key] = *value;
  std::string text = to_json(kept, 1, NonFinite::text);
  for (const auto& [name, tensor] : last.tensors) {
    text += '\n';
    text += name;
    for (const double number : tensor.to_vector<double>()) text += ' ', text += python_repr(number);
  }
  return text;
}

inline RunResult result_of(const WholeRun& run) {
  const std::string dir = run.trainer.log_dir();
  return {parameters_of(run.model), read_whole(dir + "/metrics.csv"),
          lasting(read_whole(dir + "/fit_metadata.json")),
          state_of(dir + "/checkpoints/last.ckpt")};
}

}  // namespace levin

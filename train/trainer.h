// Trainer: runs the training of an LME.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "callback.h"
#include "data/data_loader.h"
#include "epoch_metrics.h"
#include "files/checkpoint.h"
#include "lme.h"
#include "trainer_options.h"

namespace levin::inline v0 {

class ModelCheckpoint;

/// What a run does next. Together with the counters this is all of the loop's position, so a run can
/// be done in slices, saved anywhere and resumed by the same code.
enum class Stage : uint8_t { sanity_check, epoch_start, training, validating, epoch_end, finished };

/// `Trainer({.max_epochs = 10}).fit(model, train_loader, val_loader)`. One fit at a time.
class Trainer {
 public:
  /// Throws std::invalid_argument for options that mean nothing.
  explicit Trainer(TrainerOptions options = {});
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Trains to the end. An exception from the model, a callback or a file passes on_exception, closes
  /// the logs and comes out; the model can be fitted again.
  void fit(LME& model, data::DataLoader train_loader,
           std::optional<data::DataLoader> val_loader = {}, const FitOptions& options = {});

  /// The same in slices: start(), then advance() until it returns false. Each advance() is one batch,
  /// or what happens between two.
  void start(LME& model, data::DataLoader train_loader,
             std::optional<data::DataLoader> val_loader = {}, const FitOptions& options = {});
  /// The model must live until the run is done.
  bool advance();
  /// Advances until the time is up, at least once; false when the run is done.
  bool run_for(std::chrono::nanoseconds time);

  /// Writes a checkpoint of the run as it is now. Throws std::logic_error outside a fit.
  void save_checkpoint(const std::string& path, bool weights_only = false);

  /// The model goes away in the middle of a run: the run is over, without any hook.
  void forget_model();

  /// Ends the run after the current epoch.
  bool should_stop = false;

  const TrainerOptions& options() const { return options_; }
  Stage stage() const { return at_.stage; }
  /// Epochs done; during an epoch, its number (0-based).
  int64_t current_epoch() const { return at_.epoch; }
  /// Batches after which the parameters were updated.
  int64_t global_step() const { return at_.global_step; }
  /// Batches of this epoch that are done, in training and in validation.
  int64_t batch_idx() const { return at_.batch; }
  int64_t val_batch_idx() const { return at_.val_batch; }
  int64_t num_training_batches() const { return train_loader_ ? train_loader_->size() : 0; }
  int64_t num_val_batches() const;
  bool is_resuming() const { return !ckpt_path_.empty(); }
  /// The checkpoint that the run goes on from; empty where it does not.
  const std::string& ckpt_path() const { return ckpt_path_; }
  const data::DataLoader& train_loader() const { return *train_loader_; }
  const std::optional<data::DataLoader>& val_loader() const { return val_loader_; }
  const std::vector<AnyCallback>& callbacks() const { return callbacks_; }
  const std::vector<AnyLogger>& loggers() const { return loggers_; }
  /// The first logger's folder; empty without one.
  const std::string& log_dir() const { return log_dir_; }
  /// "loss", "val_loss", "l1", ..: what an epoch logs.
  const std::vector<std::string>& metric_names() const { return metric_names_; }
  /// The last finished epoch's values. A metric without a value is missing.
  const std::vector<std::pair<std::string, double>>& callback_metrics() const {
    return callback_metrics_;
  }
  std::optional<double> callback_metric(std::string_view name) const;
  /// The mean loss of the epoch so far (it is read from the device); none before its first batch.
  std::optional<double> running_loss() const;
  /// The trainer's own checkpoints of the best epochs, in the order of model.checkpoint_monitors.
  std::vector<const ModelCheckpoint*> monitored_checkpoints() const;
  /// The first of them; null where there is none.
  const ModelCheckpoint* best_checkpoint() const;

 private:
  struct Position {
    Stage stage = Stage::finished;
    int64_t epoch = 0, batch = 0, val_batch = 0;
    int64_t batches_done = 0;  // training batches of all epochs
    int64_t global_step = 0;
  };

  // trainer.cpp
  void set_up(const FitOptions& options);
  void make_callbacks();
  void finish();
  void enter_eval();
  void leave_eval();
  void detach();
  void failed(const std::exception& error);
  template <class Action>
  auto guarded(Action action);
  template <class... Parameters, class... Arguments>
  void call(void (Callback::*hook)(Trainer&, LME&, Parameters...), Arguments&&... arguments);

  // fit_loop.cpp
  bool next();
  bool nothing_to_do() const;
  void start_loop();
  void sanity_check();
  void start_training();
  void start_epoch();
  bool train_batch();
  template <class Action>
  void for_each_optimizer(Action action);
  void train_on(const data::Batch& batch);
  void optimize(const AlgorithmOutput& output);
  bool validation_is_due() const;
  void start_validation();
  bool validate_batch(int64_t limit);
  void end_validation();
  void end_epoch();
  void log_epoch();
  void warn_of_bad_loss();

  // checkpointing.cpp
  void check_resumable(const Checkpoint& checkpoint, const std::string& path) const;
  void restore_model(const Checkpoint& checkpoint, const std::string& path);
  void restore_run(const Checkpoint& checkpoint, const std::string& path);
  void restore_position(const Checkpoint& checkpoint);

  TrainerOptions options_;
  std::vector<AnyLogger> loggers_;
  std::string log_dir_;

  LME* model_ = nullptr;
  std::optional<data::DataLoader> train_loader_, val_loader_;
  std::vector<AnyCallback> callbacks_;
  std::vector<std::string> callback_names_;
  std::vector<AnyCallback> default_checkpoints_;  // the best of each monitor, then the last
  Position at_;
  std::vector<std::pair<nn::Module*, bool>> modes_;  // of all modules, while they are in eval mode
  bool training_started_ = false;
  int64_t max_epochs_ = 0;
  bool warned_of_loss_ = false;
  std::string ckpt_path_;
  data::LoaderIterator train_batches_, val_batches_;
  EpochMetrics train_metrics_, val_metrics_;
  Generator sanity_generator_;  // the sanity check's, so that it changes nothing
  std::vector<std::string> metric_names_;
  std::vector<std::pair<std::string, double>> callback_metrics_;
  Checkpoint kept_;  // entries of the resumed checkpoint that levin does not know
};

// A hook of all callbacks, in their order.
template <class... Parameters, class... Arguments>
void Trainer::call(void (Callback::*hook)(Trainer&, LME&, Parameters...),
                   Arguments&&... arguments) {
  for (std::size_t i = 0; i < callbacks_.size(); ++i) {
    const Where where(callback_names_[i], "callback");
    ((*callbacks_[i]).*hook)(*this, *model_, arguments...);
  }
}

}  // namespace levin::inline v0

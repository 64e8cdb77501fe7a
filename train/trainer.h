// Trainer: runs the training of an LME, and its evaluations.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "callback.h"
#include "console/profiler.h"
#include "data/loaders.h"
#include "files/checkpoint.h"
#include "lme.h"
#include "metrics/epoch_metrics.h"
#include "metrics/logged_values.h"
#include "metrics/metric_values.h"
#include "precision.h"
#include "trainer_options.h"

namespace levin::inline v0 {

class CompiledBatches;
class SignalGuard;
template <class... Parameters>
struct Hook;

/// What became of compile = true.
struct CompileReport {
  int64_t replayed_batches = 0;
  /// Why batches were run as written: "training: .." and "evaluation: ..", one a line.
  std::string why_eager;
};

enum class TrainerFn : uint8_t { fit, validate, test, predict };

/// What a fit does next. Together with the counters this is all of the loop's position, so a run can
/// be done in slices, saved anywhere and resumed by the same code.
enum class Stage : uint8_t {
  sanity_check,
  epoch_start,
  training,
  validating,
  epoch_end,
  epoch_logged,  ///< the epoch is done, its row is written: what acts on it runs
  finished
};

/// How the last run ended.
enum class Status : uint8_t { idle, running, finished, interrupted, failed };

/// What callbacks hear when a run is interrupted.
struct Interrupted : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// `Trainer({.max_epochs = 10}).fit(model, train_loader, val_loader)`. One run at a time.
class Trainer {
 public:
  /// Throws std::invalid_argument for options that mean nothing.
  explicit Trainer(TrainerOptions options = {});
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Trains to the end. An exception from the model, a callback or a file passes on_exception, closes
  /// the logs and comes out; the model can be fitted again.
  void fit(LME& model, data::Loaders train_loader, data::Loaders val_loaders = {},
           const FitOptions& options = {});

  /// The same in slices: start(), then advance() until it returns false. Each advance() is one batch,
  /// or what happens between two.
  void start(LME& model, data::Loaders train_loader, data::Loaders val_loaders = {},
             const FitOptions& options = {});
  /// The model must live until the run is done.
  bool advance();
  /// Whole batches, at least one, until the time is up; false when the run is done.
  bool run_for(std::chrono::nanoseconds time);

  /// One pass over each loader, without training; the results of each. Those of test() go to
  /// test_metrics.csv and test_metadata.json, those of validate(), whose names begin with "val_", to
  /// validate_metrics.csv and validate_metadata.json.
  std::vector<MetricValues> validate(LME& model, data::Loaders loaders,
                                     const EvaluationOptions& options = {});
  std::vector<MetricValues> test(LME& model, data::Loaders loaders,
                                 const EvaluationOptions& options = {});
  /// The algorithm's y for each batch of each loader, on the CPU; an empty Batch where the algorithm
  /// skipped it.
  std::vector<std::vector<data::Batch>> predict_all(LME& model, data::Loaders loaders,
                                                    const EvaluationOptions& options = {});
  /// The same for one loader.
  std::vector<data::Batch> predict(LME& model, data::DataLoader loader,
                                   const EvaluationOptions& options = {});

  /// Writes a checkpoint of the fit as it is now. Throws std::logic_error outside a fit.
  void save_checkpoint(const std::string& path, bool weights_only = false);
  /// From now on what a batch or an epoch's end changes before it is done is kept until it is, for
  /// save_before_failure(). Until the run ends.
  void keep_progress() { keeps_progress_ = true; }
  /// In on_exception: writes a checkpoint from which the batch (or the epoch's end) that failed is
  /// done again, as if it had not begun. Where it had begun to change the parameters, it counts as
  /// done, and the checkpoint says that the resumed run is not exact.
  void save_before_failure(const std::string& path);

  /// Ends the fit after the current batch, also from another thread or a signal handler: last.ckpt is
  /// written (from which the run can go on), logs, metadata and pictures are finished, and fit()
  /// returns. Nothing outside a fit.
  void interrupt() { interrupted_ = true; }
  /// Ends the fit after the current batch with a last validation and all of an epoch's end, but not
  /// before min_epochs and min_steps. May be set from another thread.
  std::atomic<bool> should_stop = false;

  /// Adds a number to this epoch's row and to callback_metrics(); its mean over the epoch's batches
  /// where it is logged in training or validation steps.
  void log(const std::string& name, double value, const LogOptions& options = {});
  void log(const std::string& name, const Tensor& value, const LogOptions& options = {});

  const TrainerOptions& options() const { return options_; }
  /// Null where nothing is profiled.
  Profiler* profiler() const { return options_.profiler.get(); }
  TrainerFn function() const { return function_; }
  Status status() const { return status_; }
  Stage stage() const { return at_.stage; }
  bool sanity_checking() const { return at_.stage == Stage::sanity_check; }
  bool training() const;
  bool validating() const;
  bool testing() const { return is_running(TrainerFn::test); }
  bool predicting() const { return is_running(TrainerFn::predict); }

  /// Epochs done; during an epoch, its number (0-based).
  int64_t current_epoch() const { return at_.epoch; }
  /// Batches after which the parameters were updated.
  int64_t global_step() const { return at_.global_step; }
  /// Training batches of all epochs that are done.
  int64_t batches_done() const { return at_.batches_done; }
  /// Batches of this epoch that are done, in training and in evaluation (of the current loader).
  int64_t batch_idx() const { return at_.batch; }
  int64_t val_batch_idx() const { return at_.val_batch; }
  /// Of the epoch: from its on_train_batch_start on.
  bool is_last_batch() const { return at_.batch + in_step_ >= num_training_batches(); }
  /// Batches that an epoch takes, within limit_train_batches.
  int64_t num_training_batches() const { return training_batches_; }
  /// Batches of all loaders that an evaluation takes.
  int64_t num_val_batches() const;
  /// Of one loader.
  int64_t num_evaluation_batches(int64_t dataloader_idx) const;
  /// Updates of the whole fit; none where it has no end.
  std::optional<int64_t> estimated_stepping_batches() const;
  int64_t max_epochs() const { return max_epochs_; }
  int64_t accumulate_grad_batches() const { return accumulate_; }
  void set_accumulate_grad_batches(int64_t batches);

  bool is_resuming() const { return !ckpt_path_.empty(); }
  /// The checkpoint that the run goes on from, or is evaluated with; empty where there is none.
  const std::string& ckpt_path() const { return ckpt_path_; }
  bool has_validation() const { return !val_loaders_.empty(); }
  const std::vector<data::DataLoader>& train_loaders() const { return train_loader_.list(); }
  /// Of validation, or of the evaluation that runs.
  const std::vector<data::DataLoader>& val_loaders() const { return val_loaders_.list(); }
  const std::vector<AnyCallback>& callbacks() const { return callbacks_; }
  const std::vector<AnyLogger>& loggers() const { return loggers_; }
  /// The first logger's folder; empty without one.
  const std::string& log_dir() const { return log_dir_; }
  /// "loss", "val_loss", "l1", ..: what an epoch logs of the model's metrics.
  const std::vector<std::string>& metric_names() const { return metric_names_; }
  /// The last finished epoch's values, those of validation when it ends, and what was logged. A
  /// metric without a value is missing.
  const MetricValues& callback_metrics() const { return callback_metrics_; }
  /// One of them; of what is logged in steps the newest value (it is read from the device).
  std::optional<double> callback_metric(std::string_view name) const;
  /// What stands beside the progress bar: values that were logged with prog_bar.
  MetricValues progress_bar_metrics() const;
  /// The mean loss of the epoch so far (it is read from the device); none before its first batch.
  std::optional<double> running_loss() const;
  /// The callbacks of one type, in order.
  template <class C>
  std::vector<C*> callbacks_of() const;
  /// The trainer's own checkpoints of the best epochs, in the order of model.checkpoint_monitors.
  std::vector<const ModelCheckpoint*> monitored_checkpoints() const;
  /// The first of them; null where there is none.
  const ModelCheckpoint* best_checkpoint() const;

  /// How far compile = true came in this run, or in the last one.
  const CompileReport& compiled() const { return compile_report_; }

  /// Makes this the model's trainer without running it. A fit does it too.
  void attach(LME& model);
  /// The model goes away: a run of it is over, without any hook.
  void forget_model();

 private:
  struct Position {
    Stage stage = Stage::finished;
    int64_t epoch = 0, batch = 0;
    int64_t val_loader = 0, val_batch = 0;
    int64_t batches_done = 0;  // training batches of all epochs
    int64_t global_step = 0;
    int64_t validated_at = -1;    // batches_done at the end of the last validation
    bool has_validation = false;  // validation ran in this epoch: its metrics stand in val_metrics_
    bool skips_rest = false;      // of this epoch
    bool has_gradients = false;   // of batches since the last update
  };

  // trainer.cpp
  void begin(TrainerFn function, LME& model);
  void load_loaders(data::Loaders* loaders, const char* name);
  void set_up();
  void load_fit_loaders();
  Checkpoint set_up_run();
  void place_model();
  void bring_model_back();
  void count_batches(const BatchLimit& limit, const char* name);
  void make_callbacks();
  void finish();
  void finish_run();
  void compile();
  void enter_eval();
  void leave_eval();
  void release();
  void failed(const std::exception& error);
  void end_interrupted();
  template <class Action>
  auto guarded(Action action);
  bool is_running(TrainerFn function) const;
  std::string path_in_last_run(const std::string& path) const;
  std::string path_in_folders(const std::string& path) const;

  // fit_loop.cpp
  bool next();
  bool is_done();
  bool max_steps_reached() const;
  bool is_stopping();
  bool epoch_is_over();
  void start_loop();
  void sanity_check();
  void start_training();
  void start_epoch();
  void train_batch();
  void train_on(const data::Batch& batch);
  std::optional<AlgorithmOutput> train_step(const data::Batch& batch);
  template <class Work>
  const AlgorithmOutput* work_on(const data::Batch& batch, CompiledBatches* compiled, uint64_t key,
                                 Work work);
  int64_t window() const;
  bool window_ends() const;
  uint64_t step_key() const;
  template <class Action>
  void for_each_optimizer(Action action);
  void compute_gradients(const AlgorithmOutput& output);
  void update_parameters();
  void end_update();
  bool validation_is_due();
  void start_validation();
  bool validate_batch();
  void end_validation();
  void end_epoch();

  // epoch_log.cpp
  template <class Use>
  void each_metric(Use use);
  void publish_epoch();
  void publish_logged();
  void log_epoch();
  void write_row(Value::Map row);
  void log_step();
  MetricValues publish(const EpochMetrics& metrics, const std::string& prefix,
                       const std::string& suffix);
  void warn_of_bad_loss();
  void warn_of_one_class();

  // schedule.cpp
  void check_schedulers() const;
  void step_schedulers(bool per_step);

  // evaluation.cpp
  void start_evaluation();
  void open_loader(int64_t number);
  bool evaluate_batch(EpochMetrics* metrics);
  void end_evaluation();
  const data::Batch& prepared(const data::Batch& batch);
  static double size_of(const data::Batch& batch);
  std::optional<AlgorithmOutput> run_algorithm(const data::Batch& batch);
  void begin_evaluation(TrainerFn function, LME& model, data::Loaders loaders,
                        const EvaluationOptions& options);
  void set_up_evaluation();
  std::vector<MetricValues> evaluate(TrainerFn function, LME& model, data::Loaders loaders,
                                     const EvaluationOptions& options);

  // checkpointing.cpp
  Checkpoint checkpoint_at(const Position& at, bool weights_only);
  void save_run(const Position& at, Checkpoint* checkpoint);
  void save_progress(const Position& at, Checkpoint* checkpoint) const;
  void note_progress(bool with_callbacks);
  void check_resumable(const Checkpoint& checkpoint, const std::string& path) const;
  void restore_model(const Checkpoint& checkpoint, const std::string& path);
  void restore_callbacks(const Checkpoint& checkpoint);
  void restore_run(const Checkpoint& checkpoint, const std::string& path);
  void restore_position(const Checkpoint& checkpoint);
  void keep_old_artifacts();

  /// A hook of all callbacks in their order, then the model's; its parts: the callbacks from one order
  /// to another, the model's, that of one callback.
  template <class... Parameters, class... Arguments>
  void call(const Hook<Parameters...>& hook, Arguments&&... arguments);
  template <class... Parameters, class... Arguments>
  void call_callbacks(CallbackOrder first, CallbackOrder last, const Hook<Parameters...>& hook,
                      Arguments&&... arguments);
  template <class... Parameters, class... Arguments>
  void call_model(const Hook<Parameters...>& hook, Arguments&&... arguments);
  template <class... Parameters, class... Arguments>
  void call_one(std::size_t callback, const Hook<Parameters...>& hook, Arguments&&... arguments);

  TrainerOptions options_;
  std::vector<AnyLogger> loggers_;
  std::string log_dir_;
  std::unique_ptr<SignalGuard> signals_;
  std::atomic<bool> interrupted_ = false;

  LME* model_ = nullptr;       // of the run
  LME* attached_ = nullptr;    // the model whose trainer this is
  Device device_, came_from_;  // of the run; of the model before it
  std::optional<Precision> precision_;
  TrainerFn function_ = TrainerFn::fit;
  Status status_ = Status::idle;
  data::Loaders train_loader_, val_loaders_;
  int64_t training_batches_ = 0;
  std::vector<int64_t> val_batch_counts_;
  std::vector<AnyCallback> callbacks_;
  Callback plain_callback_;  // whose hooks do nothing
  std::vector<std::string> callback_names_;
  Position at_;
  std::vector<std::pair<nn::Module*, bool>> modes_;  // of all modules, while they are in eval mode
  bool training_started_ = false;
  bool in_batch_ = false, in_step_ = false;  // of training; until the batch is counted
  double batch_size_ = 1;                    // of the batch that is worked on
  int64_t max_epochs_ = 0, accumulate_ = 1, check_interval_ = 1, batches_run_ = 0;
  Value resumed_random_;
  Tensor one_class_batches_;  // int64 []: see OneClassBatches
  bool warned_of_one_class_ = false, warned_of_loss_ = false, told_to_go_on_ = false;
  std::string ckpt_path_;
  data::LoaderIterator train_batches_, val_batches_;
  data::Batch prepared_;
  std::optional<AlgorithmOutput>
      output_;  // of the batch that is worked on, where nothing is compiled
  std::unique_ptr<CompiledBatches> compiled_training_, compiled_evaluation_;
  CompileReport compile_report_;
  EpochMetrics train_metrics_, val_metrics_;
  LoggedValues logged_;
  Generator sanity_generator_;  // the sanity check's, so that it changes nothing
  std::vector<std::string> metric_names_;
  MetricValues callback_metrics_;
  Checkpoint kept_;  // entries of the resumed checkpoint that levin does not know
  bool keeps_progress_ = false, in_flight_ = false, updating_ = false;
  Position noted_at_;  // where what is in flight began, and what it may change
  Checkpoint noted_;
};

// An exception ends the run in good order before it goes on to the caller.
template <class Action>
auto Trainer::guarded(Action action) {
  try {
    return action();
  } catch (const std::exception& error) {
    failed(error);
    throw;
  } catch (...) {
    failed(std::runtime_error("an exception that is no std::exception"));
    throw;
  }
}

template <class C>
std::vector<C*> Trainer::callbacks_of() const {
  std::vector<C*> found;
  for (const AnyCallback& callback : callbacks_)
    if (auto* same = dynamic_cast<C*>(callback.get())) found.push_back(same);
  return found;
}

}  // namespace levin::inline v0

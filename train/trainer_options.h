// What a Trainer, a fit and an evaluation are told.
#pragma once

#include <chrono>
#include <concepts>
#include <optional>
#include <string>
#include <vector>

#include "callback.h"
#include "console/profiler.h"
#include "loggers/logger.h"

namespace levin::inline v0 {

/// `CSVLogger("")`, a list of loggers, false for none, true for the default: a CSVLogger in
/// default_root_dir.
class LoggerOption {
 public:
  LoggerOption(bool on = true) : is_default_(on) {}
  template <class L>
  requires std::is_base_of_v<Logger, std::remove_cvref_t<L>> LoggerOption(L&& logger)
      : loggers_{AnyLogger(std::forward<L>(logger))} {}
  LoggerOption(AnyLogger logger) : loggers_{std::move(logger)} {}
  LoggerOption(std::vector<AnyLogger> loggers) : loggers_(std::move(loggers)) {}
  LoggerOption(std::initializer_list<AnyLogger> loggers) : loggers_(loggers) {}

  bool is_default() const { return is_default_; }
  const std::vector<AnyLogger>& list() const { return loggers_; }

 private:
  bool is_default_ = false;
  std::vector<AnyLogger> loggers_;
};

/// How many batches: an integer is a number of them, a floating number the part of all of them, 0 to
/// 1. So 1 is one batch and 1.0 all.
class BatchLimit {
 public:
  template <std::integral T>
  BatchLimit(T count) : value_(static_cast<double>(count)), is_part_(false) {}
  template <std::floating_point T>
  BatchLimit(T part) : value_(static_cast<double>(part)), is_part_(true) {}

  bool is_part() const { return is_part_; }
  double value() const { return value_; }
  /// Throws std::invalid_argument where it is no part and no number; `name` is the option's.
  void check_valid(const char* name) const;
  /// Of `batches` as many as it allows. Throws std::invalid_argument where a part gives none.
  int64_t of(int64_t batches, const char* name) const;

 private:
  double value_;
  bool is_part_;
};

/// A length of time: "DD:HH:MM:SS" or a std::chrono duration.
class Duration {
 public:
  /// Throws std::invalid_argument for another form.
  Duration(const char* text) : Duration(std::string(text)) {}
  Duration(const std::string& text);
  template <class Rep, class Period>
  Duration(std::chrono::duration<Rep, Period> time)
      : seconds_(std::chrono::duration<double>(time).count()) {}

  double seconds() const { return seconds_; }

 private:
  double seconds_;
};

/// Lightning's names and defaults. A variable PL_TRAINER_<NAME> of the environment gives a number,
/// truth value or text where the program leaves the default.
struct TrainerOptions {
  /// "cpu"; "gpu" or "cuda": model and batches go to the first GPU, the model comes back when the run
  /// ends; "auto": the GPU where there is one.
  std::string accelerator = "auto";
  int64_t devices = 1;
  /// "64-true": model and batches become float64. "bf16-mixed", and on GPUs "16-mixed": the algorithm
  /// runs under Autocast, parameters stay float32.
  std::string precision = "32-true";
  std::optional<int64_t> max_epochs = {};  ///< none: 1000, with a warning; -1: no limit
  std::optional<int64_t> min_epochs = {};  ///< a stop before is put off
  int64_t max_steps = -1;                  ///< batches with an update; -1: no limit
  std::optional<int64_t> min_steps = {};   ///< a stop before is put off
  std::optional<Duration> max_time = {};   ///< adds a Timer
  LoggerOption logger = true;
  std::vector<AnyCallback> callbacks = {};
  int64_t fast_dev_run = 0;  ///< so many batches of everything, one epoch, nothing written
  BatchLimit limit_train_batches = 1.0;
  BatchLimit limit_val_batches = 1.0;  ///< 0: no validation
  BatchLimit limit_test_batches = 1.0;
  BatchLimit limit_predict_batches = 1.0;
  BatchLimit overfit_batches = 0.0;  ///< above 0: limits training and validation; nothing shuffled
  /// After which part of the epoch, or after how many batches, validation runs.
  BatchLimit val_check_interval = 1.0;
  /// None: val_check_interval counts batches across epochs.
  std::optional<int64_t> check_val_every_n_epoch = 1;
  int64_t num_sanity_val_steps = 2;  ///< validation batches before training; -1: all
  int64_t log_every_n_steps = 50;    ///< of what is logged in steps; 0: never
  bool enable_checkpointing = true;
  bool enable_progress_bar = true;
  bool enable_model_summary = true;
  int64_t accumulate_grad_batches = 1;  ///< batches between two updates, which take their mean
  std::optional<double> gradient_clip_val = {};
  std::string gradient_clip_algorithm = "norm";  ///< of each optimizer's parameters; or "value"
  bool deterministic = true;                     ///< levin always is
  bool benchmark = false;                        ///< without effect: nothing is chosen by timing
  bool inference_mode = true;    ///< without effect: evaluations never record for backward
  ProfilerOption profiler = {};  ///< "simple", or one of one's own
  bool detect_anomaly = false;
  /// Batches are captured steps (autograd/captured_step.h): from the third on of each shape they are
  /// repeated without calling the algorithm, the metrics and the optimizer, in less time and with
  /// the same bits. An output lasts until the next batch. What stands against it is logged.
  bool compile = false;
  bool barebones = false;  ///< no logs, checkpoints, bars, summary and sanity check
  int64_t reload_dataloaders_every_n_epochs = 0;  ///< asks factories of loaders again
  std::string default_root_dir = {};              ///< empty: the current folder
  /// SIGINT and SIGTERM end a fit as interrupt() does; the second one at once. Handlers of before
  /// come back with the fit's end.
  bool handle_signals = false;
};

struct FitOptions {
  std::string ckpt_path =
      {};  ///< a full checkpoint to go on from; "last" or "best": this trainer's
};

struct EvaluationOptions {
  std::string ckpt_path = {};  ///< whose weights are used; empty: the model's own; "best", "last"
  bool verbose = true;         ///< prints the table of results
};

/// What is wrong with the options, as an exception; else the options with the environment's
/// defaults and with what fast_dev_run and barebones mean.
TrainerOptions checked(TrainerOptions options);

/// Options by name, as far as they are numbers, truth values and texts.
Value described(const TrainerOptions& options);

}  // namespace levin::inline v0

// MultiTrainer: the same training from several seeds, of which the best is kept.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trainer.h"

namespace levin::inline v0 {

struct MultiTrainerOptions {
  /// Which run is the best, "loss" or one of model.metrics: by the metric's own direction, the loss
  /// by its smallest. Of several validation loaders the first counts.
  std::string relevant_metric = "loss";
  /// Threads, each with one run at a time; -1: as many as there are cores, or runs; 0: one run after
  /// the other. The numbers are the same for all.
  int64_t n_devices = -1;
  /// Run i has the seed `seed + i`: for its weights, all random numbers in it and, where its
  /// loader has no seed of its own, shuffling. Validation data are the same in all runs.
  uint64_t seed = 0;
  /// Makes the callbacks of one run; asked by one thread at a time. Runs cannot share callbacks, so
  /// those of the trainer and the model are replaced by these.
  std::function<std::vector<AnyCallback>(int64_t run)> callbacks = {};
};

/// `MultiTrainer(trainer, 5, {.n_devices = 0}).fit(model, train_loader, val_loader)` trains five
/// copies of the model (LME::clone()) with new initial weights, tests the best checkpoint of each
/// on the validation data, and keeps all of a run in `<log_dir>/MultiTrainer/<run>`. A run is done
/// once its results.json is there: a second MultiTrainer with the same folder does the runs that are
/// missing only, and goes on with a half-finished one from its last.ckpt, with the same bits.
/// Then `<log_dir>/MultiTrainer/fit_metrics.csv` has a row for each run, and one named "mean" and
/// one named "std" (the sample deviation, n - 1) over those with a number; links in `<log_dir>` lead to
/// the best run's files. Files and links of others are never replaced or removed.
///
/// Where several runs go at once, the model's functions, datasets and functions that make loaders are
/// called by several threads at once, and there are no progress bars and summaries.
class MultiTrainer {
 public:
  /// Every run has a Trainer with the options of this one, and loggers of the same kind, which need
  /// Logger::in_folder(). Throws std::invalid_argument for less than one run, for no logger, and for
  /// more devices than cores.
  MultiTrainer(Trainer& trainer, int64_t num_trains, MultiTrainerOptions options = {});
  MultiTrainer(TrainerOptions trainer, int64_t num_trains, MultiTrainerOptions options = {});
  ~MultiTrainer();
  MultiTrainer(const MultiTrainer&) = delete;
  MultiTrainer& operator=(const MultiTrainer&) = delete;

  /// A run that throws is tried again later, 5 times in all for all runs; then the errors come out in
  /// one std::invalid_argument, and what is done stays. Throws std::runtime_error where another
  /// MultiTrainer is at work in the folder, std::logic_error for a second fit.
  void fit(LME& model, data::Loaders train_loader, data::Loaders val_loaders = {});
  /// Ends all runs after their current batch, also from another thread: they have their last.ckpt,
  /// fit() returns, and done() is false. So does a signal, and Trainer::interrupt() of a run.
  void interrupt() { stopped_ = true; }

  /// Trainer::test of the trainer itself; the path "best" is best_model_path().
  std::vector<MetricValues> test(LME& model, data::Loaders loaders,
                                 const EvaluationOptions& options = {});

  int64_t num_trains() const { return num_trains_; }
  int64_t size() const { return num_trains_; }
  /// fit() has come to its end.
  bool done() const { return done_; }
  /// Runs that are done, also by others before.
  int64_t done_so_far() const { return static_cast<int64_t>(results().size()); }
  /// The number of the best run. Throws std::logic_error before done(), and where no run has a
  /// number.
  int64_t best_id() const;
  /// The checkpoint of the best run's best epoch; empty where it keeps none.
  std::string best_model_path() const;
  /// The test results of each run that is done, in their order; what is not finite is NaN. Throws
  /// std::invalid_argument where they have different metrics.
  std::vector<MetricValues> fit_metrics() const;
  /// The names in fit_metrics().
  std::vector<std::string> metrics() const;
  const std::vector<AnyLogger>& loggers() const { return trainer_->loggers(); }
  Logger& logger() const { return *loggers()[0]; }
  /// The first logger's folder, which is made where it is not there yet.
  std::string log_dir() const;

 private:
  struct Result {
    int64_t run = 0;
    MetricValues metrics;
    std::string best_model_path;
  };
  struct Work;

  MultiTrainer(std::shared_ptr<Trainer> trainer, int64_t num_trains, MultiTrainerOptions options);

  // multi_trainer.cpp
  void check_fit(const LME& model) const;
  void do_runs(Work* work);
  void do_run(Work* work, int64_t run);

  // multi_results.cpp
  std::string runs_folder() const { return log_dir() + "/MultiTrainer"; }
  std::string folder_of(int64_t run) const { return runs_folder() + "/" + std::to_string(run); }
  std::string result_path(int64_t run) const { return folder_of(run) + "/results.json"; }
  std::vector<Result> results() const;
  void save_result(int64_t run, const std::vector<MetricValues>& tested,
                   const std::string& best_model_path) const;
  void choose_best(const LME& model);
  void write_summary() const;
  void link_best() const;

  std::shared_ptr<Trainer> trainer_;  // without ownership where it is the user's
  int64_t num_trains_;
  MultiTrainerOptions options_;
  std::atomic<bool> stopped_ = false;
  bool done_ = false;
  int64_t best_id_ = -1;
  std::string best_model_path_;
};

}  // namespace levin::inline v0

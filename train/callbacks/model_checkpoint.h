// ModelCheckpoint: keeps the best states of a fit, or the last one, as checkpoint files.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../callback.h"

namespace levin::inline v0 {

/// Whether there is a last.ckpt: true, false, or "link". It always holds the newest state. Where a
/// file of the best was saved just now it is a second name of that file (a hard link), with "link" a
/// relative symbolic link to it.
class SaveLast {
 public:
  SaveLast(bool on = false) : is_on_(on) {}
  /// Throws std::invalid_argument for another text than "link".
  SaveLast(const char* how);
  explicit operator bool() const { return is_on_; }
  bool is_link() const { return is_link_; }

 private:
  bool is_on_ = true, is_link_ = false;
};

/// Lightning's names and defaults. At most one of the three intervals is given; none: every epoch.
struct ModelCheckpointOptions {
  std::string dirpath = {};   ///< empty: <log_dir>/checkpoints
  std::string filename = {};  ///< "{epoch:02d}-{val_loss:.3f}"; empty: "{epoch}-{step}"
  std::string monitor = {};   ///< a logged metric; empty: the newest state is the best
  bool verbose = false;       ///< says what it saves
  SaveLast save_last = false;
  int64_t save_top_k = 1;  ///< -1: all, 0: none
  bool save_weights_only = false;
  std::string mode = "min";
  bool auto_insert_metric_name = true;              ///< "epoch=9-val_loss=1.192", else "9-1.192"
  std::optional<int64_t> every_n_train_steps = {};  ///< at the batch after which global_step is one
  std::optional<std::chrono::duration<double>> train_time_interval = {};  ///< at the batch's end
  std::optional<int64_t> every_n_epochs = {};  ///< for the best: last.ckpt is of every epoch
  /// Epochs are saved at their end, or (false) when a validation ends. None: at their end unless
  /// validation runs more or less often than once an epoch.
  std::optional<bool> save_on_train_epoch_end = {};
  /// "-v1", "-v2" is added to a name that is taken by another file; else that is overwritten. (Files
  /// that a run has written after the checkpoint from which it goes on are no others.)
  bool enable_version_counter = true;
};

/// Nothing is saved outside a fit, in its sanity check, with fast_dev_run, and where no parameter was
/// updated since its last save. At an epoch's end it saves after the epoch's row is logged. A metric
/// that is NaN is never the best. A file that falls out of the best k is removed once the new one is
/// on the disk, where it lies in this callback's folder and the run does not go on from it.
class ModelCheckpoint : public Callback {
 public:
  /// Throws std::invalid_argument for a mode, file name, interval or save_top_k that means nothing,
  /// and for save_top_k above 1 without a monitor.
  explicit ModelCheckpoint(ModelCheckpointOptions options = {});

  CallbackOrder order() const override { return CallbackOrder::checkpoint; }
  std::string state_key() const override;
  Value state_dict() const override;
  /// In another folder than before only the path of the best is taken over, with a warning. With the
  /// environment variable LME_LOAD_MODEL_CHECKPOINT_BEST_SCORES=1 the best are: their files are
  /// copied into the new folder.
  void load_state_dict(const Value& state) override;
  void setup(Trainer& trainer, LME& model) override;
  void on_train_start(Trainer& trainer, LME& model) override;
  void on_train_batch_end(Trainer& trainer, LME& model, const AlgorithmOutput* output,
                          const data::Batch& batch, int64_t batch_idx) override;
  /// on_..._end: throw std::invalid_argument where the monitor is nothing that is logged (before the
  /// first validation: a warning).
  void on_validation_end(Trainer& trainer, LME& model) override;
  void on_train_epoch_end(Trainer& trainer, LME& model) override;

  /// Writes last.ckpt of the run as it is now.
  void save_last_now(Trainer& trainer);

  const ModelCheckpointOptions& options() const { return options_; }
  const std::string& dirpath() const { return dirpath_; }
  /// Empty before the first save, and while every score is NaN.
  const std::string& best_model_path() const { return best_model_path_; }
  /// None where there is no best, and without a monitor.
  std::optional<double> best_model_score() const { return best_model_score_; }
  /// Paths and scores, best first; the score of NaN is the worst there is. Empty without a monitor.
  const std::vector<std::pair<std::string, double>>& best_k_models() const { return kept_; }
  /// The worst of them, which the next better one replaces; empty while there are fewer than k.
  std::string kth_best_model_path() const { return is_full() ? kept_.back().first : ""; }
  double kth_value() const { return is_full() ? kept_.back().second : worst(); }
  const std::string& last_model_path() const { return last_model_path_; }
  void set_last_model_path(const std::string& path) { last_model_path_ = path; }
  /// Of the newest file among the best.
  std::optional<double> current_score() const { return current_score_; }

 private:
  struct Saved {
    std::string path, evicted;  // empty for nothing
  };
  bool has_nothing_to_save(const Trainer& trainer) const;
  bool saves_at_epoch_end(const Trainer& trainer) const;
  void end_epoch(Trainer& trainer);
  void save_all(Trainer& trainer, bool best_too);
  Saved save_newest(Trainer& trainer);
  Saved save_best(Trainer& trainer);
  void save_last(Trainer& trainer, const std::string& saved);
  std::optional<double> monitored(const Trainer& trainer);
  bool is_full() const;
  double worst() const;
  bool better(double a, double b) const { return options_.mode == "max" ? a > b : a < b; }
  void find_best();
  void adopt_files(const std::string& old_folder);
  std::string file_name(const Trainer& trainer) const;
  bool is_own(const std::string& path) const;
  std::string free_path(const std::string& name, const std::string& own) const;
  void save(Trainer& trainer, const std::string& path);
  void remove(const Trainer& trainer, const std::string& path) const;

  ModelCheckpointOptions options_;
  int64_t every_n_steps_ = 0, every_n_epochs_ = 0;
  std::string dirpath_, best_model_path_, last_model_path_;
  std::optional<double> best_model_score_, current_score_;
  std::vector<std::pair<std::string, double>> kept_;  // best first
  int64_t saved_step_ = 0;                            // the global step of the newest file
  std::chrono::steady_clock::time_point saved_at_;
  std::optional<int64_t>
      resumed_from_;          // the file time of the checkpoint that the run goes on from
  bool same_folder_ = false;  // as the run's before
  bool in_fit_ = false, validated_ = false, warned_ = false;
};

}  // namespace levin::inline v0

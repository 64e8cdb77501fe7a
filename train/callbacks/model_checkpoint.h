// ModelCheckpoint: keeps the best epochs, or the last one, as checkpoint files.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../callback.h"

namespace levin::inline v0 {

struct ModelCheckpointOptions {
  std::string dirpath = {};   ///< empty: <log_dir>/checkpoints
  std::string filename = {};  ///< "{epoch:02d}-{val_loss:.3f}"; empty: "{epoch}-{step}"
  std::string monitor = {};   ///< a logged metric; empty: the newest epoch is the best
  std::string mode = "min";
  int64_t save_top_k = 1;  ///< -1: all, 0: none
  bool save_last = false;  ///< last.ckpt after every epoch
  bool save_weights_only = false;
  bool auto_insert_metric_name = true;  ///< "epoch=9-val_loss=1.192", else "9-1.192"
  int64_t every_n_epochs = 1;           ///< for the best: last.ckpt is of every epoch
  bool verbose = false;
};

/// Saves at the end of training epochs, after their row is logged. A metric that is NaN is never
/// better than a number. Files of other runs are never overwritten: "-v1", "-v2" is added to a name
/// that is taken. A file that falls out of the best k is removed once the new one is on the disk.
class ModelCheckpoint : public Callback {
 public:
  /// Throws std::invalid_argument for a mode, file name, save_top_k or every_n_epochs that means
  /// nothing, and for save_top_k above 1 without a monitor.
  explicit ModelCheckpoint(ModelCheckpointOptions options = {});

  CallbackOrder order() const override { return CallbackOrder::checkpoint; }
  std::string state_key() const override;
  Value state_dict() const override;
  /// The list of the best is only taken over where the folder is the same; else the path of the best.
  void load_state_dict(const Value& state) override;
  void setup(Trainer& trainer, LME& model) override;
  /// Throws std::invalid_argument where the monitor is no metric of the model.
  void on_train_epoch_end(Trainer& trainer, LME& model) override;

  /// Writes last.ckpt of the run as it is now.
  void save_last_now(Trainer& trainer);

  const ModelCheckpointOptions& options() const { return options_; }
  const std::string& dirpath() const { return dirpath_; }
  /// Empty before the first save.
  const std::string& best_model_path() const { return best_model_path_; }
  /// None before the first save, and without a monitor.
  std::optional<double> best_model_score() const { return best_model_score_; }
  /// Paths and scores, best first; the score of NaN is the worst there is.
  const std::vector<std::pair<std::string, double>>& best_k_models() const { return kept_; }
  const std::string& last_model_path() const { return last_model_path_; }

 private:
  std::string save_best(Trainer& trainer);
  void save_last(Trainer& trainer, const std::string& saved);
  /// This epoch's value of the monitor; none where there is none.
  std::optional<double> monitored(const Trainer& trainer);
  /// The score to rank by: NaN is the worst.
  double rank(double score) const;
  bool better(double a, double b) const { return options_.mode == "max" ? a > b : a < b; }
  std::string file_name(const Trainer& trainer) const;
  std::string free_path(const std::string& name, const std::string& own) const;
  void save(Trainer& trainer, const std::string& path);
  void remove(const Trainer& trainer, const std::string& path) const;

  ModelCheckpointOptions options_;
  std::string dirpath_, best_model_path_, last_model_path_;
  std::optional<double> best_model_score_;
  std::vector<std::pair<std::string, double>> kept_;  // best first
  int64_t saved_step_ = 0;                            // the global step of the newest file
  bool warned_ = false;
};

}  // namespace levin::inline v0

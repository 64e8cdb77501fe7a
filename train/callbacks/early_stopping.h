// EarlyStopping: ends a fit whose metric does not improve any more.
#pragma once

#include <cmath>
#include <optional>
#include <string>

#include "../callback.h"

namespace levin::inline v0 {

struct EarlyStoppingOptions {
  std::string monitor = {};  ///< "val_loss", or anything else that is logged
  double min_delta = 0;      ///< an improvement is a change by more than this
  int64_t patience = 3;      ///< so many checks in a row without improvement stop the fit
  bool verbose = false;      ///< logs what improved, and why it stops
  std::string mode = "min";
  bool strict = true;                               ///< a monitor that is not there is an error
  bool check_finite = true;                         ///< NaN and infinities stop the fit
  std::optional<double> stopping_threshold = {};    ///< better than this stops it: good enough
  std::optional<double> divergence_threshold = {};  ///< worse than this stops it: hopeless
  /// None: after every training epoch, but after every validation where validation is not once an
  /// epoch.
  std::optional<bool> check_on_train_epoch_end = {};
};

/// Sets Trainer::should_stop; min_epochs and min_steps put that off, and then the next check decides
/// anew. A run that it has stopped ends at once when it is resumed. An epoch without validation says
/// nothing of a validation metric. Not in fast_dev_run.
class EarlyStopping : public Callback {
 public:
  /// Throws std::invalid_argument for options that mean nothing.
  explicit EarlyStopping(EarlyStoppingOptions options);

  CallbackOrder order() const override { return CallbackOrder::monitoring; }
  std::string state_key() const override;
  Value state_dict() const override;
  void load_state_dict(const Value& state) override;
  void setup(Trainer& trainer, LME& model) override;
  void on_fit_start(Trainer& trainer, LME& model) override;
  /// Both throw std::logic_error where the monitor is not logged at all, unless strict is false.
  void on_train_epoch_end(Trainer& trainer, LME& model) override;
  void on_validation_end(Trainer& trainer, LME& model) override;

  const EarlyStoppingOptions& options() const { return options_; }
  /// With the sign of an improvement: negative for mode "min".
  double min_delta() const { return is_max() ? options_.min_delta : -options_.min_delta; }
  int64_t wait_count() const { return wait_count_; }
  /// The epoch that was the last; 0 before.
  int64_t stopped_epoch() const { return stopped_epoch_; }
  /// Infinity before the first check; -infinity for mode "max".
  double best_score() const { return best_score_; }

 private:
  bool is_max() const { return options_.mode == "max"; }
  double worst() const { return is_max() ? -INFINITY : INFINITY; }
  bool better(double a, double b) const { return is_max() ? a > b : a < b; }
  void run_check(Trainer& trainer);
  void note_missing(const Trainer& trainer);
  /// Should the fit stop? And in words.
  bool decide(double current, std::string* reason);
  std::string improvement(double current) const;

  EarlyStoppingOptions options_;
  bool checks_epochs_ = true, stopped_ = false, warned_ = false;
  bool is_own_stop_ = false;  // Trainer::should_stop was set here
  int64_t wait_count_ = 0, stopped_epoch_ = 0;
  double best_score_;
};

}  // namespace levin::inline v0

// ReduceLROnPlateau: a smaller rate when a metric no longer gets better.
#pragma once

#include "../lr_scheduler.h"
#include "per_group.h"

namespace levin::inline v0::optim {

/// torch's options and defaults.
struct ReduceLROnPlateauOptions {
  std::string mode = "min";  ///< or "max": what is better
  double factor = 0.1;       ///< below 1
  int64_t patience = 10;     ///< how many epochs in a row may be no better
  double threshold = 1e-4;   ///< how much better counts: a part of the best value with "rel"
  std::string threshold_mode = "rel";  ///< or "abs"
  int64_t cooldown = 0;                ///< epochs after a reduction that do not count
  PerGroup min_lr = 0.0;
  double eps = 1e-8;  ///< a smaller change is not made
};

/// lr = max(lr factor, min_lr) once the metric was no better for more than `patience` epochs. NaN is
/// never better.
///
/// One's own reductions, in a class derived from this:
///
///     void step(std::optional<double>) override { ++last_epoch_, reduce_lr(); }
class ReduceLROnPlateau : public LRScheduler {
 public:
  explicit ReduceLROnPlateau(AnyOptimizer optimizer, const ReduceLROnPlateauOptions& options = {});
  AnyScheduler rebound(const AnyOptimizer& optimizer) const override {
    return rebound_copy(*this, optimizer);
  }
  void fields(Fields& fields) override;
  /// Throws std::invalid_argument without a metric.
  void step(std::optional<double> metric = {}) override;
  bool needs_metric() const override { return true; }
  std::optional<double> factor() const override { return factor_; }
  void restart() override;
  double best() const { return best_; }
  int64_t num_bad_epochs() const { return num_bad_epochs_; }

 protected:
  bool is_better(double metric) const;
  void reduce_lr();

  bool is_max_, is_relative_;
  double factor_, threshold_, eps_, best_;
  int64_t patience_, cooldown_, num_bad_epochs_ = 0, cooldown_counter_ = 0;
  std::vector<double> min_lrs_;
};

}  // namespace levin::inline v0::optim

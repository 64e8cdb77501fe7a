// PlotMetrics: a picture of every metric, over all epochs.
#pragma once

#include "../callback.h"
#include "metric_record.h"

namespace levin::inline v0 {

/// Draws <log_dir>/<metric>.png: at the end of the fit, when it fails, and in between at most once
/// in `interval` seconds. Nothing where the trainer has no logger, and none for a metric that is no
/// number.
class PlotMetrics : public Callback {
 public:
  explicit PlotMetrics(double interval = 1) : interval_(interval) {}

  Value state_dict() const override { return record_.values(); }
  void load_state_dict(const Value& state) override { record_.load(state); }
  void setup(Trainer& trainer, LME& model) override;
  void on_fit_start(Trainer& trainer, LME& model) override;
  /// A checkpoint of an epoch's end holds that epoch's values too.
  void on_save_checkpoint(Trainer& trainer, LME& model, Value& checkpoint) override;
  void on_epoch_logged(Trainer& trainer, LME& model) override;
  void on_fit_end(Trainer& trainer, LME& model) override;
  void on_exception(Trainer& trainer, LME& model, const std::exception& error) override;

 private:
  void draw(const Trainer& trainer, const LME& model);

  double interval_, drawn_at_ = 0;
  bool drawn_ = true;  // the pictures show all epochs
  MetricRecord record_;
};

}  // namespace levin::inline v0

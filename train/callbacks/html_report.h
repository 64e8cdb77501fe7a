// HtmlReport: a page that shows how a run went.
#pragma once

#include "../callback.h"
#include "metric_record.h"

namespace levin::inline v0 {

enum class RunState : uint8_t;

/// Writes <log_dir>/report.html: the curves of all metrics, learning rates, times, the model and the
/// configuration, in one file that any browser opens and prints, without a network. It is written at
/// the end of the fit, when it fails, and in between at most once in `interval` seconds and for at
/// most a twentieth of the time. Nothing where the trainer has no logger.
class HtmlReport : public Callback {
 public:
  explicit HtmlReport(double interval = 5) : interval_(interval) {}

  Value state_dict() const override;
  void load_state_dict(const Value& state) override;
  void setup(Trainer& trainer, LME& model) override;
  void teardown(Trainer& trainer, LME& model) override;
  void on_fit_start(Trainer& trainer, LME& model) override;
  void on_train_epoch_start(Trainer& trainer, LME& model) override;
  /// A checkpoint of an epoch's end holds that epoch's values too.
  void on_save_checkpoint(Trainer& trainer, LME& model, Value& checkpoint) override;
  void on_epoch_logged(Trainer& trainer, LME& model) override;
  void on_fit_end(Trainer& trainer, LME& model) override;
  void on_exception(Trainer& trainer, LME& model, const std::exception& error) override;

 private:
  void append(const Trainer& trainer);
  void write(const Trainer& trainer, const LME& model, RunState state,
             const std::string& error = "");

  double interval_, next_write_ = 0, epoch_began_ = 0;
  bool started_ = false;
  uint64_t seed_ = 0;
  MetricRecord record_;
  Value seconds_;  // a number for each epoch
};

}  // namespace levin::inline v0

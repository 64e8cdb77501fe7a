// LearningRateMonitor: the learning rates as columns of the log.
#pragma once

#include <string>

#include "../callback.h"

namespace levin::inline v0 {

struct LearningRateMonitorOptions {
  /// "epoch": the rates that an epoch begins with, in its row; "step": every log_every_n_steps
  /// batches; empty: each scheduler's own interval, "epoch" where there is none.
  std::string logging_interval = {};
  bool log_momentum = false;  ///< momentum, or the first of betas; 0 where there is neither
  bool log_weight_decay = false;
};

/// Columns are "lr-SGD", "lr-SGD-1" for a further SGD, or the name of the scheduler's config;
/// "lr-SGD/pg1", "lr-SGD/pg2" where an optimizer has several groups; with "-momentum" and
/// "-weight_decay". The values are those that the epoch or step is trained with. Needs a logger.
class LearningRateMonitor : public Callback {
 public:
  /// Throws std::invalid_argument for another interval.
  explicit LearningRateMonitor(LearningRateMonitorOptions options = {});

  /// Throws std::invalid_argument where the trainer has no logger.
  void setup(Trainer& trainer, LME& model) override;
  void on_fit_start(Trainer& trainer, LME& model) override;
  void on_train_epoch_start(Trainer& trainer, LME& model) override;
  void on_train_batch_start(Trainer& trainer, LME& model, const data::Batch& batch,
                            int64_t batch_idx) override;

 private:
  void log_rates(Trainer& trainer, const LME& model, const std::string& interval) const;

  LearningRateMonitorOptions options_;
};

}  // namespace levin::inline v0

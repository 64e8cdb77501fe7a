// GradientAccumulationScheduler: how many batches make one update, by epoch.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "../callback.h"

namespace levin::inline v0 {

/// `GradientAccumulationScheduler({{0, 8}, {4, 2}})`: 8 batches an update, 2 from epoch 4 on. Before
/// the first epoch that is named it is 1.
class GradientAccumulationScheduler : public Callback {
 public:
  /// Epochs and their factors. Throws std::invalid_argument for none, an epoch that is below 0 or
  /// comes twice, and a factor below 1.
  explicit GradientAccumulationScheduler(
      const std::vector<std::pair<int64_t, int64_t>>& scheduling);

  /// Throws std::invalid_argument where TrainerOptions::accumulate_grad_batches is set too.
  void setup(Trainer& trainer, LME& model) override;
  void on_train_epoch_start(Trainer& trainer, LME& model) override;

 private:
  std::map<int64_t, int64_t> scheduling_;
};

}  // namespace levin::inline v0

// RemovePreviousTrainArtifacts: no event files of earlier runs beside those of this one.
#pragma once

#include "../callback.h"

namespace levin::inline v0 {

/// When a training or a test starts it removes all but the newest (the last by its name) of the
/// TensorBoard event files in the run's folder.
class RemovePreviousTrainArtifacts : public Callback {
 public:
  void on_train_start(Trainer& trainer, LME& model) override;
  void on_test_start(Trainer& trainer, LME& model) override;
};

}  // namespace levin::inline v0

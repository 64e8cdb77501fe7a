// OnExceptionCheckpoint: a run that fails can be gone on with where it failed.
#pragma once

#include <string>
#include <vector>

#include "../callback.h"

namespace levin::inline v0 {

/// Saves `<dirpath>/<filename>.ckpt`, with all state, when a fit ends by an exception or is
/// interrupted. The next fit() with it and without ckpt_path goes on from there; a fit that ends
/// normally removes the file.
///
/// What failed is done again: the batch (its random numbers, metrics and logged values are taken
/// back), or the epoch's end. So the resumed run equals one that did not fail, but for what the hooks
/// of the failed batch had done already. Where the batch had begun to update the parameters, it
/// counts as done, and the resumed run warns that it is not exact. Costs some microseconds a batch.
class OnExceptionCheckpoint : public Callback {
 public:
  /// Throws std::invalid_argument for no folder and no name.
  explicit OnExceptionCheckpoint(std::string dirpath, std::string filename = "on_exception");

  const std::string& ckpt_path() const { return ckpt_path_; }

  void setup(Trainer& trainer, LME& model) override;
  void on_train_start(Trainer& trainer, LME& model) override;
  /// Throws std::runtime_error where the file cannot be written.
  void on_exception(Trainer& trainer, LME& model, const std::exception& error) override;
  void teardown(Trainer& trainer, LME& model) override;

 private:
  std::string ckpt_path_;
  bool in_fit_ = false, has_started_ = false, has_failed_ = false;
};

/// What a run before has left that failed: the file of the first OnExceptionCheckpoint among the
/// trainer's callbacks and the model's that has one; empty where there is none.
std::string checkpoint_on_exception(std::vector<AnyCallback> trainers_callbacks, const LME& model);

}  // namespace levin::inline v0

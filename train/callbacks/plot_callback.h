// PlotCallbackGeneric, PlotCallback: pictures of what the network does, by a function of the user's.
#pragma once

#include <array>
#include <functional>
#include <string>

#include "../callback.h"

namespace levin::inline v0 {

/// Calls a function once an epoch in each of training, validation (in the sanity check too) and
/// test, after one batch: the "first", or a "random" one, which is chosen by the program's seed and
/// the epoch. Inside the function nothing is recorded, and random numbers are its own: neither it nor
/// the choice changes what is trained. Needs a logger.
class PlotCallbackGeneric : public Callback {
 public:
  /// `result` is what the algorithm gave for the batch, detached. `out_dir` is
  /// "<log_dir>/pngs/train/1" for the first epoch, or "validation", "test"; it is not made.
  using Function = std::function<void(LME& model, const data::Batch& batch,
                                      const AlgorithmOutput& result, const std::string& out_dir)>;

  /// Throws std::invalid_argument for another mode or an empty function.
  explicit PlotCallbackGeneric(Function function, std::string mode = "first");

  /// Each is one of its own, though none has a state.
  std::string state_key() const override;
  /// Throws std::invalid_argument where the trainer has no logger.
  void setup(Trainer& trainer, LME& model) override;
  void on_train_batch_end(Trainer& trainer, LME& model, const AlgorithmOutput* output,
                          const data::Batch& batch, int64_t batch_idx) override;
  void on_validation_batch_end(Trainer& trainer, LME& model, const AlgorithmOutput* output,
                               const data::Batch& batch, int64_t batch_idx,
                               int64_t dataloader_idx) override;
  void on_test_batch_end(Trainer& trainer, LME& model, const AlgorithmOutput* output,
                         const data::Batch& batch, int64_t batch_idx,
                         int64_t dataloader_idx) override;

 private:
  enum Kind : uint8_t { kTrain, kValidation, kTest, kSanityCheck };
  struct Choice {
    int64_t epoch = -1, batch = -1;
    bool is_due = false;  // the batch has come; where it was skipped, the next one is taken
  };
  void after_batch(const Trainer& trainer, LME& model, Kind kind, const AlgorithmOutput* output,
                   const data::Batch& batch, int64_t batch_idx);

  Function function_;
  std::string mode_;
  std::array<Choice, 4> choices_;
};

/// The same for batches whose tensors have the names "data" and "labels": x, the network's y, gt.
class PlotCallback : public PlotCallbackGeneric {
 public:
  using Function = std::function<void(const Tensor& x, const Tensor& y, const Tensor& gt,
                                      const std::string& out_dir, LME& model)>;
  explicit PlotCallback(Function function, std::string mode = "first");
};

}  // namespace levin::inline v0

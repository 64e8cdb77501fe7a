// WeightAveraging: an average of the parameters over the training is what is validated and kept.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../../optim/averaged_model.h"
#include "../callback.h"

namespace levin::inline v0 {

struct WeightAveragingOptions {
  std::optional<double> decay = {};  ///< none: all updates count the same
  int64_t update_every_n_steps = 1;
  std::optional<int64_t> update_starting_at_step = {};   ///< number of the step, from 0
  std::optional<int64_t> update_starting_at_epoch = {};  ///< number of the epoch, from 0
};

/// Updates the average (optim::AveragedModel) after training steps: the first time it becomes the
/// parameters. From then on validation runs with the averages, and a checkpoint's state_dict (a best
/// one's too) holds them; the parameters that training goes on with stand beside them in a full
/// checkpoint, and come back on resuming. When the fit ends the model's parameters become the
/// averages, so a test uses them. After an exception the model has the parameters of training.
/// Buffers are not averaged.
class WeightAveraging : public Callback {
 public:
  /// Throws std::invalid_argument for a decay outside [0, 1], an interval below 1 and a start below 0.
  explicit WeightAveraging(const WeightAveragingOptions& options = {});

  Value state_dict() const override;
  void load_state_dict(const Value& state) override;
  /// The parameters of training, by their names.
  std::vector<std::pair<std::string, Tensor>> state_tensors() const override;
  /// The model's parameters are the averages, as a checkpoint has them. Throws std::invalid_argument
  /// for tensors of another model.
  void load_tensors(const std::vector<std::pair<std::string, Tensor>>& tensors) override;

  /// Throws std::logic_error where a run has two of them.
  void setup(Trainer& trainer, LME& model) override;
  void on_train_start(Trainer& trainer, LME& model) override;
  void on_train_batch_end(Trainer& trainer, LME& model, const AlgorithmOutput* output,
                          const data::Batch& batch, int64_t batch_idx) override;
  void on_validation_epoch_start(Trainer& trainer, LME& model) override;
  void on_validation_epoch_end(Trainer& trainer, LME& model) override;
  void on_fit_end(Trainer& trainer, LME& model) override;
  void teardown(Trainer& trainer, LME& model) override;

  /// After update number `step` (from 0) in this epoch? To override.
  virtual bool should_update(int64_t step, int64_t epoch) const;
  /// What a checkpoint holds for a tensor of the model: its average; the tensor itself where it has
  /// none.
  Tensor kept_value(const Tensor& tensor) const;

 private:
  bool is_averaging() const { return averaged_ && averaged_->n_averaged() > 0; }
  void swap_back();

  WeightAveragingOptions options_;
  std::vector<std::pair<std::string, Tensor>> parameters_;
  std::shared_ptr<optim::AveragedModel> averaged_;  // in a fit
  int64_t latest_update_step_ = 0, loaded_count_ = 0;
  bool loaded_swapped_ = false;
};

struct EMAWeightAveragingOptions {
  double decay = 0.999;
  int64_t update_every_n_steps = 1;
  std::optional<int64_t> update_starting_at_step = {};
  std::optional<int64_t> update_starting_at_epoch = {};
};

/// The exponential moving average: average = decay average + (1 - decay) parameter.
class EMAWeightAveraging : public WeightAveraging {
 public:
  explicit EMAWeightAveraging(const EMAWeightAveragingOptions& options = {});
};

}  // namespace levin::inline v0

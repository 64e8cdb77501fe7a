// Callback: what a user adds to a training run. Override the hooks of interest.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "../kernels/handle.h"
#include "../kernels/type_name.h"
#include "../optim/optimizer.h"
#include "algorithm.h"
#include "files/value.h"

namespace levin::inline v0 {

class Trainer;

/// Where in the list a callback runs: at the end of an epoch, those that act on its metrics run
/// after these are final.
enum class CallbackOrder : uint8_t { plain, monitoring, checkpoint };

/// Hooks have Lightning's names. In each, all callbacks run in list order, then the model's hook of
/// the same name. Order in a fit:
///
///     setup, on_fit_start, on_sanity_check_start, (validation), on_sanity_check_end, on_train_start,
///     for each epoch: on_train_epoch_start,
///       for each batch: on_train_batch_start, on_before_zero_grad, (algorithm), on_before_backward,
///         on_after_backward, on_before_optimizer_step, on_train_batch_end
///       on_validation_start, on_validation_epoch_start, for each batch: on_validation_batch_start,
///         on_validation_batch_end; on_validation_epoch_end, on_validation_end
///       on_train_epoch_end, on_epoch_logged
///     on_train_end, on_fit_end, teardown
///
/// Trainer::validate, test and predict: setup, the hooks of validation (on_test_.., on_predict_..),
/// teardown. Trainer::function() says which of the four runs.
class Callback {
 public:
  virtual ~Callback() = default;

  /// "PlotMetrics"
  virtual std::string type_name() const { return class_name(typeid(*this)); }
  virtual CallbackOrder order() const { return CallbackOrder::plain; }
  /// What a checkpoint keeps of it, under this key; null for nothing.
  virtual std::string state_key() const { return type_name(); }
  virtual Value state_dict() const { return {}; }
  virtual void load_state_dict(const Value&) {}
  /// Tensors that a checkpoint keeps of it, by name; load_tensors gets them back.
  virtual std::vector<std::pair<std::string, Tensor>> state_tensors() const { return {}; }
  virtual void load_tensors(const std::vector<std::pair<std::string, Tensor>>&) {}

  virtual void setup(Trainer&, LME&) {}
  virtual void teardown(Trainer&, LME&) {}
  virtual void on_fit_start(Trainer&, LME&) {}
  virtual void on_fit_end(Trainer&, LME&) {}
  virtual void on_sanity_check_start(Trainer&, LME&) {}
  virtual void on_sanity_check_end(Trainer&, LME&) {}

  virtual void on_train_start(Trainer&, LME&) {}
  virtual void on_train_end(Trainer&, LME&) {}
  virtual void on_train_epoch_start(Trainer&, LME&) {}
  virtual void on_train_epoch_end(Trainer&, LME&) {}
  virtual void on_train_batch_start(Trainer&, LME&, const data::Batch&, int64_t /*batch_idx*/) {}
  /// `output` is null where the algorithm skipped the batch.
  virtual void on_train_batch_end(Trainer&, LME&, const AlgorithmOutput* /*output*/,
                                  const data::Batch&, int64_t /*batch_idx*/) {}

  virtual void on_validation_start(Trainer&, LME&) {}
  /// The run's validation metrics are in Trainer::callback_metrics().
  virtual void on_validation_end(Trainer&, LME&) {}
  virtual void on_validation_epoch_start(Trainer&, LME&) {}
  virtual void on_validation_epoch_end(Trainer&, LME&) {}
  virtual void on_validation_batch_start(Trainer&, LME&, const data::Batch&, int64_t /*batch_idx*/,
                                         int64_t /*dataloader_idx*/) {}
  virtual void on_validation_batch_end(Trainer&, LME&, const AlgorithmOutput*, const data::Batch&,
                                       int64_t /*batch_idx*/, int64_t /*dataloader_idx*/) {}

  virtual void on_test_start(Trainer&, LME&) {}
  virtual void on_test_end(Trainer&, LME&) {}
  virtual void on_test_epoch_start(Trainer&, LME&) {}
  virtual void on_test_epoch_end(Trainer&, LME&) {}
  virtual void on_test_batch_start(Trainer&, LME&, const data::Batch&, int64_t, int64_t) {}
  virtual void on_test_batch_end(Trainer&, LME&, const AlgorithmOutput*, const data::Batch&,
                                 int64_t, int64_t) {}

  virtual void on_predict_start(Trainer&, LME&) {}
  virtual void on_predict_end(Trainer&, LME&) {}
  virtual void on_predict_epoch_start(Trainer&, LME&) {}
  virtual void on_predict_epoch_end(Trainer&, LME&) {}
  virtual void on_predict_batch_start(Trainer&, LME&, const data::Batch&, int64_t, int64_t) {}
  virtual void on_predict_batch_end(Trainer&, LME&, const AlgorithmOutput*, const data::Batch&,
                                    int64_t, int64_t) {}

  virtual void on_before_zero_grad(Trainer&, LME&, optim::Optimizer&) {}
  virtual void on_before_backward(Trainer&, LME&, const Tensor& /*loss*/) {}
  virtual void on_after_backward(Trainer&, LME&) {}
  /// Before the gradients are clipped.
  virtual void on_before_optimizer_step(Trainer&, LME&, optim::Optimizer&) {}
  /// The epoch's metrics are final, its row is written, its checkpoints are saved (levin's own).
  virtual void on_epoch_logged(Trainer&, LME&) {}
  /// The run ends by an exception, or is interrupted (then an Interrupted).
  virtual void on_exception(Trainer&, LME&, const std::exception&) {}
  virtual void on_save_checkpoint(Trainer&, LME&, Value& /*checkpoint*/) {}
  virtual void on_load_checkpoint(Trainer&, LME&, const Value& /*checkpoint*/) {}
};

using AnyCallback = Handle<Callback>;

}  // namespace levin::inline v0

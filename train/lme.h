// LME: a network with all that training it takes: loss, optimizer, metrics, algorithm, callbacks.
// (lightning-module-enhanced.)
#pragma once

#include <memory>
#include <string>

#include "../nn/module.h"
#include "lme_properties.h"

namespace levin::inline v0 {

class MetadataCallback;

/// Wraps a base model. Names in state_dict() are the base model's own. Neither copied nor moved:
/// callbacks and a trainer refer to it. Derive from it for hooks of one's own.
class LME : public nn::Module {
 public:
  explicit LME(nn::AnyModule base_model);
  ~LME() override;
  LME(const LME&) = delete;
  LME& operator=(const LME&) = delete;

  MetricsProperty metrics;
  CriterionProperty criterion_fn;
  OptimizerProperty optimizer;
  AlgorithmProperty model_algorithm;
  CallbacksProperty callbacks;
  MonitorsProperty checkpoint_monitors{metrics};
  /// Hyper-parameters: `model.hparams["lr"] = 0.1`. Written to hparams.yaml, kept in checkpoints.
  Value hparams;
  /// Batches count by their samples in an epoch's mean; false: all the same, as in LME.
  bool weigh_batches = true;

  Tensor forward(const Tensor& x) override { return base_model()(x); }
  void members(nn::Members& m) override { m("", base_model_); }

  nn::Module& base_model() const { return *base_model_; }
  Device device() const;
  int64_t num_params() const { return num_parameters(); }
  int64_t num_trainable_params() const;
  /// The table of layers and their parameters that torchinfo prints.
  std::string summary() const;

  /// Every declared metric of a batch, in order, without recording; and "loss", the criterion's,
  /// where asked for.
  MetricResults lme_metrics(const Tensor& y, const Tensor& gt, bool include_loss = true) const;
  /// What the algorithm gave for the last batch, detached.
  const std::optional<AlgorithmOutput>& cache_result() const { return cache_result_; }
  void set_cache_result(const AlgorithmOutput& output);

  bool has_trainer() const { return trainer_ != nullptr; }
  /// Throws std::logic_error where none is attached.
  Trainer& trainer() const;
  void set_trainer(Trainer* trainer) { trainer_ = trainer; }
  const std::shared_ptr<MetadataCallback>& metadata_callback() const { return metadata_; }

  // Hooks, as in Callback: called after those of all callbacks.
  virtual void setup() {}
  /// The last moment to assign an optimizer. Throws std::invalid_argument where there is none.
  virtual void configure_optimizers();
  virtual void teardown() {}
  virtual void on_fit_start() {}
  virtual void on_fit_end() {}
  virtual void on_train_start() {}
  virtual void on_train_end() {}
  virtual void on_train_epoch_start() {}
  virtual void on_train_epoch_end() {}
  virtual void on_train_batch_start(const data::Batch&, int64_t) {}
  virtual void on_train_batch_end(const AlgorithmOutput*, const data::Batch&, int64_t) {}
  virtual void on_validation_start() {}
  virtual void on_validation_end() {}
  virtual void on_validation_epoch_start() {}
  virtual void on_validation_epoch_end() {}
  virtual void on_validation_batch_start(const data::Batch&, int64_t) {}
  virtual void on_validation_batch_end(const AlgorithmOutput*, const data::Batch&, int64_t) {}
  virtual void on_before_zero_grad(optim::Optimizer&) {}
  virtual void on_before_backward(const Tensor&) {}
  virtual void on_after_backward() {}
  virtual void on_before_optimizer_step(optim::Optimizer&) {}
  virtual void on_save_checkpoint(Value&) {}
  virtual void on_load_checkpoint(const Value&) {}

 private:
  nn::AnyModule base_model_;
  std::shared_ptr<MetadataCallback> metadata_;
  std::optional<AlgorithmOutput> cache_result_;
  Trainer* trainer_ = nullptr;
};

}  // namespace levin::inline v0

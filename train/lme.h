// LME: a network with all that training it takes: loss, optimizer, metrics, algorithm, callbacks.
// (lightning-module-enhanced.)
#pragma once

#include <memory>
#include <string>

#include "../nn/module.h"
#include "lme_properties.h"
#include "utils.h"

namespace levin::inline v0 {

class EpochMetrics;
class MetadataCallback;
class ModelCheckpoint;
struct Checkpoint;

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
  SchedulerProperty scheduler{optimizer};
  AlgorithmProperty model_algorithm;
  CallbacksProperty callbacks;
  MonitorsProperty checkpoint_monitors{metrics};
  /// Hyper-parameters: `model.hparams["lr"] = 0.1`. Written to hparams.yaml, kept in checkpoints.
  Value hparams;
  /// Batches count by their samples in an epoch's mean; false: all the same, as in LME.
  bool weigh_batches = true;
  /// The checkpoints of the best epochs hold weights only, and cannot be resumed. False where the
  /// variable LME_SAVE_WEIGHTS_ONLY_MONITOR_CKPTS is 0.
  bool save_weights_only_monitor_ckpts;

  using Module::operator();
  Tensor forward(const Tensor& x) override { return base_model()(x); }
  /// Named or several inputs, for a base model that takes them (nn::Module::forward_inputs).
  Tensor operator()(const data::Batch& inputs);
  /// The same for host data, without recording: a number (as [1]), vectors of numbers, to any depth;
  /// floating numbers become the parameters' type.
  template <class T>
  Tensor np_forward(const T& x) {
    return forward_host_data(to_tensor(x));
  }
  void members(nn::Members& m) override { m("", base_model_); }

  nn::Module& base_model() const { return *base_model_; }
  Device device() const;
  int64_t num_params() const { return num_parameters(); }
  int64_t num_trainable_params() const;
  bool is_parametric_model() const { return num_params() > 0; }
  bool is_trainable_model() const { return num_trainable_params() > 0; }
  /// requires_grad of every parameter.
  void trainable_params(bool on) { requires_grad_(on); }
  /// The table of layers and their parameters that torchinfo prints; with the shapes that go through
  /// them where an example input is given.
  std::string summary() const;
  std::string summary(const Tensor& example_input) const;
  /// New initial values for the parameters of all parts; with a seed, those that follow from it.
  void reset_parameters() override;
  void reset_parameters(uint64_t seed);

  /// Every declared metric of a batch, in order, without recording; and "loss", the criterion's,
  /// where asked for.
  MetricResults lme_metrics(const Tensor& y, const Tensor& gt, bool include_loss = true) const;
  /// While they are set, lme_metrics() calls these: validation has copies of the metrics.
  void set_active_metrics(const EpochMetrics* metrics) { active_metrics_ = metrics; }
  /// What the algorithm gave for the last batch, detached. The reference holds until the next.
  const std::optional<AlgorithmOutput>& cache_result() const { return *cache_result_; }
  void set_cache_result(const AlgorithmOutput& output);
  /// The place where it stands. A replayed batch writes into tensors that a place holds already.
  using ResultPlace = std::shared_ptr<std::optional<AlgorithmOutput>>;
  const ResultPlace& cache_result_place() const { return cache_result_; }
  void set_cache_result_place(const ResultPlace& place) { cache_result_ = place; }

  /// Takes weights, hyper-parameters, and the states of optimizers and schedulers where the model has
  /// them, from a checkpoint. Throws std::invalid_argument for one that does not fit; then nothing
  /// changes.
  LME& load_from_checkpoint(const std::string& path);
  LME& load_from_checkpoint(const Checkpoint& checkpoint, const std::string& name = "checkpoint");

  bool has_trainer() const { return trainer_ != nullptr; }
  /// The trainer that runs this model, or ran it last and is still there. Throws std::logic_error
  /// where there is none.
  Trainer& trainer() const;
  void set_trainer(Trainer* trainer) { trainer_ = trainer; }
  /// All callbacks of this model: its MetadataCallback, the user's, and (once a trainer had it) the
  /// checkpoints of checkpoint_monitors and of the last epoch.
  std::vector<AnyCallback> configure_callbacks();
  /// Those that a trainer with or without validation gives the model, made anew.
  void make_checkpoints(const std::string& prefix);
  const std::vector<AnyCallback>& default_checkpoints() const { return default_checkpoints_; }
  /// The ModelCheckpoints among them, and the first. Throw std::logic_error before a trainer had the
  /// model.
  std::vector<ModelCheckpoint*> checkpoint_callbacks();
  ModelCheckpoint& checkpoint_callback();
  const std::shared_ptr<MetadataCallback>& metadata_callback() const { return metadata_; }

  /// A model of its own: parameters, optimizers, schedulers and metrics copied, callbacks not. A
  /// class that derives from LME overrides it: `return copied_into(std::make_unique<Mine>(
  /// base_model_copy()));`. Throws std::logic_error for one that does not.
  virtual std::unique_ptr<LME> clone() const;
  /// Clips the gradients of an optimizer's parameters by "norm" or "value".
  static void clip_gradients(optim::Optimizer& optimizer, double clip_val,
                             const std::string& algorithm = "norm");

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
  /// -1 leaves out the rest of the epoch, this batch too.
  virtual int on_train_batch_start(const data::Batch&, int64_t) { return 0; }
  virtual void on_train_batch_end(const AlgorithmOutput*, const data::Batch&, int64_t) {}
  virtual void on_validation_start() {}
  virtual void on_validation_end() {}
  virtual void on_validation_epoch_start() {}
  virtual void on_validation_epoch_end() {}
  virtual void on_validation_batch_start(const data::Batch&, int64_t, int64_t) {}
  virtual void on_validation_batch_end(const AlgorithmOutput*, const data::Batch&, int64_t,
                                       int64_t) {}
  virtual void on_test_start() {}
  virtual void on_test_end() {}
  virtual void on_test_epoch_start() {}
  virtual void on_test_epoch_end() {}
  virtual void on_test_batch_start(const data::Batch&, int64_t, int64_t) {}
  virtual void on_test_batch_end(const AlgorithmOutput*, const data::Batch&, int64_t, int64_t) {}
  virtual void on_predict_start() {}
  virtual void on_predict_end() {}
  virtual void on_predict_epoch_start() {}
  virtual void on_predict_epoch_end() {}
  virtual void on_predict_batch_start(const data::Batch&, int64_t, int64_t) {}
  virtual void on_predict_batch_end(const AlgorithmOutput*, const data::Batch&, int64_t, int64_t) {}
  virtual void on_before_zero_grad(optim::Optimizer&) {}
  virtual void on_before_backward(const Tensor&) {}
  virtual void on_after_backward() {}
  virtual void on_before_optimizer_step(optim::Optimizer&) {}
  virtual void on_save_checkpoint(Value&) {}
  virtual void on_load_checkpoint(const Value&) {}

 protected:
  /// For clone(): the network with parameters of its own, and all that an LME has besides it copied
  /// into `copy`, whose parameters are the copies of this one's.
  nn::AnyModule base_model_copy() const { return base_model_.clone(); }
  std::unique_ptr<LME> copied_into(std::unique_ptr<LME> copy) const;

 private:
  Tensor forward_host_data(const Tensor& x);

  nn::AnyModule base_model_;
  std::shared_ptr<MetadataCallback> metadata_;
  std::vector<AnyCallback> default_checkpoints_;
  ResultPlace cache_result_ = std::make_shared<std::optional<AlgorithmOutput>>();
  const EpochMetrics* active_metrics_ = nullptr;
  Trainer* trainer_ = nullptr;
};

/// The algorithm of a feed-forward network: y = model(x), all metrics and the loss. A batch is a pair
/// (x, gt), or has the names "data" and "labels".
std::optional<AlgorithmOutput> feed_forward(LME& model, const data::Batch& batch);

}  // namespace levin::inline v0

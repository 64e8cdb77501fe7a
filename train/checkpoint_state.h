// The parts of a checkpoint: to and from its state and tensors.
#pragma once

#include "files/checkpoint.h"
#include "lme.h"
#include "metrics/epoch_metrics.h"

namespace levin::inline v0 {

/// 64-bit numbers are text: JSON readers elsewhere know doubles only.
uint64_t unsigned_of(const Value& text);

/// Of this thread's default generator.
Value random_state();
void restore_random_state(const Value& state);

/// restore_..: throw std::invalid_argument where the checkpoint has another number of them, or of
/// other types.
void save_optimizers(const LME& model, Checkpoint* checkpoint);
void restore_optimizers(const LME& model, const Checkpoint& checkpoint);
void save_schedulers(const LME& model, Checkpoint* checkpoint);
void restore_schedulers(const LME& model, const Checkpoint& checkpoint);

void save_callbacks(const std::vector<AnyCallback>& callbacks, Checkpoint* checkpoint);

/// Of batches whose update is still to come; those of a loss that was scaled without its factor.
void save_gradients(const LME& model, double scale, Checkpoint* checkpoint);
void restore_gradients(const LME& model, double scale, const Checkpoint& checkpoint);

/// The sums of an epoch that is not done.
void save_metrics(const EpochMetrics& metrics, const std::string& prefix, Checkpoint* checkpoint);
void restore_metrics(const EpochMetrics& metrics, const std::string& prefix,
                     const Checkpoint& checkpoint);

/// Puts weights, optimizers and schedulers back at its end, unless keep() was called: what a checkpoint
/// that does not fit has changed.
class ModelGuard {
 public:
  explicit ModelGuard(LME& model);
  ~ModelGuard();
  ModelGuard(const ModelGuard&) = delete;
  ModelGuard& operator=(const ModelGuard&) = delete;
  void keep() { kept_ = true; }

 private:
  LME& model_;
  nn::NamedTensors weights_;
  std::vector<std::pair<optim::AnyOptimizer, optim::OptimizerState>> optimizers_;
  std::vector<std::pair<optim::AnyScheduler, optim::SchedulerState>> schedulers_;
  bool kept_ = false;
};

/// The best file that a full checkpoint's own callbacks know; empty where there is none.
std::string best_path_in(const Checkpoint& checkpoint);

/// Lightning's name for the parameters' element type.
const char* precision_of(const LME& model);

}  // namespace levin::inline v0

// LambdaCallback: a callback made of functions.
#pragma once

#include <functional>
#include <string>

#include "../callback.h"

namespace levin::inline v0 {

/// A function for each hook of Callback; those that are missing do nothing.
struct LambdaHooks {
  using Plain = std::function<void(Trainer&, LME&)>;
  using BatchStart = std::function<void(Trainer&, LME&, const data::Batch&, int64_t batch_idx)>;
  using BatchEnd = std::function<void(Trainer&, LME&, const AlgorithmOutput*, const data::Batch&,
                                      int64_t batch_idx)>;
  using EvaluationBatchStart = std::function<void(Trainer&, LME&, const data::Batch&,
                                                  int64_t batch_idx, int64_t dataloader_idx)>;
  using EvaluationBatchEnd =
      std::function<void(Trainer&, LME&, const AlgorithmOutput*, const data::Batch&,
                         int64_t batch_idx, int64_t dataloader_idx)>;
  using OfOptimizer = std::function<void(Trainer&, LME&, optim::Optimizer&)>;

  Plain setup = {}, teardown = {};
  Plain on_fit_start = {}, on_fit_end = {};
  Plain on_sanity_check_start = {}, on_sanity_check_end = {};
  Plain on_train_start = {}, on_train_end = {};
  Plain on_train_epoch_start = {}, on_train_epoch_end = {};
  BatchStart on_train_batch_start = {};
  BatchEnd on_train_batch_end = {};
  Plain on_validation_start = {}, on_validation_end = {};
  Plain on_validation_epoch_start = {}, on_validation_epoch_end = {};
  EvaluationBatchStart on_validation_batch_start = {};
  EvaluationBatchEnd on_validation_batch_end = {};
  Plain on_test_start = {}, on_test_end = {};
  Plain on_test_epoch_start = {}, on_test_epoch_end = {};
  EvaluationBatchStart on_test_batch_start = {};
  EvaluationBatchEnd on_test_batch_end = {};
  Plain on_predict_start = {}, on_predict_end = {};
  Plain on_predict_epoch_start = {}, on_predict_epoch_end = {};
  EvaluationBatchStart on_predict_batch_start = {};
  EvaluationBatchEnd on_predict_batch_end = {};
  OfOptimizer on_before_zero_grad = {};
  std::function<void(Trainer&, LME&, const Tensor& loss)> on_before_backward = {};
  Plain on_after_backward = {};
  OfOptimizer on_before_optimizer_step = {};
  Plain on_epoch_logged = {};
  std::function<void(Trainer&, LME&, const std::exception&)> on_exception = {};
  std::function<void(Trainer&, LME&, Value& checkpoint)> on_save_checkpoint = {};
  std::function<void(Trainer&, LME&, const Value& checkpoint)> on_load_checkpoint = {};
};

/// `LambdaCallback({.on_train_epoch_end = [](Trainer& trainer, LME& model) { .. }})`
class LambdaCallback : public Callback {
 public:
  explicit LambdaCallback(LambdaHooks hooks) : hooks_(std::move(hooks)) {}

  const LambdaHooks& hooks() const { return hooks_; }
  /// Each is one of its own, though none has a state.
  std::string state_key() const override;

#define LEVIN_HOOK(name) \
  void name(Trainer& trainer, LME& model) override { call(hooks_.name, trainer, model); }
  LEVIN_HOOK(setup)
  LEVIN_HOOK(teardown)
  LEVIN_HOOK(on_fit_start)
  LEVIN_HOOK(on_fit_end)
  LEVIN_HOOK(on_sanity_check_start)
  LEVIN_HOOK(on_sanity_check_end)
  LEVIN_HOOK(on_train_start)
  LEVIN_HOOK(on_train_end)
  LEVIN_HOOK(on_train_epoch_start)
  LEVIN_HOOK(on_train_epoch_end)
  LEVIN_HOOK(on_after_backward)
  LEVIN_HOOK(on_epoch_logged)
#define LEVIN_EVALUATION_HOOKS(kind)                                                              \
  LEVIN_HOOK(on_##kind##_start)                                                                   \
  LEVIN_HOOK(on_##kind##_end)                                                                     \
  LEVIN_HOOK(on_##kind##_epoch_start)                                                             \
  LEVIN_HOOK(on_##kind##_epoch_end)                                                               \
  void on_##kind##_batch_start(Trainer& trainer, LME& model, const data::Batch& batch,            \
                               int64_t batch_idx, int64_t dataloader_idx) override {              \
    call(hooks_.on_##kind##_batch_start, trainer, model, batch, batch_idx, dataloader_idx);       \
  }                                                                                               \
  void on_##kind##_batch_end(Trainer& trainer, LME& model, const AlgorithmOutput* output,         \
                             const data::Batch& batch, int64_t batch_idx, int64_t dataloader_idx) \
      override {                                                                                  \
    call(hooks_.on_##kind##_batch_end, trainer, model, output, batch, batch_idx, dataloader_idx); \
  }
  LEVIN_EVALUATION_HOOKS(validation)
  LEVIN_EVALUATION_HOOKS(test)
  LEVIN_EVALUATION_HOOKS(predict)
#undef LEVIN_EVALUATION_HOOKS
#undef LEVIN_HOOK
  void on_train_batch_start(Trainer& trainer, LME& model, const data::Batch& batch,
                            int64_t batch_idx) override {
    call(hooks_.on_train_batch_start, trainer, model, batch, batch_idx);
  }
  void on_train_batch_end(Trainer& trainer, LME& model, const AlgorithmOutput* output,
                          const data::Batch& batch, int64_t batch_idx) override {
    call(hooks_.on_train_batch_end, trainer, model, output, batch, batch_idx);
  }
  void on_before_zero_grad(Trainer& trainer, LME& model, optim::Optimizer& optimizer) override {
    call(hooks_.on_before_zero_grad, trainer, model, optimizer);
  }
  void on_before_backward(Trainer& trainer, LME& model, const Tensor& loss) override {
    call(hooks_.on_before_backward, trainer, model, loss);
  }
  void on_before_optimizer_step(Trainer& trainer, LME& model,
                                optim::Optimizer& optimizer) override {
    call(hooks_.on_before_optimizer_step, trainer, model, optimizer);
  }
  void on_exception(Trainer& trainer, LME& model, const std::exception& error) override {
    call(hooks_.on_exception, trainer, model, error);
  }
  void on_save_checkpoint(Trainer& trainer, LME& model, Value& checkpoint) override {
    call(hooks_.on_save_checkpoint, trainer, model, checkpoint);
  }
  void on_load_checkpoint(Trainer& trainer, LME& model, const Value& checkpoint) override {
    call(hooks_.on_load_checkpoint, trainer, model, checkpoint);
  }

 private:
  template <class Function, class... Arguments>
  static void call(const Function& function, Arguments&&... arguments) {
    if (function) function(arguments...);
  }

  LambdaHooks hooks_;
};

}  // namespace levin::inline v0

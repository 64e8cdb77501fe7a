// The loop of a fit.
#include <algorithm>
#include <optional>

#include "../autograd/anomaly.h"
#include "../autograd/ops.h"
#include "checkpoint_state.h"
#include "compiled_batches.h"
#include "console/log.h"
#include "hooks.h"
#include "metrics/losses.h"
#include "trainer.h"

namespace levin::inline v0 {

// sanity check, then for each epoch: training batches, validation batches, the epoch's end.
bool Trainer::next() {
  switch (at_.stage) {
    case Stage::sanity_check:
      sanity_check();
      return true;
    case Stage::epoch_start:
      if (is_done()) {
        finish();
        return false;
      }
      start_epoch();
      return true;
    case Stage::training:
      if (validation_is_due())
        start_validation();
      else if (epoch_is_over())
        at_.stage = Stage::epoch_end;
      else
        train_batch();
      return true;
    case Stage::validating:
      if (!validate_batch()) end_validation();
      return true;
    case Stage::epoch_end:
    case Stage::epoch_logged:
      end_epoch();
      return true;
    case Stage::finished:
      break;
  }
  return false;
}

bool Trainer::epoch_is_over() {
  return at_.batch >= num_training_batches() || at_.skips_rest || max_steps_reached() ||
         is_stopping();
}

// The sanity check first; then whatever stage the run begins or goes on with.
void Trainer::start_loop() {
  if (num_training_batches() == 0) log_warning({"`Trainer.fit` stopped: No training batches."});
  if (at_.stage == Stage::finished) {
    at_.stage = Stage::epoch_start;
    if (is_done()) return;
    if (num_val_batches() > 0 && options_.num_sanity_val_steps != 0) {
      at_.stage = Stage::sanity_check;
      sanity_generator_ = default_generator();
      const GeneratorGuard guard(sanity_generator_);
      call(hook::on_sanity_check_start);
      start_validation();
      return;
    }
  }
  start_training();
}

// One batch of it. All random numbers are drawn from a copy of the generator.
void Trainer::sanity_check() {
  const GeneratorGuard guard(sanity_generator_);
  if (validate_batch()) return;
  call(hook::validation.epoch_end);
  end_evaluation();
  call(hook::on_sanity_check_end);
  val_metrics_.reset();
  logged_.reset();
  at_.stage = Stage::epoch_start;
  start_training();
}

void Trainer::start_training() {
  training_started_ = true;
  if (is_resuming()) keep_old_artifacts();
  call(hook::on_train_start);
  if (is_resuming()) restore_random_state(resumed_random_);  // whatever the hooks have drawn
}

void Trainer::start_epoch() {
  const int64_t every = options_.reload_dataloaders_every_n_epochs;
  if (every > 0 && at_.epoch > 0 && at_.epoch % every == 0) load_fit_loaders();
  at_.stage = Stage::training;
  at_.batch = 0;
  at_.has_validation = at_.skips_rest = false;
  at_.has_gradients = false;  // those of a window that was cut off are forgotten
  train_batches_ = train_loader_.list()[0].epoch(at_.epoch);
  if (compiled_training_) compiled_training_->check_next();
  if (at_.epoch > 0) step_schedulers(false);
  call(hook::on_train_epoch_start);
}

void Trainer::train_batch() {
  const data::Batch* next = nullptr;
  {
    const ProfileScope scope(profiler(), "[_TrainingEpochLoop].train_dataloader_next");
    next = train_batches_.next();
  }
  const ProfileScope scope(profiler(), "run_training_batch");
  if (next)
    train_on(prepared(*next));
  else
    at_.skips_rest = true;
}

// A hook may assign other optimizers meanwhile: each is held while it is used.
template <class Action>
void Trainer::for_each_optimizer(Action action) {
  for (std::size_t i = 0; i < model_->optimizer.list().size(); ++i) {
    const optim::AnyOptimizer optimizer = model_->optimizer.list()[i];
    action(*optimizer);
  }
}

// What saves the run comes after all that the batch changes.
void Trainer::train_on(const data::Batch& batch) {
  const OneClassBatches one_class(&one_class_batches_);
  std::optional<AnomalyMode> anomaly;
  if (options_.detect_anomaly) anomaly.emplace();
  const int64_t index = at_.batch;
  if (keeps_progress_) note_progress(false);
  in_batch_ = in_step_ = true;
  batch_size_ = size_of(batch);
  call(hook::on_train_batch_start, batch, index);
  if (model_->on_train_batch_start(batch, index) == -1) {
    at_.skips_rest = true;
    in_flight_ = in_batch_ = in_step_ = false;
    return;
  }
  const AlgorithmOutput* result =
      work_on(batch, compiled_training_.get(), step_key(), [&] { return train_step(batch); });
  if (result) at_.has_gradients = true;
  if (window_ends() && at_.has_gradients) end_update();
  ++at_.batch;
  ++at_.batches_done;
  ++batches_run_;
  in_flight_ = updating_ = in_step_ = false;
  call_callbacks(CallbackOrder::plain, CallbackOrder::monitoring, hook::on_train_batch_end, result,
                 batch, index);
  call_model(hook::on_train_batch_end, result, batch, index);
  in_batch_ = false;
  log_step();
  call_callbacks(CallbackOrder::checkpoint, CallbackOrder::checkpoint, hook::on_train_batch_end,
                 result, batch, index);
  output_.reset();
}

// Where batches are compiled, this is what is repeated without being called.
std::optional<AlgorithmOutput> Trainer::train_step(const data::Batch& batch) {
  if (!at_.has_gradients)
    for_each_optimizer([&](optim::Optimizer& optimizer) {
      call(hook::on_before_zero_grad, optimizer);
      optimizer.zero_grad();
    });
  std::optional<AlgorithmOutput> output = run_algorithm(batch);
  if (output) compute_gradients(*output);
  if (window_ends() && at_.has_gradients) update_parameters();
  return output;
}

// Batches between two updates count as one: the gradient is the mean of theirs, where a skipped
// batch's is 0.
void Trainer::compute_gradients(const AlgorithmOutput& output) {
  model_->set_cache_result(output);
  train_metrics_.update(output, model_->weigh_batches);
  const Tensor& loss = output.metrics.find("loss")->tensor();
  check(loss.defined() && loss.requires_grad(), {"Loss not set or doesn't require grad"});
  check(loss.numel() == 1, {"the loss has shape ", loss.shape(), ", one number is needed"});
  const Tensor scaled = precision_->scaled(loss);
  call(hook::on_before_backward, scaled);
  {
    const ProfileScope scope(profiler(), "backward");
    const double share = 1.0 / static_cast<double>(window());
    scaled.backward(window() > 1 ? full_like(scaled, share) : Tensor());
  }
  at_.has_gradients = true;
  call(hook::on_after_backward);
}

void Trainer::update_parameters() {
  for_each_optimizer([&](optim::Optimizer& optimizer) {
    precision_->unscale(optimizer);
    call(hook::on_before_optimizer_step, optimizer);
    if (const auto limit = options_.gradient_clip_val; limit && *limit > 0)
      LME::clip_gradients(optimizer, *limit, options_.gradient_clip_algorithm);
    const ProfileScope scope(profiler(), "optimizer_step");
    updating_ = true;
    precision_->step(optimizer);
  });
  precision_->end_update();
}

void Trainer::end_update() {
  at_.has_gradients = false;
  ++at_.global_step;
  step_schedulers(true);
}

// Between two training batches, once at each place: where the interval says so, and at a stop.
bool Trainer::validation_is_due() {
  if (!has_validation() || num_val_batches() == 0) return false;
  if (at_.batch == 0 || at_.validated_at == at_.batches_done) return false;
  const auto every = options_.check_val_every_n_epoch;
  if (every && (at_.epoch + 1) % *every != 0) return false;
  const int64_t counted = every ? at_.batch : at_.batches_done;
  return counted % check_interval_ == 0 || (!max_steps_reached() && is_stopping());
}

void Trainer::start_validation() {
  if (at_.stage != Stage::sanity_check) at_.stage = Stage::validating;
  val_metrics_.reset();
  if (compiled_evaluation_) compiled_evaluation_->check_next();
  open_loader(0);
  start_evaluation();
}

bool Trainer::validate_batch() {
  while (!evaluate_batch(&val_metrics_)) {
    if (at_.val_loader + 1 == static_cast<int64_t>(val_loaders_.list().size())) return false;
    open_loader(at_.val_loader + 1);
  }
  return true;
}

// The values are known when on_validation_end is called: callbacks may act on them, and save a
// checkpoint from which the rest of the epoch is done.
void Trainer::end_validation() {
  call(hook::validation.epoch_end);
  at_.has_validation = true;
  at_.validated_at = at_.batches_done;
  publish_epoch();
  end_evaluation();
  at_.stage = Stage::training;
}

// Callbacks that act on the epoch's metrics run when these are final and their row is written.
void Trainer::end_epoch() {
  if (keeps_progress_) note_progress(true);
  call_callbacks(CallbackOrder::plain, CallbackOrder::plain, hook::on_train_epoch_end);
  call_model(hook::on_train_epoch_end);
  log_epoch();
  at_.stage = Stage::epoch_logged;
  in_flight_ = false;
  call_callbacks(CallbackOrder::monitoring, CallbackOrder::checkpoint, hook::on_train_epoch_end);
  call(hook::on_epoch_logged);
  ++at_.epoch;
  at_.stage = Stage::epoch_start;
}

}  // namespace levin::inline v0

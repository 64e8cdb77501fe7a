// The loop of a fit.
#include <algorithm>
#include <cmath>

#include "../autograd/ops.h"
#include "callbacks/metadata.h"
#include "log.h"
#include "trainer.h"

namespace levin::inline v0 {

// sanity check, then for each epoch: training batches, validation batches, the epoch's end.
bool Trainer::next() {
  switch (at_.stage) {
    case Stage::sanity_check:
      sanity_check();
      return true;
    case Stage::epoch_start:
      if (should_stop || nothing_to_do()) {
        finish();
        return false;
      }
      start_epoch();
      return true;
    case Stage::training:
      if (train_batch()) return true;
      if (validation_is_due())
        start_validation();
      else
        at_.stage = Stage::epoch_end;
      return true;
    case Stage::validating:
      if (!validate_batch(num_val_batches())) {
        end_validation();
        at_.stage = Stage::epoch_end;
      }
      return true;
    case Stage::epoch_end:
      end_epoch();
      return true;
    case Stage::finished:
      break;
  }
  return false;
}

bool Trainer::nothing_to_do() const {
  return (max_epochs_ >= 0 && at_.epoch >= max_epochs_) || train_loader_->size() == 0;
}

// The sanity check first; then whatever stage the run begins or goes on with.
void Trainer::start_loop() {
  if (train_loader_->size() == 0) log_warning({"`Trainer.fit` stopped: No training batches."});
  if (at_.stage == Stage::finished) {
    at_.stage = Stage::epoch_start;
    if (nothing_to_do()) return;
    if (val_loader_ && options_.num_sanity_val_steps != 0 && val_loader_->size() > 0) {
      at_.stage = Stage::sanity_check;
      sanity_generator_ = default_generator();
      const GeneratorGuard guard(sanity_generator_);
      call(&Callback::on_sanity_check_start);
      start_validation();
      return;
    }
  }
  start_training();
}

// One batch of it. All random numbers are drawn from a copy of the generator.
void Trainer::sanity_check() {
  const GeneratorGuard guard(sanity_generator_);
  if (validate_batch(num_val_batches())) return;
  end_validation();
  call(&Callback::on_sanity_check_end);
  val_metrics_.reset();
  at_.val_batch = 0;
  at_.stage = Stage::epoch_start;
  start_training();
}

void Trainer::start_training() {
  training_started_ = true;
  call(&Callback::on_train_start);
  model_->on_train_start();
}

void Trainer::start_epoch() {
  at_.stage = Stage::training;
  at_.batch = at_.val_batch = 0;
  train_batches_ = train_loader_->epoch(at_.epoch);
  call(&Callback::on_train_epoch_start);
  model_->on_train_epoch_start();
}

bool Trainer::train_batch() {
  const data::Batch* batch = train_batches_.next();
  if (!batch) return false;
  train_on(*batch);
  return true;
}

// A hook may assign other optimizers meanwhile: each is held while it is used.
template <class Action>
void Trainer::for_each_optimizer(Action action) {
  for (std::size_t i = 0; i < model_->optimizer.list().size(); ++i) {
    const optim::AnyOptimizer optimizer = model_->optimizer.list()[i];
    action(*optimizer);
  }
}

void Trainer::train_on(const data::Batch& batch) {
  const int64_t index = at_.batch;
  call(&Callback::on_train_batch_start, batch, index);
  model_->on_train_batch_start(batch, index);
  for_each_optimizer([&](optim::Optimizer& optimizer) {
    call(&Callback::on_before_zero_grad, optimizer);
    model_->on_before_zero_grad(optimizer);
    optimizer.zero_grad();
  });
  const std::optional<AlgorithmOutput> output = model_->model_algorithm(*model_, batch);
  if (output) optimize(*output);
  ++at_.batch;
  ++at_.batches_done;
  const AlgorithmOutput* result = output ? &*output : nullptr;
  call(&Callback::on_train_batch_end, result, batch, index);
  model_->on_train_batch_end(result, batch, index);
}

void Trainer::optimize(const AlgorithmOutput& output) {
  model_->set_cache_result(output);
  train_metrics_.update(output, model_->weigh_batches);
  const Tensor& loss = output.metrics.find("loss")->tensor();
  check(loss.defined() && loss.requires_grad(), {"Loss not set or doesn't require grad"});
  call(&Callback::on_before_backward, loss);
  model_->on_before_backward(loss);
  loss.backward();
  call(&Callback::on_after_backward);
  model_->on_after_backward();
  for_each_optimizer([&](optim::Optimizer& optimizer) {
    call(&Callback::on_before_optimizer_step, optimizer);
    model_->on_before_optimizer_step(optimizer);
    optimizer.step();
  });
  ++at_.global_step;
}

bool Trainer::validation_is_due() const {
  return val_loader_ && val_loader_->size() > 0 &&
         (at_.epoch + 1) % options_.check_val_every_n_epoch == 0;
}

void Trainer::start_validation() {
  if (at_.stage != Stage::sanity_check) at_.stage = Stage::validating;
  at_.val_batch = 0;
  val_metrics_.reset();
  val_batches_ = val_loader_->epoch(at_.epoch);
  enter_eval();
  call(&Callback::on_validation_start);
  model_->on_validation_start();
  call(&Callback::on_validation_epoch_start);
  model_->on_validation_epoch_start();
}

bool Trainer::validate_batch(int64_t limit) {
  const data::Batch* batch = at_.val_batch < limit ? val_batches_.next() : nullptr;
  if (!batch) return false;
  const NoGrad no_grad;
  const int64_t index = at_.val_batch;
  call(&Callback::on_validation_batch_start, *batch, index);
  model_->on_validation_batch_start(*batch, index);
  const std::optional<AlgorithmOutput> output = model_->model_algorithm(*model_, *batch);
  if (output) {
    model_->set_cache_result(*output);
    val_metrics_.update(*output, model_->weigh_batches);
    check(!output->metrics.find("loss")->is_nothing(), {"Loss not set"});
  }
  ++at_.val_batch;
  const AlgorithmOutput* result = output ? &*output : nullptr;
  call(&Callback::on_validation_batch_end, result, *batch, index);
  model_->on_validation_batch_end(result, *batch, index);
  return true;
}

void Trainer::end_validation() {
  call(&Callback::on_validation_epoch_end);
  model_->on_validation_epoch_end();
  call(&Callback::on_validation_end);
  model_->on_validation_end();
  leave_eval();
}

// Callbacks that act on the epoch's metrics run when these are final and their row is written.
void Trainer::end_epoch() {
  const auto call_end = [&](bool with_metrics) {
    for (std::size_t i = 0; i < callbacks_.size(); ++i) {
      if ((callbacks_[i]->order() != CallbackOrder::plain) != with_metrics) continue;
      const Where where(callback_names_[i], "callback");
      callbacks_[i]->on_train_epoch_end(*this, *model_);
    }
  };
  call_end(false);
  model_->on_train_epoch_end();
  log_epoch();
  call_end(true);
  call(&Callback::on_epoch_logged);
  ++at_.epoch;
  at_.stage = Stage::epoch_start;
}

void Trainer::log_epoch() {
  callback_metrics_.clear();
  Value::Map row;
  const auto log = [&](const std::string& name, CoreMetric& metric) {
    const Tensor full = metric.epoch_result();
    const std::optional<double> reduced = metric.epoch_result_reduced(full);
    row.emplace_back(name, reduced ? Value(*reduced) : Value());
    if (reduced) callback_metrics_.emplace_back(name, *reduced);
    if (full.defined()) model_->metadata_callback()->log_epoch_metric(name, at_.epoch, full);
  };
  auto validation = val_metrics_.begin();
  for (const auto& [name, metric] : train_metrics_) {
    log(name, *metric);
    if (val_loader_) log("val_" + name, *(validation++)->metric);
  }
  warn_of_bad_loss();
  train_metrics_.reset();
  val_metrics_.reset();
  if (callback_metrics_.empty()) return;  // every batch was skipped
  row.emplace_back("epoch", at_.epoch);
  row.emplace_back("step", at_.batches_done - 1);
  for (const AnyLogger& logger : loggers_) logger->log_metrics(row);
}

void Trainer::warn_of_bad_loss() {
  const int64_t batch = train_metrics_.loss().first_bad_batch();
  if (batch < 0 || warned_of_loss_) return;
  warned_of_loss_ = true;
  log_warning({"the training loss is not finite from epoch ", at_.epoch, ", batch ", batch,
               " on. Training goes on."});
}

}  // namespace levin::inline v0

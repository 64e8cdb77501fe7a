#include "trainer.h"

#include <algorithm>
#include <stdexcept>

#include "../kernels/check.h"
#include "callbacks/metadata.h"
#include "callbacks/model_checkpoint.h"
#include "callbacks/model_summary.h"
#include "callbacks/progress_bar.h"
#include "log.h"
#include "loggers/csv_logger.h"

namespace levin::inline v0 {
namespace {

constexpr int64_t kDefaultEpochs = 1000;

// The best epoch of each monitored metric, weights only, and the last one with all state.
std::vector<AnyCallback> default_checkpoints(const LME& model, const std::string& prefix) {
  std::vector<AnyCallback> checkpoints;
  for (const std::string& name : model.checkpoint_monitors.list()) {
    const std::string monitor = prefix + name;
    std::string mode = "min";
    for (const auto& [metric, declared] : model.metrics)
      if (metric == name) mode = declared->mode();
    checkpoints.push_back(ModelCheckpoint({.filename = "{epoch}-{" + monitor + ":.3f}",
                                           .monitor = monitor,
                                           .mode = mode,
                                           .save_weights_only = true}));
  }
  checkpoints.push_back(ModelCheckpoint({.save_top_k = 0, .save_last = true}));
  return checkpoints;
}

using Modes = std::vector<std::pair<nn::Module*, bool>>;

void remember_modes(nn::Module& module, Modes* modes) {
  modes->emplace_back(&module, module.is_training());
  for (const auto& [name, child] : module.named_children()) remember_modes(*child, modes);
}

}  // namespace

Trainer::Trainer(TrainerOptions options) : options_(std::move(options)) {
  const int64_t epochs = options_.max_epochs.value_or(kDefaultEpochs);
  check(epochs >= -1,
        {"`max_epochs` must be a non-negative integer or -1. You passed in ", epochs, "."});
  check(options_.num_sanity_val_steps >= -1,
        {"Trainer: num_sanity_val_steps ", options_.num_sanity_val_steps, ": at least -1"});
  check(options_.check_val_every_n_epoch >= 1,
        {"Trainer: check_val_every_n_epoch ", options_.check_val_every_n_epoch, ": at least 1"});
  loggers_ = options_.logger.list();
  if (options_.logger.is_default()) loggers_.push_back(CSVLogger(options_.default_root_dir));
  for (const AnyLogger& logger : loggers_)
    check(static_cast<bool>(logger), {"Trainer: an empty logger"});
  for (const AnyCallback& callback : options_.callbacks)
    check(static_cast<bool>(callback), {"Trainer: an empty callback"});
}

Trainer::~Trainer() { detach(); }

// An exception ends the run in good order before it goes on to the caller.
template <class Action>
auto Trainer::guarded(Action action) {
  try {
    return action();
  } catch (const std::exception& error) {
    failed(error);
    throw;
  } catch (...) {
    failed(std::runtime_error("an exception that is no std::exception"));
    throw;
  }
}

void Trainer::fit(LME& model, data::DataLoader train_loader,
                  std::optional<data::DataLoader> val_loader, const FitOptions& options) {
  start(model, std::move(train_loader), std::move(val_loader), options);
  while (advance()) {
  }
}

void Trainer::start(LME& model, data::DataLoader train_loader,
                    std::optional<data::DataLoader> val_loader, const FitOptions& options) {
  if (model_) fail(Fault::order, {"Trainer: a fit is running already"});
  if (model.has_trainer()) fail(Fault::order, {"Trainer: another trainer is fitting this model"});
  model_ = &model;
  model.set_trainer(this);
  train_loader_ = std::move(train_loader);
  val_loader_ = std::move(val_loader);
  at_ = {};
  should_stop = warned_of_loss_ = training_started_ = false;
  callback_metrics_.clear();
  callbacks_.clear();  // those of a fit before must not hear of this one's failure
  log_dir_.clear();
  guarded([&] { set_up(options); });
}

bool Trainer::advance() {
  if (at_.stage == Stage::finished) return false;
  return guarded([&] { return next(); });
}

bool Trainer::run_for(std::chrono::nanoseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  do {
    if (!advance()) return false;
  } while (std::chrono::steady_clock::now() < end);
  return true;
}

void Trainer::set_up(const FitOptions& options) {
  max_epochs_ = options_.max_epochs.value_or(kDefaultEpochs);
  if (!options_.max_epochs)
    log_warning({"`max_epochs` was not set. Setting it to ", kDefaultEpochs,
                 " epochs. To train without an epoch limit, set `max_epochs=-1`."});
  if (!model_->optimizer)
    fail(
        {"No optimizer was set: use model.optimizer = optim::SGD(model.parameters(), {.lr = "
         "0.01})"});
  Checkpoint checkpoint;
  ckpt_path_ = options.ckpt_path;
  if (is_resuming()) checkpoint = load_checkpoint_file(options.ckpt_path);
  make_callbacks();
  for (const AnyLogger& logger : loggers_) logger->start();
  log_dir_ = loggers_.empty() ? "" : loggers_[0]->log_dir();
  call(&Callback::setup);
  model_->setup();
  train_metrics_.start(*model_, false);
  if (val_loader_) val_metrics_.start(*model_, true);
  metric_names_.clear();
  for (const auto& [name, metric] : train_metrics_) {
    metric_names_.push_back(name);
    if (val_loader_) metric_names_.push_back("val_" + name);
  }
  kept_ = {};
  if (is_resuming()) restore_model(checkpoint, options.ckpt_path);
  model_->configure_optimizers();
  if (is_resuming()) restore_run(checkpoint, options.ckpt_path);
  call(&Callback::on_fit_start);
  model_->on_fit_start();
  for (const AnyLogger& logger : loggers_) logger->log_hyperparams(model_->hparams);
  start_loop();
}

void Trainer::make_callbacks() {
  callbacks_ = options_.callbacks;
  if (options_.enable_progress_bar) callbacks_.push_back(ProgressBar());
  if (options_.enable_model_summary) callbacks_.push_back(ModelSummary());
  callbacks_.push_back(model_->metadata_callback());
  for (const AnyCallback& callback : model_->callbacks.list()) callbacks_.push_back(callback);
  default_checkpoints_.clear();
  if (options_.enable_checkpointing)
    default_checkpoints_ = default_checkpoints(*model_, val_loader_ ? "val_" : "");
  callbacks_.insert(callbacks_.end(), default_checkpoints_.begin(), default_checkpoints_.end());
  std::stable_sort(callbacks_.begin(), callbacks_.end(),
                   [](const auto& a, const auto& b) { return a->order() < b->order(); });
  callback_names_.clear();
  std::vector<std::string> keys;
  for (const AnyCallback& callback : callbacks_) {
    callback_names_.push_back(callback->type_name());
    if (callback->state_dict().is_null()) continue;
    const std::string key = callback->state_key();
    check(
        std::find(keys.begin(), keys.end(), key) == keys.end(),
        {"Trainer: two callbacks have the state key ", key, ": a checkpoint could keep only one"});
    keys.push_back(key);
  }
}

void Trainer::finish() {
  at_.stage = Stage::finished;
  if (training_started_) {
    call(&Callback::on_train_end);
    model_->on_train_end();
  }
  call(&Callback::on_fit_end);
  model_->on_fit_end();
  call(&Callback::teardown);
  model_->teardown();
  for (const AnyLogger& logger : loggers_) logger->finalize("success");
  detach();
}

// Everything is given back, whatever the state: model and trainer can be used again.
void Trainer::detach() {
  at_.stage = Stage::finished;
  train_metrics_.clear();
  val_metrics_.clear();
  train_batches_ = val_batches_ = {};
  if (!model_) return;
  leave_eval();
  model_->set_trainer(nullptr);
  model_ = nullptr;
}

// Parts that a user has put into eval mode stay there.
void Trainer::enter_eval() {
  modes_.clear();
  remember_modes(*model_, &modes_);
  model_->eval();
}

void Trainer::leave_eval() {
  for (const auto& [module, training] : modes_) module->train(training);  // parts after wholes
  modes_.clear();
}

void Trainer::forget_model() {
  modes_.clear();
  model_ = nullptr;
  detach();
}

// The error that ended the run stays the one that is reported: others on the way out are logged.
void Trainer::failed(const std::exception& error) {
  const auto attempt = [](auto action) {
    try {
      action();
    } catch (const std::exception& second) {
      log_warning({"while ending a failed run: ", second.what()});
    } catch (...) {
      log_warning({"while ending a failed run: an exception that is no std::exception"});
    }
  };
  for (const AnyCallback& callback : callbacks_)
    attempt([&] { callback->on_exception(*this, *model_, error); });
  for (const AnyLogger& logger : loggers_) attempt([&] { logger->finalize("failed"); });
  for (const AnyCallback& callback : callbacks_)
    attempt([&] { callback->teardown(*this, *model_); });
  attempt([&] { model_->teardown(); });
  detach();
}

int64_t Trainer::num_val_batches() const {
  if (!val_loader_) return 0;
  const int64_t all = val_loader_->size(), sanity = options_.num_sanity_val_steps;
  return at_.stage == Stage::sanity_check && sanity >= 0 ? std::min(all, sanity) : all;
}

std::optional<double> Trainer::callback_metric(std::string_view name) const {
  for (const auto& [known, value] : callback_metrics_)
    if (known == name) return value;
  return {};
}

std::optional<double> Trainer::running_loss() const {
  if (train_metrics_.empty()) return {};
  CoreMetric& loss = train_metrics_.loss();
  return loss.epoch_result_reduced(loss.epoch_result());
}

std::vector<const ModelCheckpoint*> Trainer::monitored_checkpoints() const {
  std::vector<const ModelCheckpoint*> found;
  for (const AnyCallback& callback : default_checkpoints_) {
    const auto* checkpoint = static_cast<const ModelCheckpoint*>(callback.get());
    if (!checkpoint->options().monitor.empty()) found.push_back(checkpoint);
  }
  return found;
}

const ModelCheckpoint* Trainer::best_checkpoint() const {
  const auto found = monitored_checkpoints();
  return found.empty() ? nullptr : found[0];
}

}  // namespace levin::inline v0

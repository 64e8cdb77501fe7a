#include "trainer.h"

#include <algorithm>

#include "../kernels/check.h"
#include "callbacks/metadata.h"
#include "callbacks/model_checkpoint.h"
#include "callbacks/model_summary.h"
#include "callbacks/on_exception_checkpoint.h"
#include "callbacks/progress_bar.h"
#include "callbacks/timer.h"
#include "checkpoint_state.h"
#include "compiled_batches.h"
#include "console/log.h"
#include "hooks.h"
#include "loggers/csv_logger.h"
#include "signals.h"

namespace levin::inline v0 {
namespace {

constexpr int64_t kDefaultEpochs = 1000;

using Modes = std::vector<std::pair<nn::Module*, bool>>;

void remember_modes(nn::Module& module, Modes* modes) {
  modes->emplace_back(&module, module.is_training());
  for (const auto& [name, child] : module.named_children()) remember_modes(*child, modes);
}

template <class C>
bool holds(const std::vector<AnyCallback>& callbacks) {
  return std::any_of(callbacks.begin(), callbacks.end(), [](const AnyCallback& callback) {
    return dynamic_cast<const C*>(callback.get()) != nullptr;
  });
}

}  // namespace

Trainer::Trainer(TrainerOptions options) : options_(checked(std::move(options))) {
  loggers_ = options_.logger.list();
  if (options_.logger.is_default()) loggers_.push_back(CSVLogger(options_.default_root_dir));
}

Trainer::~Trainer() {
  release();
  if (attached_) attached_->set_trainer(nullptr);
}

void Trainer::fit(LME& model, data::Loaders train_loader, data::Loaders val_loaders,
                  const FitOptions& options) {
  start(model, std::move(train_loader), std::move(val_loaders), options);
  while (advance()) {
  }
}

void Trainer::start(LME& model, data::Loaders train_loader, data::Loaders val_loaders,
                    const FitOptions& options) {
  std::string ckpt_path = model_ ? "" : path_in_last_run(options.ckpt_path);
  if (options.ckpt_path.empty() && options_.fast_dev_run == 0)
    ckpt_path = checkpoint_on_exception(options_.callbacks, model);
  begin(TrainerFn::fit, model);
  ckpt_path_ = ckpt_path;
  train_loader_ = std::move(train_loader);
  val_loaders_ = std::move(val_loaders);
  guarded([&] { set_up(); });
}

bool Trainer::advance() {
  if (at_.stage == Stage::finished) return false;
  return guarded([&] {
    if (!next()) return false;
    if (!interrupted_ && !(signals_ && signals_->caught())) return true;
    end_interrupted();
    return false;
  });
}

bool Trainer::run_for(std::chrono::nanoseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  const int64_t before = batches_run_;
  do {
    if (!advance()) return false;
  } while (batches_run_ == before || std::chrono::steady_clock::now() < end);
  return true;
}

void Trainer::attach(LME& model) {
  if (model.has_trainer() && &model.trainer() != this) {
    if (model.trainer().model_ == &model)
      fail(Fault::order, {"Trainer: another trainer is running this model"});
    model.trainer().attached_ = nullptr;
  }
  if (attached_ && attached_ != &model) attached_->set_trainer(nullptr);
  const bool knows_model = attached_ == &model && !model.default_checkpoints().empty();
  attached_ = &model;
  model.set_trainer(this);
  if (!knows_model) model.make_checkpoints("");  // else those of the last fit stay
}

// What any run begins with. Nothing of a run before must hear of this one's failure.
void Trainer::begin(TrainerFn function, LME& model) {
  if (model_) fail(Fault::order, {"Trainer: a run is going on already"});
  attach(model);
  model_ = &model;
  function_ = function;
  status_ = Status::running;
  at_ = {};
  should_stop = interrupted_ = false;
  one_class_batches_ = {};
  resumed_random_ = {};
  warned_of_one_class_ = warned_of_loss_ = told_to_go_on_ = training_started_ = in_batch_ = false;
  keeps_progress_ = in_flight_ = updating_ = false;
  callback_metrics_.clear();
  logged_.reset();
  callbacks_.clear();
  train_loader_ = val_loaders_ = {};
  training_batches_ = 0;
  log_dir_.clear();
  ckpt_path_.clear();
  kept_ = {};
  compile_report_ = {};
}

void Trainer::load_loaders(data::Loaders* loaders, const char* name) {
  loaders->load();
  for (data::DataLoader& loader : loaders->list()) {
    if (!loader.options().shuffle || options_.overfit_batches.value() == 0) continue;
    log_warning({"overfit_batches: the ", name, " loader is not shuffled any more"});
    loader.stop_shuffling();
  }
}

void Trainer::load_fit_loaders() {
  load_loaders(&train_loader_, "training");
  load_loaders(&val_loaders_, "validation");
  check(train_loader_.list().size() == 1,
        {"Trainer.fit: ", train_loader_.list().size(), " training loaders: one is needed"});
  if (options_.limit_val_batches.value() == 0) val_loaders_ = {};
  count_batches(options_.limit_val_batches, "limit_val_batches");
}

void Trainer::set_up() {
  const bool has_limit = options_.max_steps >= 0 || options_.max_time;
  max_epochs_ = options_.max_epochs.value_or(has_limit ? -1 : kDefaultEpochs);
  if (!options_.max_epochs && !has_limit)
    log_warning({"`max_epochs` was not set. Setting it to ", kDefaultEpochs,
                 " epochs. To train without an epoch limit, set `max_epochs=-1`."});
  load_fit_loaders();
  check_schedulers();
  accumulate_ = options_.accumulate_grad_batches;
  if (options_.handle_signals) signals_ = std::make_unique<SignalGuard>();
  const Checkpoint checkpoint = set_up_run();
  std::optional<ModelGuard> guard;
  if (is_resuming()) guard.emplace(*model_);
  if (is_resuming()) restore_model(checkpoint, ckpt_path_);
  model_->configure_optimizers();
  if (is_resuming()) restore_run(checkpoint, ckpt_path_);
  if (guard) guard->keep();
  call(hook::on_fit_start);
  for (const AnyLogger& logger : loggers_) logger->log_hyperparams(model_->hparams);
  compile();
  start_loop();
}

// What fits and evaluations have in common: callbacks, logs, the checkpoint, setup hooks, metrics.
// A file that cannot be read is known before anything is written, a "last" one when its folder is.
Checkpoint Trainer::set_up_run() {
  const bool named = ckpt_path_ != "last" && ckpt_path_ != "best";
  Checkpoint checkpoint;
  if (is_resuming() && named) checkpoint = load_checkpoint_file(ckpt_path_);
  if (function_ == TrainerFn::fit) model_->make_checkpoints(has_validation() ? "val_" : "");
  place_model();
  make_callbacks();
  start_loggers(loggers_);
  log_dir_ = loggers_.empty() ? "" : loggers_[0]->log_dir();
  if (!named) {
    ckpt_path_ = path_in_folders(ckpt_path_);
    if (is_resuming()) checkpoint = load_checkpoint_file(ckpt_path_);
  }
  const char* const stages[] = {"fit", "validate", "test", "predict"};
  if (profiler()) profiler()->setup(stages[static_cast<int>(function_)], log_dir_);
  call(hook::setup);
  train_metrics_.start(*model_, false);
  if (has_validation()) val_metrics_.start(*model_, true);
  metric_names_.clear();
  for (const auto& [name, metric] : train_metrics_) {
    metric_names_.push_back(name);
    if (has_validation()) metric_names_.push_back("val_" + name);
  }
  return checkpoint;
}

// Before anybody looks at the model's device.
void Trainer::place_model() {
  device_ = device_of(options_.accelerator);
  precision_.emplace(options_.precision, device_);
  came_from_ = model_->device();
  if (const auto dtype = precision_->parameters()) model_->to(*dtype);
  model_->to(device_);
}

// The host uses it as before. Optimizers' states follow when they next step.
void Trainer::bring_model_back() {
  try {
    model_->to(came_from_);
  } catch (const std::exception& error) {
    log_warning({"the model stays on ", device_, ": ", error.what()});
  }
}

void Trainer::count_batches(const BatchLimit& limit, const char* name) {
  val_batch_counts_.clear();
  for (const data::DataLoader& loader : val_loaders_.list())
    val_batch_counts_.push_back(limit.of(loader.size(), name));
  if (function_ != TrainerFn::fit) return;
  const int64_t batches = training_batches_ =
      options_.limit_train_batches.of(train_loader_.list()[0].size(), "limit_train_batches");
  const BatchLimit& interval = options_.val_check_interval;
  check_interval_ = static_cast<int64_t>(
      interval.is_part() ? std::max(interval.value() * static_cast<double>(batches), 1.0)
                         : interval.value());
  check(interval.is_part() || !options_.check_val_every_n_epoch || !has_validation() ||
            check_interval_ <= batches,
        {"`val_check_interval` (", check_interval_,
         ") must be less than or equal to the number of the training batches (", batches,
         "). If you want to disable validation set `limit_val_batches` to 0.0 instead. If you want "
         "to validate based on the total training batches, set `check_val_every_n_epoch=None`."});
}

void Trainer::make_callbacks() {
  std::vector<AnyCallback> own = model_->configure_callbacks();
  callbacks_.clear();
  for (const AnyCallback& callback : options_.callbacks) {
    const bool repeated = std::any_of(own.begin(), own.end(), [&](const AnyCallback& other) {
      const Callback &one = *other, &two = *callback;  // clang warns of calls within typeid
      return typeid(one) == typeid(two) && one.state_key() == two.state_key();
    });
    if (!repeated) callbacks_.push_back(callback);  // the model's stands for it
  }
  if (options_.enable_progress_bar && !holds<ProgressBar>(callbacks_) && !holds<ProgressBar>(own))
    callbacks_.push_back(ProgressBar());
  if (options_.enable_model_summary && !holds<ModelSummary>(callbacks_) &&
      !holds<ModelSummary>(own))
    callbacks_.push_back(ModelSummary());
  const auto& checkpoints = model_->default_checkpoints();
  for (const AnyCallback& callback : own)
    if (options_.enable_checkpointing ||
        std::find(checkpoints.begin(), checkpoints.end(), callback) == checkpoints.end())
      callbacks_.push_back(callback);
  if (options_.max_time && callbacks_of<Timer>().empty())
    callbacks_.push_back(Timer(options_.max_time));
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
  if (training_started_) call(hook::on_train_end);
  call(hook::on_fit_end);
  finish_run();
}

void Trainer::finish_run() {
  call(hook::teardown);
  for (const AnyLogger& logger : loggers_) logger->finalize("success");
  // Who came too late to interrupt the fit must still be heard by the host.
  const bool late =
      function_ == TrainerFn::fit && (interrupted_ || (signals_ && signals_->caught()));
  status_ = late ? Status::interrupted : Status::finished;
  if (profiler()) profiler()->describe();
  release();
}

// Everything is given back, whatever the state: model and trainer can be used again.
void Trainer::release() {
  at_.stage = Stage::finished;
  if (status_ == Status::running) status_ = Status::failed;
  train_metrics_.clear();
  val_metrics_.clear();
  logged_.reset();
  train_batches_ = val_batches_ = {};
  output_.reset();
  compiled_training_.reset();
  compiled_evaluation_.reset();
  signals_.reset();
  if (!model_) return;
  leave_eval();
  if (precision_) bring_model_back();
  precision_.reset();
  model_ = nullptr;
}

// Parts that a user has put into eval mode stay there.
void Trainer::enter_eval() {
  modes_.clear();
  remember_modes(*model_, &modes_);
  model_->eval();
  model_->set_active_metrics(function_ == TrainerFn::test ? &train_metrics_ : &val_metrics_);
}

void Trainer::leave_eval() {
  model_->set_active_metrics(nullptr);
  for (const auto& [module, training] : modes_) module->train(training);  // parts after wholes
  modes_.clear();
}

void Trainer::forget_model() {
  attached_ = nullptr;
  precision_.reset();
  modes_.clear();
  model_ = nullptr;
  release();
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
  release();
}

void Trainer::end_interrupted() {
  log_info({"Detected KeyboardInterrupt, attempting graceful shutdown ..."});
  if (at_.stage != Stage::sanity_check)
    for (ModelCheckpoint* checkpoint : callbacks_of<ModelCheckpoint>())
      if (checkpoint->options().save_last) checkpoint->save_last_now(*this);
  failed(Interrupted("interrupted"));
  status_ = Status::interrupted;
}

}  // namespace levin::inline v0

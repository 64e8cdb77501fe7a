// What a checkpoint keeps of a run, and how a run goes on from one.
#include <algorithm>
#include <filesystem>
#include <iterator>

#include "../kernels/check.h"
#include "../kernels/numerics.h"
#include "../tensor/file.h"
#include "callbacks/metadata.h"
#include "callbacks/model_checkpoint.h"
#include "callbacks/weight_averaging.h"
#include "checkpoint_state.h"
#include "console/log.h"
#include "files/text.h"
#include "hooks.h"
#include "trainer.h"

namespace levin::inline v0 {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStages[] = {"sanity_check",     "epoch_start", "training", "validating",
                                   "before_epoch_end", "epoch_end",   "finished"};

Stage stage_of(const std::string& text) {
  for (int i = 0; i < static_cast<int>(std::size(kStages)); ++i)
    if (text == kStages[i]) return static_cast<Stage>(i);
  fail(Fault::world, {"resume: the checkpoint's stage is '", text, "'"});
}

// A copy that appears whole; nothing where the old file is gone or is the same.
void copy_to(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (!fs::exists(from, error) || fs::equivalent(from, to, error)) return;
  fs::create_directories(to.parent_path(), error);
  write_whole(to.string(), read_whole(from.string()));
}

// Checkpoints without an entry have the value that it would have had.
Value entry_or(const Value& map, std::string_view key, Value otherwise) {
  const Value* found = map.find(key);
  return found ? *found : otherwise;
}

Value::List val_seeds(const Value& loaders) {
  if (const Value* one = loaders.find("val_seed")) return {*one};
  return entry_or(loaders, "val_seeds", Value::List()).as_list();
}

bool is_within_epoch(Stage stage) {
  return stage == Stage::training || stage == Stage::validating || stage == Stage::epoch_end;
}

bool is_progress(const std::string& tensor) {
  return tensor.starts_with("metrics.") || tensor.starts_with("logged.") ||
         tensor.starts_with("gradients.");
}

void save_loggers(const std::vector<AnyLogger>& loggers, Value* state) {
  Value& states = (*state)["loggers"] = Value::List();
  for (const AnyLogger& logger : loggers) states.push_back(logger->state_dict());
}

// Seen from the checkpoint's folder, so that both can be moved.
void save_log_dir(const fs::path& log_dir, const fs::path& path, Value* state) {
  if (log_dir.empty()) return;
  const fs::path folder = fs::absolute(path).parent_path();
  (*state)["log_dir"] = fs::absolute(log_dir)
                            .lexically_normal()
                            .lexically_relative(folder.lexically_normal())
                            .generic_string();
}

// The old run's folder: as the checkpoint says it, seen from its own; else two folders above it.
std::string old_run_folder(const Value& state, const fs::path& path) {
  const Value* said = state.find("log_dir");
  std::error_code error;
  if (said && fs::is_directory(path.parent_path() / said->as_text(), error))
    return (path.parent_path() / said->as_text()).lexically_normal().string();
  const std::string above = path.parent_path().parent_path().string();
  return above.empty() ? "." : above;
}

// A run that did not scale its losses before begins as any other.
void restore_scaler(optim::GradScaler* scaler, const Value& state) {
  const Value* kept = state.find("grad_scaler");
  if (!scaler || !kept) return;
  optim::GradScaler::State numbers;
  for (const auto& [name, number] : kept->as_map()) numbers.emplace_back(name, real_of(number));
  scaler->load_state_dict(numbers);
}

// Everything that this version writes; other entries are passed on.
bool is_known(const std::string& key) {
  for (const char* known : {"schema_version", "levin_version", "numerics", "precision", "epoch",
                            "global_step", "hyper_parameters", "loops", "random_state", "loaders",
                            "loggers", "callbacks", "optimizer_states", "lr_schedulers",
                            "callback_metrics", "logged", "log_dir", "exact", "grad_scaler"})
    if (key == known) return true;
  return false;
}

bool is_known_tensor(const std::string& name) {
  for (const char* prefix :
       {"state_dict.", "optimizer_states.", "metrics.", "callbacks.", "gradients.", "logged."})
    if (name.starts_with(prefix)) return true;
  return false;
}

}  // namespace

void Trainer::save_checkpoint(const std::string& path, bool weights_only) {
  const ProfileScope scope(profiler(), "save_checkpoint");
  if (!is_running(TrainerFn::fit)) fail(Fault::order, {"save_checkpoint: no fit is running"});
  if (at_.stage == Stage::sanity_check)
    fail(Fault::order, {"save_checkpoint: not during the sanity check"});
  Checkpoint checkpoint = checkpoint_at(at_, weights_only);
  if (!weights_only) save_log_dir(log_dir_, path, &checkpoint.state);
  save_checkpoint_file(path, checkpoint);
}

void Trainer::save_before_failure(const std::string& path) {
  if (!is_running(TrainerFn::fit)) fail(Fault::order, {"save_before_failure: no fit is running"});
  Position at = in_flight_ && !updating_ ? noted_at_ : at_;
  if (updating_) {
    ++at.batch;
    ++at.batches_done;
    at.global_step = noted_at_.global_step + 1;
    at.has_gradients = false;
  }
  Checkpoint checkpoint = checkpoint_at(at, false);
  checkpoint.state["exact"] = !updating_;
  save_log_dir(log_dir_, path, &checkpoint.state);
  if (in_flight_ && !updating_) {
    for (const auto& [key, value] : noted_.state.as_map()) checkpoint.state[key] = value;
    std::erase_if(checkpoint.tensors, [](const auto& each) { return is_progress(each.first); });
    checkpoint.tensors.insert(checkpoint.tensors.end(), noted_.tensors.begin(),
                              noted_.tensors.end());
  }
  save_checkpoint_file(path, checkpoint);
}

Checkpoint Trainer::checkpoint_at(const Position& at, bool weights_only) {
  Checkpoint checkpoint;
  Value& state = checkpoint.state;
  state["levin_version"] = LEVIN_VERSION_TEXT;  // from CMake, which reads levin.h
  state["numerics"] = kNumerics;
  state["precision"] = precision_->is_mixed() ? precision_->name() : precision_of(*model_);
  state["epoch"] = at.epoch;
  state["global_step"] = at.global_step;
  if (model_->hparams.size() > 0) state["hyper_parameters"] = model_->hparams;
  const auto averagings = callbacks_of<WeightAveraging>();
  for (const auto& [name, tensor] : model_->state_dict()) {
    const Tensor kept = averagings.empty() ? tensor : averagings[0]->kept_value(tensor);
    checkpoint.tensors.emplace_back("state_dict." + name, kept.detach());
  }
  if (!weights_only) save_run(at, &checkpoint);
  for (std::size_t i = 0; !weights_only && i < callbacks_.size(); ++i)
    call_one(i, hook::on_save_checkpoint, state);
  model_->on_save_checkpoint(state);
  for (const AnyLogger& logger : loggers_) logger->save();
  return checkpoint;
}

// All that a run needs besides the weights to go on.
void Trainer::save_run(const Position& at, Checkpoint* checkpoint) {
  Value& state = checkpoint->state;
  Value& fit = state["loops"]["fit_loop"];
  fit["stage"] = kStages[static_cast<int>(at.stage)];
  fit["batch"] = at.batch;
  fit["val_loader"] = at.val_loader;
  fit["val_batch"] = at.val_batch;
  fit["batches_done"] = at.batches_done;
  fit["validated_at"] = at.validated_at;
  fit["has_validation"] = at.has_validation;
  fit["skips_rest"] = at.skips_rest;
  fit["has_gradients"] = at.has_gradients;
  fit["in_batch"] = in_batch_ && (!in_flight_ || updating_);
  fit["should_stop"] = should_stop.load();
  fit["accumulate_grad_batches"] = accumulate_;
  const data::DataLoader& loader = train_loader_.list()[0];
  state["loaders"]["train_seed"] = std::to_string(loader.seed());
  state["loaders"]["train_batches"] = num_training_batches();
  Value& seeds = state["loaders"]["val_seeds"] = Value::List();
  for (const data::DataLoader& val : val_loaders_.list())
    seeds.push_back(std::to_string(val.seed()));
  save_loggers(loggers_, &state);
  save_callbacks(callbacks_, checkpoint);
  save_optimizers(*model_, checkpoint);
  if (const optim::GradScaler* scaler = precision_->scaler())
    for (const auto& [name, number] : scaler->state_dict()) state["grad_scaler"][name] = number;
  save_schedulers(*model_, checkpoint);
  save_progress(at, checkpoint);
  if (kept_.state.is_map())
    for (const auto& [key, value] : kept_.state.as_map()) state[key] = value;
  for (const auto& tensor : kept_.tensors) checkpoint->tensors.push_back(tensor);
}

// What a batch changes before the parameters.
void Trainer::save_progress(const Position& at, Checkpoint* checkpoint) const {
  Value& state = checkpoint->state;
  state["random_state"] = random_state();
  Value& values = state["callback_metrics"] = Value::Map();
  for (const auto& [name, value] : callback_metrics_) values[name] = value;
  if (!is_within_epoch(at.stage)) return;
  save_metrics(train_metrics_, "", checkpoint);
  if (at.has_validation || at.stage == Stage::validating)
    save_metrics(val_metrics_, "val_", checkpoint);
  state["logged"] = logged_.options_state();
  for (const auto& [name, tensor] : logged_.state())
    checkpoint->tensors.emplace_back("logged." + name, tensor);
  if (at.has_gradients) save_gradients(*model_, precision_->loss_scale(), checkpoint);
}

// An epoch's end changes callbacks and logs too.
void Trainer::note_progress(bool with_callbacks) {
  noted_ = {};
  save_progress(at_, &noted_);
  for (auto& [name, tensor] : noted_.tensors) tensor = tensor.detach().clone();
  if (with_callbacks) {
    Checkpoint all;
    save_callbacks(callbacks_, &all);
    noted_.state["callbacks"] = all.state.at("callbacks");
    save_loggers(loggers_, &noted_.state);
  }
  noted_at_ = at_;
  in_flight_ = true;
}

// All that can be wrong with it, before anything is changed.
void Trainer::check_resumable(const Checkpoint& checkpoint, const std::string& path) const {
  const Value& state = checkpoint.state;
  if (!state.find("optimizer_states"))
    fail({"resume: '", path, "' holds weights only: to go on, use a full checkpoint such as '",
          (fs::path(path).parent_path() / "last.ckpt").string(), "'"});
  const Stage stage = stage_of(state.at("loops").at("fit_loop").at("stage").as_text());
  const bool whole = !is_within_epoch(stage);
  // The last epoch that was begun.
  const int64_t epoch = state.at("epoch").as_integer() - (stage == Stage::epoch_start);
  check(max_epochs_ < 0 || epoch <= max_epochs_,
        {"You restored a checkpoint with current_epoch=", epoch,
         ", but you have set Trainer(max_epochs=", max_epochs_, ")."});
  const Value* known = state.at("loaders").find("train_batches");
  const int64_t batches = known ? known->as_integer() : num_training_batches();
  check(whole || batches == num_training_batches(),
        {"resume: the checkpoint lies within an epoch of ", batches, " batches, this one has ",
         num_training_batches()});
  const auto& schedulers = model_->scheduler.list();
  const Value::List& kept = state.at("lr_schedulers").as_list();
  check(kept.size() == schedulers.size(),
        {"resume: the checkpoint has ", kept.size(), " schedulers, the model ", schedulers.size()});
}

void Trainer::restore_model(const Checkpoint& checkpoint, const std::string& path) {
  check_resumable(checkpoint, path);
  const Value& state = checkpoint.state;
  if (state.at("numerics") != Value(kNumerics))
    log_warning({"'", path,
                 "' was written by a levin with other numerics: the resumed run is not bit-exact"});
  if (state.find("exact") && !state.at("exact").as_bool())
    log_warning({"'", path,
                 "' was saved when a batch failed that had begun to change the parameters: the "
                 "resumed run is not exact"});
  model_->on_load_checkpoint(state);
  model_->load_state_dict(checkpoint.with_prefix("state_dict."));
  if (const Value* hparams = state.find("hyper_parameters"))
    for (const auto& [key, value] : hparams->as_map())
      if (!model_->hparams.find(key)) model_->hparams[key] = value;  // the user's own stand
  for (std::size_t i = 0; i < callbacks_.size(); ++i) call_one(i, hook::on_load_checkpoint, state);
  restore_callbacks(checkpoint);
}

void Trainer::restore_callbacks(const Checkpoint& checkpoint) {
  const Value* states = checkpoint.state.find("callbacks");
  for (const AnyCallback& callback : callbacks_) {
    const Value* kept = states ? states->find(callback->state_key()) : nullptr;
    if (kept) callback->load_state_dict(*kept);
    const auto tensors = checkpoint.with_prefix("callbacks." + callback->state_key() + ".");
    if (!tensors.empty()) callback->load_tensors(tensors);
  }
}

void Trainer::restore_run(const Checkpoint& checkpoint, const std::string& path) {
  const Value& state = checkpoint.state;
  restore_optimizers(*model_, checkpoint);
  restore_scaler(precision_->scaler(), state);
  restore_schedulers(*model_, checkpoint);
  resumed_random_ = state.at("random_state");
  restore_random_state(resumed_random_);
  train_loader_.list()[0].set_seed(unsigned_of(state.at("loaders").at("train_seed")));
  const Value::List seeds = val_seeds(state.at("loaders"));
  for (std::size_t i = 0; i < std::min(seeds.size(), val_loaders_.list().size()); ++i)
    val_loaders_.list()[i].set_seed(unsigned_of(seeds[i]));
  const std::string old_dir = old_run_folder(state, path);
  const Value::List& logs = state.at("loggers").as_list();
  for (std::size_t i = 0; i < std::min(logs.size(), loggers_.size()); ++i)
    loggers_[i]->resume(logs[i], old_dir);
  restore_position(checkpoint);
  for (const auto& [key, value] : state.as_map())
    if (!is_known(key)) kept_.state[key] = value;
  for (const auto& tensor : checkpoint.tensors)
    if (!is_known_tensor(tensor.first)) kept_.tensors.push_back(tensor);
}

void Trainer::restore_position(const Checkpoint& checkpoint) {
  const Value& state = checkpoint.state;
  const Value& fit = state.at("loops").at("fit_loop");
  at_.epoch = state.at("epoch").as_integer();
  at_.global_step = state.at("global_step").as_integer();
  at_.batches_done = fit.at("batches_done").as_integer();
  at_.validated_at = entry_or(fit, "validated_at", -1).as_integer();
  accumulate_ = entry_or(fit, "accumulate_grad_batches", 1).as_integer();
  const Value values = entry_or(state, "callback_metrics", Value::Map());
  for (const auto& [name, value] : values.as_map()) callback_metrics_.set(name, real_of(value));
  const Stage stage = stage_of(fit.at("stage").as_text());
  if (stage == Stage::epoch_logged) ++at_.epoch;
  // From an epoch's start the run begins as any other, with the sanity check. Who had stopped it
  // then says so again, or not: it may go on.
  if (!is_within_epoch(stage)) return;
  should_stop = entry_or(fit, "should_stop", false).as_bool();
  at_.batch = fit.at("batch").as_integer();
  at_.has_validation = entry_or(fit, "has_validation", false).as_bool() && has_validation();
  at_.skips_rest = entry_or(fit, "skips_rest", false).as_bool();
  at_.has_gradients = entry_or(fit, "has_gradients", false).as_bool();
  train_batches_ = train_loader_.list()[0].epoch(at_.epoch, at_.batch);
  restore_metrics(train_metrics_, "", checkpoint);
  restore_metrics(val_metrics_, "val_", checkpoint);
  logged_.load_state(entry_or(state, "logged", Value::Map()), checkpoint.with_prefix("logged."));
  restore_gradients(*model_, precision_->loss_scale(), checkpoint);
  at_.stage = stage;
  at_.val_loader = entry_or(fit, "val_loader", 0).as_integer();
  at_.val_batch = fit.at("val_batch").as_integer();
  // Saved in on_train_batch_end: the batch's row was still to come.
  if (entry_or(fit, "in_batch", false).as_bool()) log_step();
  if (stage != Stage::validating) return;
  const bool is_over = at_.validated_at == at_.batches_done || !has_validation();
  at_.stage = is_over ? Stage::training : stage;
  if (is_over) return;
  val_batches_ = val_loaders_.list().at(at_.val_loader).epoch(at_.epoch, at_.val_batch);
  enter_eval();
}

// What LME copies into the new run's folder: the checkpoint that it goes on from, and the best one of
// before. (The loggers begin with the old rows by themselves.)
void Trainer::keep_old_artifacts() {
  const auto& checkpoints = model_->default_checkpoints();
  for (const AnyCallback& callback : checkpoints) {
    const auto& checkpoint = static_cast<const ModelCheckpoint&>(*callback);
    if (checkpoint.dirpath().empty()) return;  // enable_checkpointing is false
    const fs::path folder(checkpoint.dirpath());
    if (callback == checkpoints[0]) copy_to(ckpt_path_, folder / "loaded.ckpt");
    if (const std::string& best = checkpoint.best_model_path(); !best.empty())
      copy_to(best, folder / fs::path(best).filename());
  }
}

}  // namespace levin::inline v0

// What a checkpoint keeps of a run, and how a run goes on from one.
#include <filesystem>

#include "../kernels/check.h"
#include "../kernels/numerics.h"
#include "callbacks/metadata.h"
#include "files/text.h"
#include "log.h"
#include "trainer.h"

namespace levin::inline v0 {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStages[] = {"sanity_check", "epoch_start", "training",
                                   "validating",   "epoch_end",   "finished"};

// 64-bit numbers as text: JSON readers elsewhere know doubles only.
uint64_t unsigned_of(const Value& text) { return std::stoull(text.as_text()); }

Value random_state() {
  Value state;
  const Generator& generator = default_generator();
  state["seed"] = std::to_string(generator.seed());
  Value& counters = state["counters"] = Value::Map();
  for (const auto& [stream, counter] : generator.counters())
    counters[stream] = std::to_string(counter);
  return state;
}

void restore_random_state(const Value& state) {
  Generator& generator = default_generator();
  generator.manual_seed(unsigned_of(state.at("seed")));
  std::vector<std::pair<std::string, uint64_t>> counters;
  for (const auto& [stream, counter] : state.at("counters").as_map())
    counters.emplace_back(stream, unsigned_of(counter));
  generator.set_counters(counters);
}

std::string optimizer_prefix(std::size_t i) {
  return "optimizer_states." + std::to_string(i) + ".";
}

void save_optimizers(const LME& model, Checkpoint* checkpoint) {
  Value& list = checkpoint->state["optimizer_states"] = Value::List();
  for (std::size_t i = 0; i < model.optimizer.list().size(); ++i) {
    const optim::Optimizer& optimizer = *model.optimizer.list()[i];
    const optim::OptimizerState state = optimizer.state_dict();
    Value entry;
    entry["type"] = optimizer.type_name();
    for (const auto& [name, number] : state.numbers) entry[name] = number;
    list.push_back(std::move(entry));
    for (const auto& [name, tensor] : state.tensors)
      checkpoint->tensors.emplace_back(optimizer_prefix(i) + name, tensor);
  }
}

void restore_optimizers(const LME& model, const Checkpoint& checkpoint) {
  const Value::List& list = checkpoint.state.at("optimizer_states").as_list();
  const auto& optimizers = model.optimizer.list();
  check(list.size() == optimizers.size(),
        {"resume: the checkpoint has ", list.size(), " optimizers, the model ", optimizers.size()});
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string& type = list[i].at("type").as_text();
    check(type == optimizers[i]->type_name(), {"resume: optimizer ", i, " of the checkpoint is ",
                                               type, ", the model's ", optimizers[i]->type_name()});
    optim::OptimizerState state;
    for (const auto& [name, number] : list[i].as_map())
      if (name != "type") state.numbers.emplace_back(name, real_of(number));
    state.tensors = checkpoint.with_prefix(optimizer_prefix(i));
    optimizers[i]->load_state_dict(state);
  }
}

void save_metrics(const EpochMetrics& metrics, const std::string& prefix, Checkpoint* checkpoint) {
  for (const auto& [name, metric] : metrics)
    for (const auto& [part, tensor] : metric->state())
      checkpoint->tensors.emplace_back("metrics." + prefix + name + "." + part, tensor);
}

void restore_metrics(const EpochMetrics& metrics, const std::string& prefix,
                     const Checkpoint& checkpoint) {
  for (const auto& [name, metric] : metrics)
    metric->load_state(checkpoint.with_prefix("metrics." + prefix + name + "."));
}

// Lightning's name for the parameters' element type.
const char* precision_of(const LME& model) {
  for (const Tensor& parameter : model.parameters())
    return parameter.dtype() == kFloat64 ? "64-true" : "32-true";
  return "32-true";
}

// Everything that this version writes; other entries are passed on.
bool is_known(const std::string& key) {
  for (const char* known : {"schema_version", "levin_version", "numerics", "precision", "epoch",
                            "global_step", "hyper_parameters", "loops", "random_state", "loaders",
                            "loggers", "callbacks", "optimizer_states", "lr_schedulers"})
    if (key == known) return true;
  return false;
}

bool is_known_tensor(const std::string& name) {
  return name.starts_with("state_dict.") || name.starts_with("optimizer_states.") ||
         name.starts_with("metrics.");
}

}  // namespace

void Trainer::save_checkpoint(const std::string& path, bool weights_only) {
  if (!model_) fail(Fault::order, {"save_checkpoint: no fit is running"});
  if (at_.stage == Stage::sanity_check)
    fail(Fault::order, {"save_checkpoint: not during the sanity check"});
  Checkpoint checkpoint;
  Value& state = checkpoint.state;
  state["levin_version"] = LEVIN_VERSION_TEXT;  // from CMake, which reads levin.h
  state["numerics"] = kNumerics;
  state["precision"] = precision_of(*model_);
  state["epoch"] = at_.epoch;
  state["global_step"] = at_.global_step;
  if (model_->hparams.size() > 0) state["hyper_parameters"] = model_->hparams;
  for (const auto& [name, tensor] : model_->state_dict())
    checkpoint.tensors.emplace_back("state_dict." + name, tensor.detach());
  if (!weights_only) {
    Value& fit = state["loops"]["fit_loop"];
    fit["stage"] = kStages[static_cast<int>(at_.stage)];
    fit["batch"] = at_.batch;
    fit["val_batch"] = at_.val_batch;
    fit["batches_done"] = at_.batches_done;
    state["random_state"] = random_state();
    state["loaders"]["train_seed"] = std::to_string(train_loader_->seed());
    state["loaders"]["train_batches"] = train_loader_->size();
    if (val_loader_) state["loaders"]["val_seed"] = std::to_string(val_loader_->seed());
    state["loggers"] = Value::List();
    for (const AnyLogger& logger : loggers_) state["loggers"].push_back(logger->state_dict());
    state["callbacks"] = Value::Map();
    for (const AnyCallback& callback : callbacks_)
      if (Value kept = callback->state_dict(); !kept.is_null())
        state["callbacks"][callback->state_key()] = std::move(kept);
    save_optimizers(*model_, &checkpoint);
    state["lr_schedulers"] = Value::List();
    const bool validating = at_.stage == Stage::validating;
    if (validating || at_.stage == Stage::training) save_metrics(train_metrics_, "", &checkpoint);
    if (validating) save_metrics(val_metrics_, "val_", &checkpoint);
    if (kept_.state.is_map())
      for (const auto& [key, value] : kept_.state.as_map()) state[key] = value;
    for (const auto& tensor : kept_.tensors) checkpoint.tensors.push_back(tensor);
  }
  if (!weights_only) call(&Callback::on_save_checkpoint, state);
  model_->on_save_checkpoint(state);
  for (const AnyLogger& logger : loggers_) logger->save();
  save_checkpoint_file(path, checkpoint);
}

// All that can be wrong with it, before anything is changed.
void Trainer::check_resumable(const Checkpoint& checkpoint, const std::string& path) const {
  const Value& state = checkpoint.state;
  if (!state.find("optimizer_states"))
    fail({"resume: '", path, "' holds weights only: to go on, use a full checkpoint such as '",
          (fs::path(path).parent_path() / "last.ckpt").string(), "'"});
  const int64_t epoch = state.at("epoch").as_integer();
  check(max_epochs_ < 0 || epoch <= max_epochs_,
        {"You restored a checkpoint with current_epoch=", epoch,
         ", but you have set Trainer(max_epochs=", max_epochs_, ")."});
  const bool whole = state.at("loops").at("fit_loop").at("stage").as_text() == "epoch_end";
  const Value* known = state.at("loaders").find("train_batches");
  const int64_t batches = known ? known->as_integer() : train_loader_->size();
  check(whole || batches == train_loader_->size(),
        {"resume: the checkpoint lies within an epoch of ", batches, " batches, this one has ",
         train_loader_->size()});
}

void Trainer::restore_model(const Checkpoint& checkpoint, const std::string& path) {
  check_resumable(checkpoint, path);
  const Value& state = checkpoint.state;
  if (state.at("numerics") != Value(kNumerics))
    log_warning({"'", path,
                 "' was written by a levin with other numerics: the resumed run is not bit-exact"});
  model_->on_load_checkpoint(state);
  model_->load_state_dict(checkpoint.with_prefix("state_dict."));
  if (const Value* hparams = state.find("hyper_parameters"))
    for (const auto& [key, value] : hparams->as_map())
      if (!model_->hparams.find(key)) model_->hparams[key] = value;  // the user's own stand
  call(&Callback::on_load_checkpoint, state);
  for (const AnyCallback& callback : callbacks_)
    if (const Value* kept = state.at("callbacks").find(callback->state_key()))
      callback->load_state_dict(*kept);
}

void Trainer::restore_run(const Checkpoint& checkpoint, const std::string& path) {
  const Value& state = checkpoint.state;
  restore_optimizers(*model_, checkpoint);
  restore_random_state(state.at("random_state"));
  train_loader_->set_seed(unsigned_of(state.at("loaders").at("train_seed")));
  if (const Value* seed = state.at("loaders").find("val_seed"); seed && val_loader_)
    val_loader_->set_seed(unsigned_of(*seed));
  const std::string old_dir = fs::path(path).parent_path().parent_path().string();
  const Value::List& logs = state.at("loggers").as_list();
  for (std::size_t i = 0; i < std::min(logs.size(), loggers_.size()); ++i)
    loggers_[i]->resume(logs[i], old_dir.empty() ? "." : old_dir);
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
  const std::string& stage = fit.at("stage").as_text();
  if (stage == "epoch_end") ++at_.epoch;
  // From an epoch's start the run begins as any other, with the sanity check.
  if (stage != "training" && stage != "validating") return;
  at_.batch = fit.at("batch").as_integer();
  train_batches_ = train_loader_->epoch(at_.epoch, at_.batch);
  restore_metrics(train_metrics_, "", checkpoint);
  at_.stage = Stage::training;
  if (stage == "training" || !val_loader_) return;
  at_.stage = Stage::validating;
  at_.val_batch = fit.at("val_batch").as_integer();
  val_batches_ = val_loader_->epoch(at_.epoch, at_.val_batch);
  restore_metrics(val_metrics_, "val_", checkpoint);
  enter_eval();
}

}  // namespace levin::inline v0

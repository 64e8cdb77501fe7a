#include "metadata.h"

#include <cmath>
#include <fstream>
#include <iterator>

#include "../../kernels/check.h"
#include "../../tensor/file.h"
#include "../files/text.h"
#include "../lme.h"
#include "../trainer.h"
#include "early_stopping.h"
#include "model_checkpoint.h"

namespace levin::inline v0 {
namespace {

// A word as a shell would need it.
std::string shell_word(const std::string& word) {
  const bool safe = !word.empty() && word.find_first_not_of(
                                         "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789_@%+=:,./-") == std::string::npos;
  if (safe) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\"'\"'") : std::string(1, c);
  return quoted + "'";
}

// The program's arguments, which Linux keeps for every process.
std::string run_command() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string command, word;
  while (std::getline(file, word, '\0')) command += (command.empty() ? "" : " ") + shell_word(word);
  return command;
}

Value nested_list(const Tensor& tensor, const std::vector<double>& elements, int dim, int64_t* at) {
  if (dim == tensor.dim()) {
    const double element = elements[(*at)++];
    return is_floating(tensor.dtype()) ? Value(element) : Value(static_cast<int64_t>(element));
  }
  Value list = Value::List();
  for (int64_t i = 0; i < tensor.shape()[dim]; ++i)
    list.push_back(nested_list(tensor, elements, dim + 1, at));
  return list;
}

// One optimizer's entry, or a list of them where there are several.
template <class Entry>
Value one_or_list(const LME& model, Entry entry) {
  const auto& optimizers = model.optimizer.list();
  if (optimizers.size() == 1) return entry(*optimizers[0]);
  Value list = Value::List();
  for (const auto& optimizer : optimizers) list.push_back(entry(*optimizer));
  return list;
}

Value learning_rate(const optim::Optimizer& optimizer) {
  if (optimizer.group_count() == 1) return optimizer.lr(0);
  Value list = Value::List();
  for (int group = 0; group < optimizer.group_count(); ++group) list.push_back(optimizer.lr(group));
  return list;
}

Value describe_optimizer(const optim::Optimizer& optimizer) {
  Value entry;
  entry["type"] = optimizer.type_name();
  entry["starting_lr"] = learning_rate(optimizer);
  entry["lr_history"] = Value::List();
  return entry;
}

Value describe_scheduler(const SchedulerConfig& config) {
  Value entry;
  entry["type"] = config.scheduler->type_name();
  if (!config.monitor.empty()) entry["monitor"] = config.monitor;
  if (config.interval != "epoch") entry["interval"] = config.interval;
  if (config.frequency != 1) entry["frequency"] = config.frequency;
  if (!config.name.empty()) entry["name"] = config.name;
  return entry;
}

Value describe_early_stopping(const EarlyStopping& callback) {
  Value entry;
  entry["monitor"] = callback.options().monitor;
  entry["min_delta"] = callback.min_delta();
  entry["mode"] = callback.options().mode;
  entry["patience"] = callback.options().patience;
  return entry;
}

// How often a scheduler has multiplied the rate by its factor.
int64_t reductions(const optim::LRScheduler& scheduler, double first_lr) {
  const double last_lr = scheduler.optimizer()->lr(0), factor = *scheduler.factor();
  if (first_lr <= 0 || last_lr <= 0 || factor <= 0 || factor == 1) return 0;
  return std::llround(std::log(last_lr / first_lr) / std::log(factor));
}

int64_t dataset_size(const std::vector<data::DataLoader>& loaders) {
  int64_t size = 0;
  for (const data::DataLoader& loader : loaders) size += loader.dataset().size();
  return size;
}

Value describe_parameters(const LME& model) {
  Value entry;
  entry["name"] = model.base_model().type_name();
  entry["parameter_count"]["total"] = model.num_params();
  entry["parameter_count"]["trainable"] = model.num_trainable_params();
  Value& layers = entry["layer_summary"] = Value::Map();
  for (const auto& [name, tensor] : model.base_model().named_parameters())
    layers[name] = "count: " + std::to_string(tensor.numel()) +
                   ". requires_grad: " + (tensor.requires_grad() ? "True" : "False");
  return entry;
}

}  // namespace

void MetadataCallback::setup(Trainer& trainer, LME&) {
  if (!trainer.is_resuming() || trainer.function() != TrainerFn::fit) metadata_ = {};
}

void MetadataCallback::on_fit_start(Trainer& trainer, LME& model) {
  if (!metadata_.find("run_command")) metadata_["run_command"] = run_command();
  metadata_["epoch_metrics"];
  if (metadata_["epoch_metrics"].is_null()) metadata_["epoch_metrics"] = Value::Map();
  describe(trainer, model);
  metadata_.erase("status");
  write(trainer);
}

void MetadataCallback::set_one_or_list(const char* key, std::vector<Value> values) {
  if (values.empty())
    metadata_.erase(key);
  else
    metadata_[key] = values.size() == 1 ? std::move(values[0]) : Value(std::move(values));
}

void MetadataCallback::describe(const Trainer& trainer, LME& model) {
  const bool goes_on = metadata_.find("fit_start_timestamp") != nullptr;
  if (!goes_on) metadata_["optimizer"] = one_or_list(model, describe_optimizer);
  std::vector<Value> schedulers, stops;
  for (const SchedulerConfig& config : model.scheduler.list())
    schedulers.push_back(describe_scheduler(config));
  for (const EarlyStopping* stop : trainer.callbacks_of<EarlyStopping>())
    stops.push_back(describe_early_stopping(*stop));
  set_one_or_list("scheduler", std::move(schedulers));
  set_one_or_list("early_stopping", std::move(stops));
  if (const ModelCheckpoint* checkpoint = trainer.best_checkpoint()) {
    const Value* best = metadata_.find("best_model");
    if (best && best->at("monitor") != Value(checkpoint->options().monitor))
      metadata_.erase("best_model");  // of another quantity
    metadata_["model_checkpoint"]["monitors"] = checkpoint->options().monitor;
    metadata_["model_checkpoint"]["mode"] = checkpoint->options().mode;
  }
  metadata_["model_parameters"] = describe_parameters(model);
  const Value* hparams = model.hparams.find("metadata_hparams");
  metadata_["fit_hparams"] = hparams ? *hparams : Value();
  if (goes_on) return;
  const double now = seconds_now();
  metadata_["fit_start_timestamp"] = now;
  metadata_["fit_start_date"] = date_text(now);
  metadata_["epoch_timestamps"] = Value::List();
}

void MetadataCallback::on_train_epoch_start(Trainer& trainer, LME&) {
  metadata_["train_dataset_size"] = dataset_size(trainer.train_loaders());
  if (trainer.has_validation())
    metadata_["validation_dataset_size"] = dataset_size(trainer.val_loaders());
}

void MetadataCallback::on_train_epoch_end(Trainer&, LME& model) {
  Value& optimizer = metadata_["optimizer"];
  for (std::size_t i = 0; i < model.optimizer.list().size(); ++i) {
    Value& entry = optimizer.is_list() ? optimizer.as_list()[i] : optimizer;
    entry["lr_history"].push_back(learning_rate(*model.optimizer.list()[i]));
  }
  Value& timestamps = metadata_["epoch_timestamps"];
  timestamps.push_back(seconds_now());
  metadata_["epoch_average_duration"] =
      (timestamps.as_list().back().as_real() - metadata_.at("fit_start_timestamp").as_real()) /
      static_cast<double>(timestamps.size());
}

void MetadataCallback::log_epoch_metric(const std::string& name, int64_t epoch,
                                        const Tensor& full) {
  Value& epochs = metadata_["epoch_metrics"][name];
  const std::string key = std::to_string(epoch);
  check(!epochs.find(key), {"Metric '", name, "' at epoch ", epoch, " already exists in metadata"});
  int64_t at = 0;
  epochs[key] = nested_list(full, full.to_vector<double>(), 0, &at);
}

void MetadataCallback::on_save_checkpoint(Trainer& trainer, LME& model, Value& checkpoint) {
  if (trainer.stage() != Stage::epoch_logged) return;
  update_best(trainer, model);
  checkpoint["callbacks"][state_key()] = state_dict();
}

void MetadataCallback::on_epoch_logged(Trainer& trainer, LME& model) {
  update_best(trainer, model);
  write(trainer);
}

// best_model is the first monitor's; with several, best_models holds all.
void MetadataCallback::update_best(Trainer& trainer, LME& model) {
  const auto monitored = trainer.monitored_checkpoints();
  for (const ModelCheckpoint* checkpoint : monitored) {
    const std::string& monitor = checkpoint->options().monitor;
    const bool first = checkpoint == monitored[0];
    const std::optional<double> score = trainer.callback_metric(monitor);
    if (!score || std::isnan(*score)) continue;
    const Value* place = first ? metadata_.find("best_model") : nullptr;
    if (const Value* all = metadata_.find("best_models"); all && !first) place = all->find(monitor);
    if (place && !place->at("score").is_null()) {
      const double before = real_of(place->at("score"));
      const bool better = checkpoint->options().mode == "max" ? *score > before : *score < before;
      const bool same_epoch = place->at("epoch") == Value(trainer.current_epoch());
      if (!better && !same_epoch) continue;
    }
    Value best;
    best["path"] = checkpoint->best_model_path();
    best["hyper_parameters"] = model.hparams.is_null() ? Value(Value::Map()) : model.hparams;
    best["epoch"] = trainer.current_epoch();
    best["optimizer_lr"] = one_or_list(model, learning_rate);
    best["monitor"] = monitor;
    best["score"] = *score;
    if (model.scheduler.list().size() == 1)
      if (const auto& scheduler = *model.scheduler.list()[0].scheduler; scheduler.factor()) {
        const Value& start = metadata_.at("optimizer").at("starting_lr");
        best["scheduler_num_lr_reduced"] =
            reductions(scheduler, real_of(start.is_list() ? start.as_list()[0] : start));
      }
    if (first) metadata_["best_model"] = best;
    if (monitored.size() > 1) metadata_["best_models"][monitor] = best;
  }
}

void MetadataCallback::on_fit_end(Trainer& trainer, LME&) {
  const double now = seconds_now();
  metadata_["fit_end_timestamp"] = now;
  metadata_["fit_end_date"] = date_text(now);
  metadata_["fit_duration"] = duration_text(now - metadata_.at("fit_start_timestamp").as_real());
  write(trainer);
}

// Files of their own: those of a fit stay as they are.
void MetadataCallback::start_evaluation(const Trainer& trainer, LME& model) {
  const std::string kind = trainer.testing() ? "test" : "validate";
  metadata_ = {};  // a checkpoint's state is a fit's
  metadata_["run_command"] = run_command();
  metadata_[kind + "_dataset_size"] = dataset_size(trainer.val_loaders());
  metadata_["model_parameters"] = describe_parameters(model);
  const Value* hparams = model.hparams.find("metadata_hparams");
  metadata_[kind + "_hparams"] = hparams ? *hparams : Value();
  const double now = seconds_now();
  metadata_[kind + "_start_timestamp"] = now;
  metadata_[kind + "_start_date"] = date_text(now);
  metadata_["epoch_metrics"] = Value::Map();
  write(trainer);
}

void MetadataCallback::end_evaluation(const Trainer& trainer) {
  const std::string kind = trainer.testing() ? "test" : "validate";
  const double now = seconds_now();
  metadata_[kind + "_end_timestamp"] = now;
  metadata_[kind + "_end_date"] = date_text(now);
  metadata_[kind + "_duration"] =
      duration_text(now - metadata_.at(kind + "_start_timestamp").as_real());
  write(trainer);
}

void MetadataCallback::on_validation_start(Trainer& trainer, LME& model) {
  if (trainer.function() == TrainerFn::validate) start_evaluation(trainer, model);
}

void MetadataCallback::on_validation_end(Trainer& trainer, LME&) {
  if (trainer.function() == TrainerFn::validate) end_evaluation(trainer);
}

void MetadataCallback::on_exception(Trainer& trainer, LME&, const std::exception& error) {
  if (!metadata_.find("run_command")) return;
  const bool interrupted = dynamic_cast<const Interrupted*>(&error);
  metadata_["status"] = interrupted ? "interrupted" : std::string("failed: ") + error.what();
  write(trainer);
}

void MetadataCallback::write(const Trainer& trainer) const {
  if (trainer.log_dir().empty()) return;
  Value ordered = metadata_;
  Value metrics = metadata_.at("epoch_metrics");
  ordered.erase("epoch_metrics");
  ordered["epoch_metrics"] = std::move(metrics);  // always last
  const char* const kinds[] = {"fit", "validate", "test", "predict"};
  const std::string kind = kinds[static_cast<int>(trainer.function())];
  write_whole(trainer.log_dir() + "/" + kind + "_metadata.json",
              to_json(ordered, 4, NonFinite::null));
}

}  // namespace levin::inline v0

#include "model_checkpoint.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "../../kernels/check.h"
#include "../files/text.h"
#include "../log.h"
#include "../trainer.h"

namespace levin::inline v0 {
namespace {

namespace fs = std::filesystem;

// "{name:.3f}" for a number: "name=1.192". A name that is not known becomes 0, as in Lightning.
std::string filled(const std::string& field, bool with_name,
                   const std::vector<std::pair<std::string, double>>& metrics) {
  const std::size_t colon = field.find(':');
  const std::string name = field.substr(0, colon);
  double number = 0;
  for (const auto& [known, value] : metrics)
    if (known == name) number = value;
  std::string text;
  if (colon == std::string::npos) {
    const bool whole = name == "epoch" || name == "step";
    text = whole ? std::to_string(static_cast<int64_t>(number)) : python_repr(number);
  } else {
    int digits = -1;
    const std::string format = field.substr(colon + 1);
    if (format.size() >= 3 && format[0] == '.' && format.back() == 'f')
      digits = std::atoi(format.c_str() + 1);
    check(digits >= 0 && digits < 30,
          {"ModelCheckpoint: the format '", format, "' of a file name: '.3f' is understood"});
    text = fixed_text(static_cast<float>(number), digits);
  }
  return with_name ? name + "=" + text : text;
}

}  // namespace

ModelCheckpoint::ModelCheckpoint(ModelCheckpointOptions options) : options_(std::move(options)) {
  check(options_.save_top_k >= -1,
        {"Invalid value for save_top_k=", options_.save_top_k, ". Must be >= -1"});
  check(!options_.monitor.empty() || options_.save_top_k <= 1,
        {"ModelCheckpoint(save_top_k=", options_.save_top_k,
         ", monitor=None) is not a valid configuration. No quantity for top_k to track."});
  check(options_.mode == "min" || options_.mode == "max",
        {"`mode` can be min, max but got ", options_.mode});
  check(options_.every_n_epochs >= 1,
        {"ModelCheckpoint: every_n_epochs ", options_.every_n_epochs, ": at least 1 is needed"});
}

std::string ModelCheckpoint::state_key() const {
  const std::string monitor = options_.monitor.empty() ? "None" : "'" + options_.monitor + "'";
  return "ModelCheckpoint{'monitor': " + monitor + ", 'mode': '" + options_.mode +
         "', 'every_n_epochs': " + std::to_string(options_.every_n_epochs) +
         ", 'save_last': " + (options_.save_last ? "True" : "False") + "}";
}

Value ModelCheckpoint::state_dict() const {
  Value state;
  state["dirpath"] = dirpath_;
  state["best_model_path"] = best_model_path_;
  state["best_model_score"] = best_model_score_ ? Value(*best_model_score_) : Value();
  state["last_model_path"] = last_model_path_;
  Value& kept = state["best_k_models"] = Value::Map();
  for (const Kept& file : kept_) kept[file.path] = file.score;
  return state;
}

void ModelCheckpoint::load_state_dict(const Value& state) {
  best_model_path_ = state.at("best_model_path").as_text();
  if (state.at("dirpath").as_text() != dirpath_) return;
  const Value& score = state.at("best_model_score");
  best_model_score_ = score.is_null() ? std::nullopt : std::optional<double>(real_of(score));
  last_model_path_ = state.at("last_model_path").as_text();
  kept_.clear();
  for (const auto& [path, rank] : state.at("best_k_models").as_map())
    kept_.push_back({path, real_of(rank)});
}

void ModelCheckpoint::setup(Trainer& trainer, LME&) {
  const std::string folder =
      trainer.log_dir().empty() ? trainer.options().default_root_dir : trainer.log_dir();
  dirpath_ =
      options_.dirpath.empty() ? (fs::path(folder) / "checkpoints").string() : options_.dirpath;
  best_model_path_.clear();
  last_model_path_.clear();
  best_model_score_.reset();
  kept_.clear();
  if (options_.save_top_k != 0 && fs::exists(dirpath_) && !fs::is_empty(dirpath_))
    log_warning({"Checkpoint directory ", dirpath_, " exists and is not empty."});
}

void ModelCheckpoint::on_train_epoch_end(Trainer& trainer, LME&) {
  if ((trainer.current_epoch() + 1) % options_.every_n_epochs != 0) return;
  if (trainer.global_step() == 0) return;  // nothing was trained: every batch was skipped
  if (options_.save_top_k != 0) save_best(trainer);
  if (options_.save_last) save_last(trainer);
}

double ModelCheckpoint::rank(double score) const {
  if (!std::isnan(score)) return score;
  return options_.mode == "max" ? -INFINITY : INFINITY;
}

void ModelCheckpoint::save_best(Trainer& trainer) {
  double score = 0;
  if (!options_.monitor.empty()) {
    const std::optional<double> metric = trainer.callback_metric(options_.monitor);
    if (!metric) {
      log_warning({"`ModelCheckpoint(monitor='", options_.monitor,
                   "')` could not find the monitored key in the returned metrics."});
      return;
    }
    score = rank(*metric);
  }
  const bool full =
      options_.save_top_k > 0 && static_cast<int64_t>(kept_.size()) == options_.save_top_k;
  const bool newest_wins = options_.monitor.empty();
  if (full && !newest_wins && !better(score, kept_.back().score)) {
    if (options_.verbose)
      log_info({"Epoch ", trainer.current_epoch(), ", global step ", trainer.global_step(), ": '",
                options_.monitor, "' was not in top ", options_.save_top_k});
    return;
  }
  const std::string evicted = full ? kept_.back().path : "";
  const std::string path = free_path(file_name(trainer), evicted);
  // Known before it is written: the file itself says which is the best.
  if (full) kept_.pop_back();
  auto place = kept_.begin();
  while (!newest_wins && place != kept_.end() && !better(score, place->score)) ++place;
  kept_.insert(place, {path, score});
  best_model_path_ = kept_[0].path;
  best_model_score_ = kept_[0].score;
  save(trainer, path);
  if (!evicted.empty() && evicted != path) fs::remove(evicted);
  if (options_.verbose)
    log_info({"Epoch ", trainer.current_epoch(), ", global step ", trainer.global_step(), ": '",
              options_.monitor, "' reached ", fixed_text(score, 5), " (best ",
              fixed_text(*best_model_score_, 5), "), saving model to '", path, "' as top ",
              options_.save_top_k});
}

void ModelCheckpoint::save_last(Trainer& trainer) {
  last_model_path_ = free_path("last", last_model_path_);
  save(trainer, last_model_path_);
}

std::string ModelCheckpoint::file_name(const Trainer& trainer) const {
  const std::string pattern = options_.filename.empty() ? "{epoch}-{step}" : options_.filename;
  std::vector<std::pair<std::string, double>> metrics = trainer.callback_metrics();
  metrics.emplace_back("epoch", static_cast<double>(trainer.current_epoch()));
  metrics.emplace_back("step", static_cast<double>(trainer.global_step()));
  std::string name;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t end = pattern[at] == '{' ? pattern.find('}', at) : std::string::npos;
    if (end == std::string::npos) {
      name += pattern[at++];
      continue;
    }
    name += filled(pattern.substr(at + 1, end - at - 1), options_.auto_insert_metric_name, metrics);
    at = end + 1;
  }
  return name;
}

// `own` is this callback's file, which is about to be replaced.
std::string ModelCheckpoint::free_path(const std::string& name, const std::string& own) const {
  std::string path = (fs::path(dirpath_) / (name + ".ckpt")).string();
  for (int version = 1; path != own && fs::exists(path); ++version)
    path = (fs::path(dirpath_) / (name + "-v" + std::to_string(version) + ".ckpt")).string();
  return path;
}

void ModelCheckpoint::save(Trainer& trainer, const std::string& path) const {
  std::error_code error;
  fs::create_directories(dirpath_, error);
  if (error)
    fail(Fault::world,
         {"ModelCheckpoint: the folder '", dirpath_, "' cannot be made: ", error.message()});
  trainer.save_checkpoint(path, options_.save_weights_only);
}

}  // namespace levin::inline v0

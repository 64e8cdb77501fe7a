#include "model_checkpoint.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "../../kernels/check.h"
#include "../files/text.h"
#include "../log.h"
#include "../trainer.h"

namespace levin::inline v0 {
namespace {

namespace fs = std::filesystem;

using Metrics = std::vector<std::pair<std::string, double>>;

bool is_counter(std::string_view name) { return name == "epoch" || name == "step"; }

// A number between 0 and 30, which is all of the text.
bool read_digits(std::string_view text, int* digits) {
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, *digits);
  return error == std::errc() && rest == end && *digits >= 0 && *digits <= 30;
}

// A metric as Python's str() or ".3f" of its float32 value, a counter as it is or "03d".
std::string formatted(std::string_view name, std::string_view format, double number) {
  int digits = 0;
  if (format.starts_with('.') && format.ends_with('f') &&
      read_digits(format.substr(1, format.size() - 2), &digits))
    return fixed_text(static_cast<float>(number), digits);
  if (!is_counter(name)) {
    check(format.empty(), {"ModelCheckpoint: the format '", format,
                           "' of a file name: '.3f' is understood, '03d' for epoch and step"});
    return python_repr(number);
  }
  const std::string text = std::to_string(static_cast<int64_t>(number));
  const bool known = format.empty() || format == "d" ||
                     (format.starts_with('0') && format.ends_with('d') &&
                      read_digits(format.substr(1, format.size() - 2), &digits));
  check(known, {"ModelCheckpoint: the format '", format,
                "' of a file name: '03d' and '.3f' are understood"});
  const auto width = static_cast<std::size_t>(digits);
  return std::string(width - std::min(width, text.size()), '0') + text;
}

// "{epoch}-{val_loss:.3f}" -> "epoch=9-val_loss=1.192". A name that is not known is 0, as in
// Lightning.
std::string filled(const ModelCheckpointOptions& options, const Metrics& metrics) {
  const std::string& pattern = options.filename.empty() ? "{epoch}-{step}" : options.filename;
  std::string text;
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t end = pattern[at] == '{' ? pattern.find('}', at) : std::string::npos;
    if (end == std::string::npos) {
      text += pattern[at++];
      continue;
    }
    const std::string_view field = std::string_view(pattern).substr(at + 1, end - at - 1);
    const std::size_t colon = field.find(':');
    const std::string name(field.substr(0, colon));
    double number = 0;
    for (const auto& [known, value] : metrics)
      if (known == name) number = value;
    if (options.auto_insert_metric_name) text += name + "=";
    text += formatted(
        name, colon == std::string_view::npos ? std::string_view() : field.substr(colon + 1),
        number);
    at = end + 1;
  }
  return text;
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
  filled(options_, {});  // throws where the pattern means nothing
}

std::string ModelCheckpoint::state_key() const {
  const std::string monitor = options_.monitor.empty() ? "None" : "'" + options_.monitor + "'";
  return "ModelCheckpoint{'monitor': " + monitor + ", 'mode': '" + options_.mode +
         "', 'every_n_epochs': " + std::to_string(options_.every_n_epochs) +
         ", 'save_top_k': " + std::to_string(options_.save_top_k) +
         ", 'save_last': " + (options_.save_last ? "True" : "False") + ", 'filename': '" +
         (fs::path(options_.dirpath) / options_.filename).string() + "'}";
}

Value ModelCheckpoint::state_dict() const {
  Value state;
  state["dirpath"] = dirpath_;
  state["best_model_path"] = best_model_path_;
  state["best_model_score"] = best_model_score_ ? Value(*best_model_score_) : Value();
  state["last_model_path"] = last_model_path_;
  Value& kept = state["best_k_models"] = Value::Map();
  for (const auto& [path, score] : kept_) kept[path] = score;
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
    kept_.emplace_back(path, real_of(rank));
  if (options_.save_top_k >= 0 && static_cast<int64_t>(kept_.size()) > options_.save_top_k)
    kept_.resize(options_.save_top_k);
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
  saved_step_ = 0;
  warned_ = false;
  if (trainer.function() == TrainerFn::fit && options_.save_top_k != 0 && fs::exists(dirpath_) &&
      !fs::is_empty(dirpath_))
    log_warning({"Checkpoint directory ", dirpath_, " exists and is not empty."});
}

void ModelCheckpoint::on_train_epoch_end(Trainer& trainer, LME&) {
  if (trainer.global_step() == saved_step_) return;  // every batch since was skipped
  if (options_.save_last) last_model_path_ = free_path("last", last_model_path_);
  std::string saved;
  if (options_.save_top_k != 0 && (trainer.current_epoch() + 1) % options_.every_n_epochs == 0)
    saved = save_best(trainer);
  if (options_.save_last) save_last(trainer, saved);
}

double ModelCheckpoint::rank(double score) const {
  if (!std::isnan(score)) return score;
  return options_.mode == "max" ? -INFINITY : INFINITY;
}

std::optional<double> ModelCheckpoint::monitored(const Trainer& trainer) {
  const std::optional<double> metric = trainer.callback_metric(options_.monitor);
  if (metric) return rank(*metric);
  std::vector<std::string> found;
  for (const auto& [name, value] : trainer.callback_metrics()) found.push_back(name);
  const std::string problem =
      "`ModelCheckpoint(monitor='" + options_.monitor +
      "')` could not find the monitored key in the returned metrics: " + python_list(found) +
      ". HINT: Did you call `log('" + options_.monitor + "', value)` in the `LightningModule`?";
  const auto& names = trainer.metric_names();
  check(std::find(names.begin(), names.end(), options_.monitor) != names.end(), {problem});
  if (!warned_) log_warning({problem});  // an epoch without validation
  warned_ = true;
  return {};
}

// Returns the path of what it saved, "" for nothing.
std::string ModelCheckpoint::save_best(Trainer& trainer) {
  const bool newest_wins = options_.monitor.empty();
  const std::optional<double> metric = newest_wins ? 0 : monitored(trainer);
  if (!metric) return "";
  const double score = *metric;
  const bool full =
      options_.save_top_k > 0 && static_cast<int64_t>(kept_.size()) == options_.save_top_k;
  if (full && !newest_wins && !better(score, kept_.back().second)) {
    if (options_.verbose)
      log_info({"Epoch ", trainer.current_epoch(), ", global step ", trainer.global_step(), ": '",
                options_.monitor, "' was not in top ", options_.save_top_k});
    return "";
  }
  const std::string evicted = full ? kept_.back().first : "";
  const std::string path = free_path(file_name(trainer), evicted);
  // Known before it is written: the file itself says which is the best.
  if (full) kept_.pop_back();
  auto place = kept_.begin();
  while (!newest_wins && place != kept_.end() && !better(score, place->second)) ++place;
  kept_.insert(place, {path, score});
  best_model_path_ = kept_[0].first;
  if (!newest_wins) best_model_score_ = kept_[0].second;
  save(trainer, path);
  if (!evicted.empty() && evicted != path) remove(trainer, evicted);
  if (options_.verbose && !newest_wins)
    log_info({"Epoch ", trainer.current_epoch(), ", global step ", trainer.global_step(), ": '",
              options_.monitor, "' reached ", fixed_text(score, 5), " (best ",
              fixed_text(*best_model_score_, 5), "), saving model to '", path, "' as top ",
              options_.save_top_k});
  return path;
}

void ModelCheckpoint::save_last_now(Trainer& trainer) {
  last_model_path_ = free_path("last", last_model_path_);
  save(trainer, last_model_path_);
}

// What was saved just now is the same: it gets a second name.
void ModelCheckpoint::save_last(Trainer& trainer, const std::string& saved) {
  if (saved.empty()) return save(trainer, last_model_path_);
  const std::string draft = last_model_path_ + ".draft";
  std::error_code error;
  fs::remove(draft, error);
  fs::create_hard_link(saved, draft, error);
  if (!error) fs::rename(draft, last_model_path_, error);
  if (error) save(trainer, last_model_path_);  // a file system without links
}

std::string ModelCheckpoint::file_name(const Trainer& trainer) const {
  Metrics metrics(trainer.callback_metrics().begin(), trainer.callback_metrics().end());
  metrics.emplace_back("epoch", static_cast<double>(trainer.current_epoch()));
  metrics.emplace_back("step", static_cast<double>(trainer.global_step()));
  return filled(options_, metrics);
}

// `own` is this callback's file, which is about to be replaced.
std::string ModelCheckpoint::free_path(const std::string& name, const std::string& own) const {
  std::string path = (fs::path(dirpath_) / (name + ".ckpt")).string();
  for (int version = 1; path != own && fs::exists(path); ++version)
    path = (fs::path(dirpath_) / (name + "-v" + std::to_string(version) + ".ckpt")).string();
  return path;
}

void ModelCheckpoint::save(Trainer& trainer, const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  std::error_code error;
  if (!folder.empty()) fs::create_directories(folder, error);
  if (error)
    fail(Fault::world,
         {"ModelCheckpoint: the folder '", folder, "' cannot be made: ", error.message()});
  trainer.save_checkpoint(path, options_.save_weights_only);
  saved_step_ = trainer.global_step();
}

// A checkpoint says which files are kept: what lies elsewhere is not this callback's to remove, nor
// is the file that the run goes on from.
void ModelCheckpoint::remove(const Trainer& trainer, const std::string& path) const {
  std::error_code error;
  const fs::path within =
      fs::path(path).lexically_normal().lexically_relative(fs::path(dirpath_).lexically_normal());
  if (within.empty() || *within.begin() == "..") return;
  if (trainer.is_resuming() && fs::equivalent(path, trainer.ckpt_path(), error)) return;
  fs::remove(path);
}

}  // namespace levin::inline v0

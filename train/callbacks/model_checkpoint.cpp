#include "model_checkpoint.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "../../kernels/check.h"
#include "../../tensor/file.h"
#include "../console/log.h"
#include "../files/text.h"
#include "../trainer.h"
#include "checkpoint_name.h"

namespace levin::inline v0 {
namespace {

namespace fs = std::filesystem;

std::string pattern_of(const ModelCheckpointOptions& options) {
  return options.filename.empty() ? "{epoch}-{step}" : options.filename;
}

std::string interval_text(const ModelCheckpointOptions& options) {
  const auto& interval = options.train_time_interval;
  return interval ? duration_text(interval->count()) : "None";
}

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));  // a link that leads nowhere, too
}

Value optional_value(const std::optional<double>& number) {
  return number ? Value(*number) : Value();
}

std::optional<double> optional_real(const Value* value) {
  if (!value || value->is_null()) return {};
  return real_of(*value);
}

std::optional<int64_t> time_of(const std::string& path) {
  std::error_code error;
  const auto time = fs::last_write_time(path, error);
  return error ? std::nullopt : std::optional<int64_t>(time.time_since_epoch().count());
}

// The path seen from the folder; empty where it lies outside.
fs::path path_within(const std::string& folder, const std::string& path) {
  const fs::path within =
      fs::path(path).lexically_normal().lexically_relative(fs::path(folder).lexically_normal());
  return within.empty() || *within.begin() == ".." ? fs::path() : within;
}

void make_folder(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  std::error_code error;
  if (!folder.empty()) fs::create_directories(folder, error);
  if (error)
    fail(Fault::world,
         {"ModelCheckpoint: the folder '", folder, "' cannot be made: ", error.message()});
}

void check_intervals(const ModelCheckpointOptions& options) {
  const int64_t steps = options.every_n_train_steps.value_or(0);
  const int64_t epochs = options.every_n_epochs.value_or(0);
  const auto& interval = options.train_time_interval;
  check(steps >= 0, {"Invalid value for every_n_train_steps=", steps, ". Must be >= 0"});
  check(epochs >= 0, {"Invalid value for every_n_epochs=", epochs, ". Must be >= 0"});
  check(!interval || interval->count() >= 0,
        {"Invalid value for train_time_interval=", interval_text(options), ". Must be >= 0"});
  check((steps > 0) + (epochs > 0) + interval.has_value() <= 1,
        {"Combination of parameters every_n_train_steps=", steps, ", every_n_epochs=", epochs,
         " and train_time_interval=", interval_text(options), " should be mutually exclusive."});
}

}  // namespace

SaveLast::SaveLast(const char* how) : is_link_(true) {
  check(std::string_view(how) == "link",
        {"ModelCheckpoint: save_last '", how, "': true, false or \"link\" is needed"});
}

ModelCheckpoint::ModelCheckpoint(ModelCheckpointOptions options) : options_(std::move(options)) {
  check(options_.save_top_k >= -1,
        {"Invalid value for save_top_k=", options_.save_top_k, ". Must be >= -1"});
  check(!options_.monitor.empty() || options_.save_top_k <= 1,
        {"ModelCheckpoint(save_top_k=", options_.save_top_k,
         ", monitor=None) is not a valid configuration. No quantity for top_k to track."});
  check(options_.mode == "min" || options_.mode == "max",
        {"`mode` can be min, max but got ", options_.mode});
  check_intervals(options_);
  checkpoint_name(pattern_of(options_), true, [](auto&) { return std::optional<double>(); });
  every_n_steps_ = options_.every_n_train_steps.value_or(0);
  const bool none = !options_.every_n_train_steps && !options_.train_time_interval;
  every_n_epochs_ = options_.every_n_epochs.value_or(none ? 1 : 0);
}

// What Lightning tells callbacks apart by, and what it forgets.
std::string ModelCheckpoint::state_key() const {
  const std::string monitor = options_.monitor.empty() ? "None" : "'" + options_.monitor + "'";
  return "ModelCheckpoint{'monitor': " + monitor + ", 'mode': '" + options_.mode +
         "', 'every_n_train_steps': " + std::to_string(every_n_steps_) +
         ", 'every_n_epochs': " + std::to_string(every_n_epochs_) +
         ", 'train_time_interval': " + interval_text(options_) +
         ", 'save_top_k': " + std::to_string(options_.save_top_k) +
         ", 'save_last': " + (options_.save_last ? "True" : "False") + ", 'filename': '" +
         (fs::path(options_.dirpath) / options_.filename).string() + "'}";
}

Value ModelCheckpoint::state_dict() const {
  Value state;
  state["monitor"] = options_.monitor.empty() ? Value() : Value(options_.monitor);
  state["best_model_score"] = optional_value(best_model_score_);
  state["best_model_path"] = best_model_path_;
  state["current_score"] = optional_value(current_score_);
  state["dirpath"] = dirpath_;
  Value& kept = state["best_k_models"] = Value::Map();
  for (const auto& [path, score] : kept_) kept[path] = score;
  state["kth_best_model_path"] = kth_best_model_path();
  state["kth_value"] = kth_value();
  state["last_model_path"] = last_model_path_;
  state["last_global_step_saved"] = saved_step_;
  return state;
}

void ModelCheckpoint::load_state_dict(const Value& state) {
  best_model_path_ = state.at("best_model_path").as_text();
  if (const Value* step = state.find("last_global_step_saved")) saved_step_ = step->as_integer();
  const std::string& folder = state.at("dirpath").as_text();
  const char* with_scores = std::getenv("LME_LOAD_MODEL_CHECKPOINT_BEST_SCORES");
  same_folder_ = folder == dirpath_;
  const bool adopts = with_scores && std::string_view(with_scores) == "1";
  if (in_fit_ && folder != dirpath_ && !adopts) {
    if (options_.save_top_k == 0) return;
    log_warning({"The dirpath has changed from '", folder, "' to '", dirpath_,
                 "', therefore `best_model_score`, `kth_best_model_path`, `kth_value`, "
                 "`last_model_path` and `best_k_models` won't be reloaded. Only `best_model_path` "
                 "will be reloaded."});
    return;
  }
  best_model_score_ = optional_real(state.find("best_model_score"));
  current_score_ = optional_real(state.find("current_score"));
  kept_.clear();
  for (const auto& [path, score] : state.at("best_k_models").as_map())
    kept_.emplace_back(path, real_of(score));
  if (options_.save_top_k >= 0 && static_cast<int64_t>(kept_.size()) > options_.save_top_k)
    kept_.resize(options_.save_top_k);
  if (in_fit_ && folder != dirpath_)
    adopt_files(folder);
  else
    last_model_path_ = state.at("last_model_path").as_text();
}

// What lay in the old folder lies in the new one: from there it can be removed when it is no longer
// among the best.
void ModelCheckpoint::adopt_files(const std::string& old_folder) {
  std::vector<std::pair<std::string, double>> adopted;
  for (const auto& [path, score] : kept_) {
    const fs::path within = path_within(old_folder, path);
    const fs::path copy = fs::path(dirpath_) / within;
    if (within.empty() || !fs::exists(path)) {
      log_warning({"ModelCheckpoint: '", path, "' of the run before is not there any more"});
      continue;
    }
    fs::create_directories(copy.parent_path());
    if (!is_there(copy)) write_whole(copy.string(), read_whole(path));
    adopted.emplace_back(copy.string(), score);
    if (best_model_path_ == path) best_model_path_ = copy.string();
  }
  kept_ = std::move(adopted);
  if (!options_.monitor.empty()) find_best();
}

void ModelCheckpoint::setup(Trainer& trainer, LME&) {
  in_fit_ = trainer.function() == TrainerFn::fit;
  if (!in_fit_) return;  // what a fit has found stays known
  const std::string folder =
      trainer.log_dir().empty() ? trainer.options().default_root_dir : trainer.log_dir();
  dirpath_ =
      options_.dirpath.empty() ? (fs::path(folder) / "checkpoints").string() : options_.dirpath;
  best_model_path_.clear();
  last_model_path_.clear();
  best_model_score_.reset();
  current_score_.reset();
  kept_.clear();
  resumed_from_ = time_of(trainer.ckpt_path());
  saved_step_ = 0;
  same_folder_ = validated_ = warned_ = false;
  std::error_code error;
  if (options_.save_top_k != 0 && fs::is_directory(dirpath_, error) &&
      !fs::is_empty(dirpath_, error))
    log_warning({"Checkpoint directory ", dirpath_, " exists and is not empty."});
}

void ModelCheckpoint::on_train_start(Trainer&, LME&) {
  saved_at_ = std::chrono::steady_clock::now();
}

void ModelCheckpoint::on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*,
                                         const data::Batch&, int64_t) {
  if (every_n_steps_ == 0 && !options_.train_time_interval) return;
  if (has_nothing_to_save(trainer)) return;
  const bool by_steps = every_n_steps_ > 0 && trainer.global_step() % every_n_steps_ == 0;
  bool by_time = false;
  if (const auto& interval = options_.train_time_interval) {
    const auto now = std::chrono::steady_clock::now();
    by_time = now - saved_at_ >= *interval;
    if (by_time) saved_at_ = now;
  }
  if (by_steps || by_time) save_all(trainer, true);
}

void ModelCheckpoint::on_validation_end(Trainer& trainer, LME&) {
  if (trainer.function() != TrainerFn::fit || trainer.sanity_checking()) return;
  validated_ = true;
  if (!saves_at_epoch_end(trainer)) end_epoch(trainer);
}

void ModelCheckpoint::on_train_epoch_end(Trainer& trainer, LME&) {
  if (saves_at_epoch_end(trainer)) end_epoch(trainer);
}

bool ModelCheckpoint::saves_at_epoch_end(const Trainer& trainer) const {
  if (options_.save_on_train_epoch_end) return *options_.save_on_train_epoch_end;
  if (trainer.num_val_batches() == 0) return true;
  const BatchLimit& interval = trainer.options().val_check_interval;
  return trainer.options().check_val_every_n_epoch == 1 && interval.is_part() &&
         interval.value() == 1;
}

bool ModelCheckpoint::has_nothing_to_save(const Trainer& trainer) const {
  return trainer.options().fast_dev_run > 0 || trainer.function() != TrainerFn::fit ||
         trainer.sanity_checking() || trainer.global_step() == saved_step_;
}

void ModelCheckpoint::end_epoch(Trainer& trainer) {
  if (has_nothing_to_save(trainer)) return;
  save_all(trainer, every_n_epochs_ > 0 && (trainer.current_epoch() + 1) % every_n_epochs_ == 0);
}

// Nothing is removed before all that is new is there.
void ModelCheckpoint::save_all(Trainer& trainer, bool best_too) {
  if (options_.save_last) last_model_path_ = free_path("last", last_model_path_);
  Saved saved;
  if (best_too && options_.save_top_k != 0)
    saved = options_.monitor.empty() ? save_newest(trainer) : save_best(trainer);
  if (options_.save_last) save_last(trainer, saved.path);
  if (!saved.evicted.empty() && saved.evicted != saved.path) remove(trainer, saved.evicted);
}

ModelCheckpoint::Saved ModelCheckpoint::save_newest(Trainer& trainer) {
  const std::string before = best_model_path_;
  best_model_path_ = free_path(file_name(trainer), before);
  save(trainer, best_model_path_);
  return {best_model_path_, options_.save_top_k == 1 ? before : ""};
}

ModelCheckpoint::Saved ModelCheckpoint::save_best(Trainer& trainer) {
  const std::optional<double> metric = monitored(trainer);
  if (!metric) return {};
  const double score = std::isnan(*metric) ? worst() : *metric;
  const bool replaces = is_full() && options_.save_top_k > 0;
  if (replaces && !better(score, kept_.back().second)) {
    if (options_.verbose)
      log_info({"Epoch ", trainer.current_epoch(), ", global step ", trainer.global_step(), ": '",
                options_.monitor, "' was not in top ", options_.save_top_k});
    return {};
  }
  const std::string evicted = replaces ? kept_.back().first : "";
  const std::string path = free_path(file_name(trainer), evicted);
  // Known before it is written: the file itself says which is the best.
  if (replaces) kept_.pop_back();
  std::erase_if(kept_, [&](const auto& file) { return file.first == path; });
  auto place = kept_.begin();
  while (place != kept_.end() && !better(score, place->second)) ++place;
  kept_.insert(place, {path, score});
  current_score_ = score;
  find_best();
  if (options_.verbose)
    log_info({"Epoch ", trainer.current_epoch(), ", global step ", trainer.global_step(), ": '",
              options_.monitor, "' reached ", fixed_text(score, 5), " (best ",
              fixed_text(kept_[0].second, 5), "), saving model to '", path, "' as top ",
              options_.save_top_k < 0 ? static_cast<int64_t>(kept_.size()) : options_.save_top_k});
  save(trainer, path);
  return {path, evicted};
}

void ModelCheckpoint::find_best() {
  const bool found = !kept_.empty() && kept_[0].second != worst();
  best_model_path_ = found ? kept_[0].first : "";
  best_model_score_ = found ? std::optional(kept_[0].second) : std::nullopt;
}

std::optional<double> ModelCheckpoint::monitored(const Trainer& trainer) {
  if (const auto metric = trainer.callback_metric(options_.monitor)) return metric;
  const auto& names = trainer.metric_names();
  const bool known = std::find(names.begin(), names.end(), options_.monitor) != names.end();
  const bool of_validation = options_.monitor.starts_with("val_");
  if (known && of_validation && !trainer.callback_metric("val_loss")) return {};  // it did not run
  const std::string problem = "`ModelCheckpoint(monitor='" + options_.monitor +
                              "')` could not find the monitored key in the returned metrics: " +
                              python_list(trainer.callback_metrics().names()) +
                              ". HINT: Did you call `log('" + options_.monitor +
                              "', value)` in the `LightningModule`?";
  check(known || !validated_, {problem});
  if (!warned_) log_warning({problem});
  warned_ = true;
  return {};
}

bool ModelCheckpoint::is_full() const {
  const auto count = static_cast<int64_t>(kept_.size());
  return count > 0 && (options_.save_top_k < 0 || count == options_.save_top_k);
}

double ModelCheckpoint::worst() const { return options_.mode == "max" ? -INFINITY : INFINITY; }

void ModelCheckpoint::save_last_now(Trainer& trainer) {
  last_model_path_ = free_path("last", last_model_path_);
  make_folder(last_model_path_);
  // Not one of those after which nothing more is saved for the same step.
  trainer.save_checkpoint(last_model_path_, options_.save_weights_only);
}

// What was saved just now is the same: it gets a second name.
void ModelCheckpoint::save_last(Trainer& trainer, const std::string& saved) {
  if (saved.empty()) return save(trainer, last_model_path_);
  const fs::path last = last_model_path_, draft = last_model_path_ + ".draft";
  std::error_code error;
  fs::remove(draft, error);
  if (options_.save_last.is_link())
    fs::create_symlink(fs::path(saved).lexically_relative(last.parent_path()), draft, error);
  else
    fs::create_hard_link(saved, draft, error);
  if (!error) fs::rename(draft, last, error);
  if (error) save(trainer, last_model_path_);  // a file system without links
}

std::string ModelCheckpoint::file_name(const Trainer& trainer) const {
  return checkpoint_name(pattern_of(options_), options_.auto_insert_metric_name,
                         [&](const std::string& name) -> std::optional<double> {
                           if (name == "epoch") return trainer.current_epoch();
                           if (name == "step") return trainer.global_step();
                           return trainer.callback_metric(name);
                         });
}

// A run that was cut has written files that its last checkpoint does not know. Gone on with, it comes
// to the same names again.
bool ModelCheckpoint::is_own(const std::string& path) const {
  return same_folder_ && resumed_from_ && time_of(path) >= resumed_from_;
}

// `own` is this callback's file, which is about to be replaced.
std::string ModelCheckpoint::free_path(const std::string& name, const std::string& own) const {
  std::string path = (fs::path(dirpath_) / (name + ".ckpt")).string();
  const auto is_taken = [&] { return path != own && is_there(path) && !is_own(path); };
  for (int version = 1; options_.enable_version_counter && is_taken(); ++version)
    path = (fs::path(dirpath_) / (name + "-v" + std::to_string(version) + ".ckpt")).string();
  return path;
}

void ModelCheckpoint::save(Trainer& trainer, const std::string& path) {
  make_folder(path);
  saved_step_ = trainer.global_step();
  trainer.save_checkpoint(path, options_.save_weights_only);
}

// A checkpoint says which files are kept: what lies elsewhere is not this callback's to remove, nor
// is the file that the run goes on from.
void ModelCheckpoint::remove(const Trainer& trainer, const std::string& path) const {
  std::error_code error;
  if (path_within(dirpath_, path).empty()) return;
  if (trainer.is_resuming() && fs::equivalent(path, trainer.ckpt_path(), error)) return;
  fs::remove(path);
}

}  // namespace levin::inline v0

// What can be asked of a trainer.
#include <algorithm>
#include <filesystem>

#include "../kernels/check.h"
#include "callbacks/model_checkpoint.h"
#include "checkpoint_state.h"
#include "console/log.h"
#include "trainer.h"

namespace levin::inline v0 {

namespace fs = std::filesystem;

bool Trainer::is_running(TrainerFn function) const { return model_ && function_ == function; }

namespace {

std::string newest(const std::vector<std::string>& paths) {
  std::string found;
  std::error_code error;
  for (const std::string& path : paths)
    if (found.empty() || fs::last_write_time(path, error) > fs::last_write_time(found, error))
      found = path;
  return found;
}

std::vector<std::string> last_files(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& file : fs::directory_iterator(folder, error)) {
    const std::string name = file.path().filename().string();
    if (name.starts_with("last") && name.ends_with(".ckpt")) paths.push_back(file.path().string());
  }
  return paths;
}

}  // namespace

// "best" and "last" are those of this trainer's run before, where there was one.
std::string Trainer::path_in_last_run(const std::string& path) const {
  if (path != "best" && path != "last") return path;
  std::vector<std::string> found;
  for (const ModelCheckpoint* checkpoint : callbacks_of<ModelCheckpoint>()) {
    if (path == "best" && !checkpoint->best_model_path().empty())
      return checkpoint->best_model_path();
    for (const std::string& last : last_files(checkpoint->dirpath())) found.push_back(last);
  }
  return path == "best" || found.empty() ? path : newest(found);
}

// Another process's run in the same folder: its newest last.ckpt says which was the best.
std::string Trainer::path_in_folders(const std::string& path) const {
  std::vector<std::string> found = last_files((fs::path(log_dir_) / "checkpoints").string());
  for (const ModelCheckpoint* checkpoint : callbacks_of<ModelCheckpoint>())
    for (const std::string& last : last_files(checkpoint->options().dirpath)) found.push_back(last);
  const std::string last = newest(found);
  if (path == "best") {
    std::string best;
    if (!last.empty()) best = best_path_in(load_checkpoint_file(last));
    check(!best.empty(),
          {"ckpt_path=\"best\" is set but `ModelCheckpoint` is not configured to save "
           "the best model, or no run has saved one."});
    return best;
  }
  if (last.empty())
    log_warning(
        {"ckpt_path=\"last\" is set, but there is no last checkpoint available. No "
         "checkpoint will be loaded."});
  return last;
}

int64_t Trainer::num_evaluation_batches(int64_t dataloader_idx) const {
  const int64_t all = val_batch_counts_[dataloader_idx], sanity = options_.num_sanity_val_steps;
  return sanity_checking() && sanity >= 0 ? std::min(all, sanity) : all;
}

int64_t Trainer::num_val_batches() const {
  int64_t total = 0;
  for (std::size_t i = 0; i < val_batch_counts_.size(); ++i)
    total += num_evaluation_batches(static_cast<int64_t>(i));
  return total;
}

std::optional<int64_t> Trainer::estimated_stepping_batches() const {
  std::optional<int64_t> by_steps, by_epochs;
  if (options_.max_steps >= 0) by_steps = options_.max_steps;
  if (max_epochs_ >= 0)
    by_epochs = max_epochs_ * ((num_training_batches() + accumulate_ - 1) / accumulate_);
  if (!by_steps || !by_epochs) return by_steps ? by_steps : by_epochs;
  return std::min(*by_steps, *by_epochs);
}

void Trainer::set_accumulate_grad_batches(int64_t batches) {
  check(batches >= 1, {"Trainer: accumulate_grad_batches ", batches, ": at least 1"});
  accumulate_ = batches;
}

bool Trainer::is_done() {
  return (max_epochs_ >= 0 && at_.epoch >= max_epochs_) || max_steps_reached() ||
         num_training_batches() == 0 || is_stopping();
}

bool Trainer::max_steps_reached() const {
  return options_.max_steps >= 0 && at_.global_step >= options_.max_steps;
}

// A stop before min_epochs and min_steps is put off.
bool Trainer::is_stopping() {
  if (!should_stop) return false;
  const int64_t epochs = options_.min_epochs.value_or(0), steps = options_.min_steps.value_or(0);
  if (at_.epoch >= epochs && at_.global_step >= steps) return true;
  if (!told_to_go_on_)
    log_info({"Trainer was signaled to stop but the required `min_epochs=", epochs,
              "` or `min_steps=", steps, "` has not been met. Training will continue..."});
  told_to_go_on_ = true;
  return false;
}

// Batches from one update to the next, that of the current batch.
int64_t Trainer::window() const {
  const int64_t first = at_.batch - at_.batch % accumulate_;
  return std::min(accumulate_, num_training_batches() - first);
}

bool Trainer::window_ends() const {
  return (at_.batch + 1) % accumulate_ == 0 || at_.batch + 1 == num_training_batches();
}

// What a compiled step depends on besides its batch.
uint64_t Trainer::step_key() const {
  const auto length = static_cast<uint64_t>(window());
  return length << 3 | uint64_t{at_.has_gradients} << 2 | uint64_t{window_ends()} << 1 |
         uint64_t{model_->weigh_batches};
}

std::optional<double> Trainer::running_loss() const {
  if (train_metrics_.empty()) return {};
  CoreMetric& loss = train_metrics_.loss();
  return loss.epoch_result_reduced(loss.epoch_result());
}

std::vector<const ModelCheckpoint*> Trainer::monitored_checkpoints() const {
  std::vector<const ModelCheckpoint*> found;
  if (!attached_ || !options_.enable_checkpointing) return found;
  for (const AnyCallback& callback : attached_->default_checkpoints()) {
    const auto* checkpoint = static_cast<const ModelCheckpoint*>(callback.get());
    if (checkpoint->options().save_top_k != 0) found.push_back(checkpoint);
  }
  return found;
}

const ModelCheckpoint* Trainer::best_checkpoint() const {
  const auto found = monitored_checkpoints();
  return found.empty() ? nullptr : found[0];
}

}  // namespace levin::inline v0

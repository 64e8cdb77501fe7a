#include "on_exception_checkpoint.h"

#include <filesystem>

#include "../../kernels/check.h"
#include "../console/log.h"
#include "../trainer.h"

namespace levin::inline v0 {

namespace fs = std::filesystem;

OnExceptionCheckpoint::OnExceptionCheckpoint(std::string dirpath, std::string filename)
    : ckpt_path_((fs::path(dirpath) / (filename + ".ckpt")).string()) {
  check(!dirpath.empty(), {"The directory path cannot be empty"});
  check(!filename.empty(), {"The filename cannot be empty"});
}

void OnExceptionCheckpoint::setup(Trainer& trainer, LME&) {
  has_started_ = has_failed_ = false;
  in_fit_ = trainer.function() == TrainerFn::fit && trainer.options().fast_dev_run == 0;
  if (in_fit_) trainer.keep_progress();
}

void OnExceptionCheckpoint::on_train_start(Trainer&, LME&) { has_started_ = in_fit_; }

// Before training has started there is nothing that a file of before does not hold.
void OnExceptionCheckpoint::on_exception(Trainer& trainer, LME&, const std::exception&) {
  has_failed_ = true;
  if (!has_started_) return;
  fs::create_directories(fs::path(ckpt_path_).parent_path());
  trainer.save_before_failure(ckpt_path_);
  log_info({"The run's state is saved in '", ckpt_path_, "'"});
}

void OnExceptionCheckpoint::teardown(Trainer&, LME&) {
  if (in_fit_ && !has_failed_) fs::remove(ckpt_path_);
}

std::string checkpoint_on_exception(std::vector<AnyCallback> trainers_callbacks, const LME& model) {
  std::vector<AnyCallback> callbacks = std::move(trainers_callbacks);
  const std::vector<AnyCallback>& own = model.callbacks.list();
  callbacks.insert(callbacks.end(), own.begin(), own.end());
  std::error_code error;
  for (const AnyCallback& callback : callbacks) {
    const auto* saver = dynamic_cast<const OnExceptionCheckpoint*>(callback.get());
    if (!saver || !fs::exists(saver->ckpt_path(), error)) continue;
    log_info({"Going on from '", saver->ckpt_path(), "', where the run before failed"});
    return saver->ckpt_path();
  }
  return "";
}

}  // namespace levin::inline v0

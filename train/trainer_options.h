// What a Trainer and a fit are told.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "callback.h"
#include "loggers/logger.h"

namespace levin::inline v0 {

/// `CSVLogger("")`, a list of loggers, false for none, true for the default: a CSVLogger in
/// default_root_dir.
class LoggerOption {
 public:
  LoggerOption(bool on = true) : is_default_(on) {}
  template <class L>
  requires std::is_base_of_v<Logger, std::remove_cvref_t<L>> LoggerOption(L&& logger)
      : loggers_{AnyLogger(std::forward<L>(logger))} {}
  LoggerOption(AnyLogger logger) : loggers_{std::move(logger)} {}
  LoggerOption(std::vector<AnyLogger> loggers) : loggers_(std::move(loggers)) {}

  bool is_default() const { return is_default_; }
  const std::vector<AnyLogger>& list() const { return loggers_; }

 private:
  bool is_default_ = false;
  std::vector<AnyLogger> loggers_;
};

/// Lightning's names and defaults.
struct TrainerOptions {
  std::optional<int64_t> max_epochs = {};  ///< none: 1000, with a warning; -1: no limit
  LoggerOption logger = true;
  std::vector<AnyCallback> callbacks = {};
  int64_t num_sanity_val_steps = 2;  ///< validation batches before training; -1: all
  int64_t check_val_every_n_epoch = 1;
  bool enable_checkpointing = true;
  bool enable_progress_bar = true;
  bool enable_model_summary = true;
  std::string default_root_dir = {};  ///< empty: the current folder
};

struct FitOptions {
  std::string ckpt_path = {};  ///< a full checkpoint to go on from
};

}  // namespace levin::inline v0

// TensorBoardLogger: an event file that TensorBoard shows.
#pragma once

#include "file_logger.h"

namespace levin::inline v0 {

using TensorBoardLoggerOptions = FileLoggerOptions;

/// Writes events.out.tfevents.<time>.<host>.<process>.<n>: each row one event, appended by one
/// write; values are float32. Rows of tests and validations have the tags "test/loss",
/// "validate/val_loss". Hyper-parameters stand in hparams.yaml and as a text. A resumed run in a new
/// folder begins with the old run's events; in the same folder a new file stands beside the old ones.
/// In both the events after the checkpoint are no longer shown.
class TensorBoardLogger : public FileLogger {
 public:
  explicit TensorBoardLogger(std::string save_dir, TensorBoardLoggerOptions options = {});

  void log_hyperparams(const Value& hparams) override;
  void save() override;
  Value state_dict() const override;
  void resume(const Value& state, const std::string& old_dir) override;
  AnyLogger in_folder(const std::string& folder) const override;

 private:
  void write(const Value::Map& row, LogTable table) override;
  void close() override;
  /// With what every file begins, if this is its first record.
  void append(const std::string& record);

  LogFile file_;
  Value earlier_;          // names and bytes of this folder's files before file_
  int64_t next_step_ = 0;  // after the last row's
};

}  // namespace levin::inline v0

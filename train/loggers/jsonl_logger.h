// JsonLinesLogger: metrics.jsonl and hparams.json in <save_dir>/<name>/version_<n>.
#pragma once

#include <array>

#include "file_logger.h"

namespace levin::inline v0 {

using JsonLinesLoggerOptions = FileLoggerOptions;

/// A row is one line, `{"loss": 1.25, "epoch": 0, "step": 9}`, names in the order they came,
/// appended by one write; what is not finite is null. Tests and validations write test_metrics.jsonl
/// and validate_metrics.jsonl.
class JsonLinesLogger : public FileLogger {
 public:
  explicit JsonLinesLogger(std::string save_dir, JsonLinesLoggerOptions options = {});

  void start(const std::vector<std::string>& run_folders = {}) override;
  void log_hyperparams(const Value& hparams) override;
  void save() override;
  Value state_dict() const override;
  /// Begins metrics.jsonl with the old run's rows up to the offset in `state`.
  void resume(const Value& state, const std::string& old_dir) override;
  AnyLogger in_folder(const std::string& folder) const override;

 private:
  void write(const Value::Map& row, LogTable table) override;
  void close() override;

  std::array<LogFile, 3> tables_;  // by LogTable
};

}  // namespace levin::inline v0

// CSVLogger: metrics.csv and hparams.yaml in <save_dir>/<name>/version_<n>.
#pragma once

#include <array>

#include "file_logger.h"

namespace levin::inline v0 {

using CSVLoggerOptions = FileLoggerOptions;

/// Rows are appended whole, one write each; columns are sorted. A row with a new column rewrites the
/// file. Tests and validations write test_metrics.csv and validate_metrics.csv.
class CSVLogger : public FileLogger {
 public:
  explicit CSVLogger(std::string save_dir, CSVLoggerOptions options = {});

  void start(const std::vector<std::string>& run_folders = {}) override;
  void log_hyperparams(const Value& hparams) override;
  void save() override;
  Value state_dict() const override;
  /// Begins metrics.csv with as many of the old run's rows as `state` says. (It counts rows, not
  /// bytes: a column that came later has made the rows before it longer.)
  void resume(const Value& state, const std::string& old_dir) override;
  AnyLogger in_folder(const std::string& folder) const override;

 private:
  struct Table {
    LogFile file;
    std::vector<std::string> columns;
    int64_t rows = 0;  // below the header
    void widen(const Value::Map& row);
  };

  void write(const Value::Map& row, LogTable table) override;
  void close() override;

  std::array<Table, 3> tables_;  // by LogTable
};

}  // namespace levin::inline v0

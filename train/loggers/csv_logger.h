// CSVLogger: metrics.csv and hparams.yaml in <save_dir>/<name>/version_<n>.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "logger.h"

namespace levin::inline v0 {

class AppendFile;

struct CSVLoggerOptions {
  std::string name = "lightning_logs";  ///< may be empty
  Value version = {};  ///< null: the next free one; an integer n: version_n; text: itself
};

/// Rows are appended whole, one write each; columns are sorted. A row with a new column rewrites the
/// file. The folder of a version that is not given is made exclusively: two runs that start together
/// get two.
class CSVLogger : public Logger {
 public:
  explicit CSVLogger(std::string save_dir, CSVLoggerOptions options = {});
  ~CSVLogger() override;
  CSVLogger(CSVLogger&&) noexcept;

  void start() override;
  void log_metrics(const Value::Map& row) override;
  void log_hyperparams(const Value& hparams) override;
  void save() override;
  void finalize(const std::string& status) override;
  std::string log_dir() const override { return log_dir_; }
  std::string version() const override { return version_; }
  Value state_dict() const override;
  /// Begins metrics.csv with the old run's rows up to the offset in `state`.
  void resume(const Value& state, const std::string& old_dir) override;

 private:
  std::string in_root(const std::string& folder) const;
  std::string metrics_path() const { return log_dir_ + "/metrics.csv"; }
  void make_next_version();
  void widen(const Value::Map& row);
  void append(const std::string& text);
  void check_started() const;

  std::string save_dir_;
  CSVLoggerOptions options_;
  std::string log_dir_, version_;
  std::string renamed_;  // where this folder's metrics.csv of another run went
  std::vector<std::string> columns_;
  std::unique_ptr<AppendFile> file_;
  int64_t written_ = 0;  // bytes of metrics.csv
};

}  // namespace levin::inline v0

// FileLogger: what loggers that write into <save_dir>/<name>/version_<n> share.
#pragma once

#include <memory>

#include "logger.h"

namespace levin::inline v0 {

class AppendFile;

struct FileLoggerOptions {
  std::string name = "lightning_logs";  ///< may be empty
  Value version = {};       ///< null: the next free one; an integer n: version_n; text: itself
  std::string prefix = {};  ///< "p" makes "loss" to "p-loss"; the step stays
  /// Rows are in the file at once. n > 0: on the disk too (fsync) after those of steps n - 1, 2n - 1,
  /// ..; 0: at checkpoints and at the end.
  int64_t flush_logs_every_n_steps = 0;
};

/// The folder of a version that is not given is made exclusively: two runs that start together get
/// two. A file of another run in a given version is renamed ("metrics_old1.csv") before a new one
/// begins.
class FileLogger : public Logger {
 public:
  void start(const std::vector<std::string>& run_folders = {}) override;
  void log_metrics(const Value::Map& row, LogTable table = LogTable::metrics) override;
  void finalize(const std::string& status) override;
  std::string log_dir() const override { return log_dir_; }
  std::string version() const override { return version_; }
  const std::string& save_dir() const { return save_dir_; }
  /// save_dir/name
  std::string root_dir() const;

 protected:
  /// `type` is the logger's name for errors. Throws std::invalid_argument for a version that is
  /// neither an integer nor text.
  FileLogger(const char* type, std::string save_dir, FileLoggerOptions options);

  /// The row has a step, every name once, and the prefix.
  virtual void write(const Value::Map& row, LogTable table) = 0;
  /// Closes files; rows may follow.
  virtual void close() = 0;

  /// Throws std::logic_error before start().
  void check_started() const;
  std::string path_of(const std::string& file) const { return log_dir_ + "/" + file; }
  /// save_dir and options of a logger for exactly this folder.
  std::pair<std::string, FileLoggerOptions> options_for(const std::string& folder) const;

 private:
  std::string in_root(const std::string& folder) const;
  bool joins(const std::vector<std::string>& run_folders);
  void take_given_version(const std::vector<std::string>& run_folders);
  void make_next_version();

  const char* type_;
  std::string save_dir_;
  FileLoggerOptions options_;
  std::string log_dir_, version_;
};

/// One growing file of a run. Nothing is touched before the first row.
class LogFile {
 public:
  LogFile() = default;
  explicit LogFile(std::string path);
  ~LogFile();
  LogFile(LogFile&&) noexcept;
  LogFile& operator=(LogFile&&) noexcept;

  const std::string& path() const { return path_; }
  int64_t size() const { return size_; }
  /// Adds whole rows by one write.
  void append(std::string_view rows);
  /// All of the file anew.
  void replace(std::string_view bytes);
  /// As replace(); what stands there already is kept under another name unless it is the same.
  void begin_with(std::string_view bytes);
  void sync();
  void close();

 private:
  std::string free_name() const;

  std::string path_;
  std::unique_ptr<AppendFile> file_;
  bool ours_ = false;  // this run has written to it
  int64_t size_ = 0;
};

/// "metrics", "test_metrics", "validate_metrics"
std::string table_name(LogTable table);

/// The first `state[key]` bytes of an old run's file, without what is left of a torn row; empty
/// where there is nothing to go on from. Throws std::runtime_error where no row is whole.
std::string lines_before(const Value& state, const char* key, const std::string& path);

}  // namespace levin::inline v0

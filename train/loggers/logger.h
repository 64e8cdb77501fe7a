// Logger: where a run's metrics are written.
#pragma once

#include <string>
#include <vector>

#include "../../kernels/handle.h"
#include "../../kernels/type_name.h"
#include "../files/value.h"

namespace levin::inline v0 {

/// Rows of test() and validate() are kept apart from those of a fit; names are the same in all.
enum class LogTable : uint8_t { metrics, test, validate };

class Logger {
 public:
  virtual ~Logger() = default;

  /// "CSVLogger"
  virtual std::string type_name() const { return class_name(typeid(*this)); }
  /// Makes the run's folder; called at the start of every fit, test and validation, but only the
  /// first call does something. `run_folders` are those that loggers of other types have made for
  /// the same run: a logger that would make the next version beside one of them takes that instead.
  virtual void start(const std::vector<std::string>& run_folders = {}) = 0;
  /// One row: names with numbers, null where there is no value. "step" is 0 where it is missing. All
  /// that belongs to one (epoch, step) should come in one row: rows are never merged.
  virtual void log_metrics(const Value::Map& row, LogTable table = LogTable::metrics) = 0;
  virtual void log_hyperparams(const Value& hparams) = 0;
  /// Everything is on the disk when it returns.
  virtual void save() = 0;
  /// The end of a run; status is "success" or "failed".
  virtual void finalize(const std::string& status) = 0;
  /// The run's folder; relative where the logger's own is. Empty before start().
  virtual std::string log_dir() const = 0;
  /// "0" for version_0
  virtual std::string version() const = 0;
  /// What a checkpoint keeps: how far the fit's rows have come.
  virtual Value state_dict() const { return {}; }
  /// A run goes on from a checkpoint in `old_dir` that had this state; after start().
  virtual void resume(const Value& /*state*/, const std::string& /*old_dir*/) {}
  /// A new logger of the same kind and options that writes into exactly this folder; empty where the
  /// logger knows none (for runs within a run, as MultiTrainer's).
  virtual Handle<Logger> in_folder(const std::string& /*folder*/) const { return {}; }
};

using AnyLogger = Handle<Logger>;

/// Starts the loggers of one run: those of different types that have the same root share a folder.
/// `{CSVLogger(""), JsonLinesLogger("")}` writes lightning_logs/version_0/metrics.csv and
/// metrics.jsonl beside it.
void start_loggers(const std::vector<AnyLogger>& loggers);

}  // namespace levin::inline v0

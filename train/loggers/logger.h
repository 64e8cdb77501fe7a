// Logger: where a run's metrics are written.
#pragma once

#include <string>

#include "../../kernels/handle.h"
#include "../files/value.h"

namespace levin::inline v0 {

class Logger {
 public:
  virtual ~Logger() = default;

  /// Makes the run's folder; called at the start of every fit.
  virtual void start() = 0;
  /// One row: names with numbers, null where there is no value.
  virtual void log_metrics(const Value::Map& row) = 0;
  virtual void log_hyperparams(const Value& hparams) = 0;
  /// Everything is on the disk when it returns.
  virtual void save() = 0;
  /// The end of a run; status is "success" or "failed".
  virtual void finalize(const std::string& status) = 0;
  /// The run's folder; relative where the logger's own is.
  virtual std::string log_dir() const = 0;
  /// "0" for version_0
  virtual std::string version() const = 0;
  /// What a checkpoint keeps: how far the logs have come.
  virtual Value state_dict() const { return {}; }
  /// A run goes on from a checkpoint in `old_dir` that had this state.
  virtual void resume(const Value& /*state*/, const std::string& /*old_dir*/) {}
};

using AnyLogger = Handle<Logger>;

}  // namespace levin::inline v0

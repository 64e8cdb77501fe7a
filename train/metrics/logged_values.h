// LoggedValues: what model and callbacks log by Trainer::log, collected over an epoch.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../files/value.h"
#include "metric.h"
#include "metric_values.h"

namespace levin::inline v0 {

/// Lightning's names. Unless said otherwise, values of a training batch are logged on_step and not
/// on_epoch, all others on_epoch. With both the names end in "_step" and "_epoch".
struct LogOptions {
  bool prog_bar = false;
  bool logger = true;
  std::optional<bool> on_step = {};
  std::optional<bool> on_epoch = {};
  std::string reduce_fx = "mean";  ///< over the epoch: "mean", "sum", "min", "max"
  /// How often a value counts in the mean; none: the first size of the batch's first tensor.
  std::optional<double> batch_size = {};
};

class LoggedValues {
 public:
  /// `value` has one element; it is read when a row is written. Throws std::invalid_argument for
  /// another shape, and where a name comes with other options than before.
  void log(const std::string& name, const Tensor& value, const LogOptions& options,
           bool in_training_batch, double batch_size);
  /// The values of the last batch that go to the loggers, once.
  MetricValues take_step();
  /// The newest of each that is logged in steps, of this epoch.
  MetricValues steps() const;
  std::optional<double> step(std::string_view name) const;
  /// Of the epoch so far; only those with on_epoch.
  MetricValues epoch(bool for_loggers) const;
  /// The newest of each that is shown beside the progress bar.
  MetricValues progress_bar() const;
  void reset() { entries_.clear(); }

  /// For a checkpoint in the middle of an epoch.
  std::vector<std::pair<std::string, Tensor>> state() const;
  Value options_state() const;
  void load_state(const Value& options, const std::vector<std::pair<std::string, Tensor>>& state);

 private:
  struct Entry {
    std::string name;
    LogOptions options;
    bool on_step, on_epoch;
    Tensor total, weight, last;  // float64 []
    bool is_new = false;         // logged since the last take_step()
  };
  std::string shown_name(const Entry& entry, bool of_step) const;
  double reduced(const Entry& entry) const;

  std::vector<Entry> entries_;
};

}  // namespace levin::inline v0

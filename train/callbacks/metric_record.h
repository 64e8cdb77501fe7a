// MetricRecord: every metric of all epochs, for the callbacks that show them.
#pragma once

#include <string>

#include "../files/value.h"
#include "../plot/metric_plot.h"

namespace levin::inline v0 {

class Trainer;

/// A callback keeps it in its state, so that a resumed run has the epochs before too.
class MetricRecord {
 public:
  /// In setup(): forgets the fit before, unless it goes on.
  void start(const Trainer& trainer);
  /// The last finished epoch's values, once however often it is asked for; false: they were there.
  bool append(const Trainer& trainer);

  /// Name -> a number for each epoch, null where there is none.
  const Value& values() const { return values_; }
  void load(const Value& values) { values_ = values; }
  int64_t epochs() const;
  /// Has a metric, or its validation, a number in any epoch?
  bool has_numbers(const std::string& name) const;
  MetricHistory history(const std::string& name, bool higher_is_better) const;

 private:
  Value values_;
  int64_t appended_ = -1;  // the last epoch in values_
};

}  // namespace levin::inline v0

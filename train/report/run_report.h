// What the report says of a run, collected from trainer, model and metadata.
#pragma once

#include <cstdint>

#include "page.h"

namespace levin::inline v0 {

class LME;
class MetricRecord;
class Trainer;
class Value;

/// What only the callback knows.
struct RunRecord {
  const MetricRecord& metrics;
  const Value& seconds;  ///< of each epoch
  uint64_t seed;
};

/// All but status and error.
Report run_report(const Trainer& trainer, const LME& model, const RunRecord& run);

/// Each layer with its own parameters.
ReportTable layers_of(const LME& model);

}

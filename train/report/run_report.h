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

// Its parts:

/// Each layer with its own parameters.
ReportTable layers_of(const LME& model);
/// Command, data, optimizers, hyper-parameters, the trainer's options.
std::vector<ReportFacts> configuration_of(const Trainer& trainer, const LME& model,
                                          const RunRecord& run);
/// The entries of a list, or the one that is no list; null is none.
std::vector<const Value*> each(const Value* one_or_list);
/// A text without quotes; anything else as JSON.
std::string text_of(const Value& value);

}

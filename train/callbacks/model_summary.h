// ModelSummary: prints the table of the model's parts when a fit starts.
#pragma once

#include "../callback.h"

namespace levin::inline v0 {

struct ModelSummaryOptions {
  int max_depth = 1;  ///< levels of parts that are shown; 0: no table, -1: all
};

/// By the log. The trainer adds one unless enable_model_summary is false.
class ModelSummary : public Callback {
 public:
  /// Throws std::invalid_argument for a depth below -1.
  explicit ModelSummary(ModelSummaryOptions options = {});
  void on_fit_start(Trainer& trainer, LME& model) override;

 private:
  int max_depth_;
};

}  // namespace levin::inline v0

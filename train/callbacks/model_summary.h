// ModelSummary: prints the table of the model's parts when a fit starts.
#pragma once

#include "../callback.h"

namespace levin::inline v0 {

/// By the log. The trainer adds one unless enable_model_summary is false.
class ModelSummary : public Callback {
 public:
  void on_fit_start(Trainer& trainer, LME& model) override;
};

}  // namespace levin::inline v0

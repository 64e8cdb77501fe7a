#include "reduce_lr_on_plateau_with_burn_in.h"

#include "../../kernels/check.h"

namespace levin::inline v0::optim {

ReduceLROnPlateauWithBurnIn::ReduceLROnPlateauWithBurnIn(AnyOptimizer optimizer,
                                                         const ReduceLROnPlateauOptions& options,
                                                         int64_t burn_in_epochs)
    : ReduceLROnPlateau(std::move(optimizer), options), burn_in_epochs_(burn_in_epochs) {
  check(burn_in_epochs >= 1,
        {"ReduceLROnPlateauWithBurnIn: burn_in_epochs must be at least 1, got ", burn_in_epochs});
}

void ReduceLROnPlateauWithBurnIn::step(std::optional<double> metric) {
  if (needs_metric()) return ReduceLROnPlateau::step(metric);
  ++last_epoch_;
  note_rates();
}

void ReduceLROnPlateauWithBurnIn::fields(Fields& fields) {
  ReduceLROnPlateau::fields(fields);
  fields("burn_in_epochs", burn_in_epochs_);
}

}  // namespace levin::inline v0::optim

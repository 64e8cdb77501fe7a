#include "gradient_accumulation_scheduler.h"

#include "../../kernels/check.h"
#include "../trainer.h"

namespace levin::inline v0 {

GradientAccumulationScheduler::GradientAccumulationScheduler(
    const std::vector<std::pair<int64_t, int64_t>>& scheduling) {
  check(!scheduling.empty(), {"GradientAccumulationScheduler: no epoch is given"});
  for (const auto& [epoch, factor] : scheduling) {
    check(epoch >= 0, {"Epoch should be an int greater than or equal to 0. Got ", epoch, "."});
    check(factor >= 1, {"Accumulation factor should be an int greater than 0. Got ", factor, "."});
    check(scheduling_.emplace(epoch, factor).second,
          {"GradientAccumulationScheduler: epoch ", epoch, " comes twice"});
  }
}

void GradientAccumulationScheduler::setup(Trainer& trainer, LME&) {
  check(trainer.options().accumulate_grad_batches == 1,
        {"You have set `accumulate_grad_batches` and are using the "
         "`GradientAccumulationScheduler` callback. Either remove `accumulate_grad_batches` from "
         "the Trainer or remove the callback."});
}

void GradientAccumulationScheduler::on_train_epoch_start(Trainer& trainer, LME&) {
  const auto next = scheduling_.upper_bound(trainer.current_epoch());
  trainer.set_accumulate_grad_batches(next == scheduling_.begin() ? 1 : std::prev(next)->second);
}

}  // namespace levin::inline v0

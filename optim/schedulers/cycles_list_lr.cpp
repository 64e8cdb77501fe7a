#include "cycles_list_lr.h"

#include "../../kernels/check.h"
#include "rates.h"

namespace levin::inline v0::optim {

CyclesListLR::CyclesListLR(AnyOptimizer optimizer, const std::vector<Leg>& legs)
    : LRScheduler(std::move(optimizer)) {
  check(!legs.empty(), {"CyclesListLR: an empty list of cycles"});
  for (const Leg& leg : legs) {
    check(leg.steps >= 1, {"CyclesListLR: a cycle must have steps, got ", leg.steps});
    for (const double rate : {leg.from, leg.to})
      check(0 < rate && rate < 1, {"CyclesListLR: rates must be between 0 and 1, got ", rate});
    for (int64_t i = 0; i < leg.steps; ++i)
      rates_.push_back(rounded_rate(leg.from, leg.to, i, leg.steps - 1));
  }
  start();
}

double CyclesListLR::next_lr(int) const {
  return rates_[last_epoch_ % static_cast<int64_t>(rates_.size())];
}

void CyclesListLR::fields(Fields& fields) {
  LRScheduler::fields(fields);
  fields("rates", rates_);
}

}  // namespace levin::inline v0::optim

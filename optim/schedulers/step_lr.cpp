#include "step_lr.h"

#include <algorithm>
#include <cmath>

#include "../../kernels/check.h"

namespace levin::inline v0::optim {

StepLR::StepLR(AnyOptimizer optimizer, const StepLROptions& options)
    : LRScheduler(std::move(optimizer)), options_(options) {
  check(options.step_size > 0, {"StepLR: step_size must be positive, got ", options.step_size});
  start();
}

double StepLR::next_lr(int group) const {
  const bool reduces = last_epoch_ > 0 && last_epoch_ % options_.step_size == 0;
  return reduces ? lr(group) * options_.gamma : lr(group);
}

void StepLR::fields(Fields& fields) {
  LRScheduler::fields(fields);
  fields("step_size", options_.step_size);
  fields("gamma", options_.gamma);
}

MultiStepLR::MultiStepLR(AnyOptimizer optimizer, const MultiStepLROptions& options)
    : LRScheduler(std::move(optimizer)), options_(options) {
  start();
}

double MultiStepLR::next_lr(int group) const {
  const auto& milestones = options_.milestones;
  const auto count = std::count(milestones.begin(), milestones.end(), last_epoch_);
  return lr(group) * std::pow(options_.gamma, static_cast<double>(count));
}

void MultiStepLR::fields(Fields& fields) {
  LRScheduler::fields(fields);
  for (std::size_t i = 0; i < options_.milestones.size(); ++i)
    fields("milestones." + std::to_string(i), options_.milestones[i]);
  fields("gamma", options_.gamma);
}

ExponentialLR::ExponentialLR(AnyOptimizer optimizer, double gamma)
    : LRScheduler(std::move(optimizer)), gamma_(gamma) {
  start();
}

double ExponentialLR::next_lr(int group) const {
  return last_epoch_ == 0 ? lr(group) : lr(group) * gamma_;
}

void ExponentialLR::fields(Fields& fields) {
  LRScheduler::fields(fields);
  fields("gamma", gamma_);
}

}  // namespace levin::inline v0::optim

#include "grad_scaler.h"

#include <cmath>

#include "../autograd/launch.h"
#include "../autograd/ops.h"
#include "../kernels/check.h"

namespace levin::inline v0::optim {
namespace {

void check_options(const GradScalerOptions& options, double scale) {
  check(scale > 0 && std::isfinite(scale), {"GradScaler: scale ", scale, ": must be above 0"});
  check(options.growth_factor > 1,
        {"GradScaler: growth_factor ", options.growth_factor, ": must be above 1"});
  check(options.backoff_factor > 0 && options.backoff_factor < 1,
        {"GradScaler: backoff_factor ", options.backoff_factor, ": must lie between 0 and 1"});
  check(options.growth_interval > 0,
        {"GradScaler: growth_interval ", options.growth_interval, ": must be above 0"});
}

}  // namespace

GradScaler::GradScaler(const GradScalerOptions& options)
    : options_(options), scale_(options.init_scale) {
  check_options(options_, scale_);
}

// float16 does not hold the scales that it needs.
Tensor GradScaler::scale(const Tensor& loss) const { return widened(loss) * scale_; }

GradScaler::Seen* GradScaler::seen(const Optimizer& optimizer) {
  for (Seen& each : seen_)
    if (each.optimizer == &optimizer) return &each;
  return nullptr;
}

// 0 times an infinite or NaN element is NaN, and makes the sum NaN: one number tells of all.
void GradScaler::unscale_(Optimizer& optimizer) {
  if (seen(optimizer))
    fail(Fault::order, {"unscale_() has already been called on this ", optimizer.type_name(),
                        " since the last update()."});
  const NoGrad no_grad;
  Tensor total;
  for (int group = 0; group < optimizer.group_count(); ++group)
    for (const Tensor& parameter : optimizer.parameters(group)) {
      const Tensor gradient = parameter.grad();
      if (!gradient.defined()) continue;
      gradient.mul_(1 / scale_);
      const Tensor zero = (gradient * 0).sum();
      total = total.defined() ? total + zero : zero;
    }
  seen_.push_back({&optimizer, !total.defined() || std::isfinite(total.item<double>())});
}

bool GradScaler::step(Optimizer& optimizer) {
  if (!seen(optimizer)) unscale_(optimizer);
  Seen& state = *seen(optimizer);
  if (state.has_stepped)
    fail(Fault::order, {"step() has already been called since the last update()."});
  state.has_stepped = true;
  if (state.finite) optimizer.step();
  return state.finite;
}

void GradScaler::update() {
  if (seen_.empty())
    fail(Fault::order, {"GradScaler.update: no step() was made since the last update()"});
  bool finite = true;
  for (const Seen& each : seen_) finite &= each.finite;
  seen_.clear();
  if (!finite) {
    scale_ *= options_.backoff_factor;
    growth_tracker_ = 0;
  } else if (++growth_tracker_ == options_.growth_interval) {
    const double grown = scale_ * options_.growth_factor;
    if (std::isfinite(static_cast<float>(grown))) scale_ = grown;  // PyTorch keeps it in float32
    growth_tracker_ = 0;
  }
}

GradScaler::State GradScaler::state_dict() const {
  return {{"scale", scale_},
          {"growth_factor", options_.growth_factor},
          {"backoff_factor", options_.backoff_factor},
          {"growth_interval", static_cast<double>(options_.growth_interval)},
          {"_growth_tracker", static_cast<double>(growth_tracker_)}};
}

void GradScaler::load_state_dict(const State& state) {
  const auto number = [&](const char* name) {
    for (const auto& [own, value] : state)
      if (own == name) return value;
    fail({"GradScaler.load_state_dict: '", name, "' is missing"});
  };
  GradScalerOptions options;
  const double scale = number("scale");
  options.init_scale = scale;
  options.growth_factor = number("growth_factor");
  options.backoff_factor = number("backoff_factor");
  options.growth_interval = static_cast<int64_t>(number("growth_interval"));
  const auto tracker = static_cast<int64_t>(number("_growth_tracker"));
  check_options(options, scale);
  options_ = options;
  scale_ = scale;
  growth_tracker_ = tracker;
}

}  // namespace levin::inline v0::optim

// Where a run computes, and in which types: what the Trainer's accelerator and precision mean.
#pragma once

#include <optional>
#include <string>

#include "../autograd/autocast.h"
#include "../optim/grad_scaler.h"

namespace levin::inline v0 {

/// Of "auto" (the first GPU where there is one), "cpu", "gpu" and "cuda". Throws std::runtime_error
/// where a GPU is asked for and is not there, std::invalid_argument for another word.
Device device_of(const std::string& accelerator);

/// Lightning's precision: "32-true", "64-true" (model and batches), "bf16-mixed" and "16-mixed": the
/// algorithm under Autocast, parameters in float32; the last with a GradScaler.
class Precision {
 public:
  /// "32-true" of "32", and so on. Throws std::invalid_argument for what is not possible.
  static std::string checked_name(const std::string& name);

  /// float16 needs a GPU: on the CPU "16-mixed" becomes "bf16-mixed" with a warning, as in Lightning.
  Precision(const std::string& name, Device device);

  const std::string& name() const { return name_; }
  bool is_mixed() const { return name_.ends_with("mixed"); }
  /// What model and batches become; none: they stay as they are.
  std::optional<DType> parameters() const;
  /// Engages `autocast` where the precision is a mixed one.
  void enter(std::optional<Autocast>* autocast) const;
  /// Null where losses are not scaled: then these do nothing, but for the step itself.
  optim::GradScaler* scaler() { return scaler_ ? &*scaler_ : nullptr; }
  double loss_scale() const { return scaler_ ? scaler_->get_scale() : 1; }
  Tensor scaled(const Tensor& loss) const { return scaler_ ? scaler_->scale(loss) : loss; }
  void unscale(optim::Optimizer& optimizer);
  void step(optim::Optimizer& optimizer);
  void end_update();

 private:
  std::string name_;
  std::optional<optim::GradScaler> scaler_;
};

}  // namespace levin::inline v0

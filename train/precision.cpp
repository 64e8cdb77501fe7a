#include "precision.h"

#include "../kernels/check.h"
#include "../kernels/cuda.h"
#include "console/log.h"

namespace levin::inline v0 {

Device device_of(const std::string& accelerator) {
  if (accelerator == "cpu") return kCPU;
  if (accelerator == "auto") return cuda::available() ? kCUDA : kCPU;
  check(accelerator == "gpu" || accelerator == "cuda",
        {"Trainer: accelerator '", accelerator, "': 'auto', 'cpu', 'gpu' or 'cuda' is needed"});
  if (!cuda::available())
    fail(Fault::world, {"Trainer: accelerator '", accelerator, "': no GPU: ", cuda::why()});
  return kCUDA;
}

std::string Precision::checked_name(const std::string& name) {
  for (const char* full : {"32-true", "64-true", "bf16-mixed", "16-mixed"})
    if (name == full) return name;
  if (name == "32" || name == "64") return name + "-true";
  if (name == "16" || name == "bf16") {
    log_warning(
        {"precision=", name,
         " is supported for historical reasons but its usage is discouraged. Please set your "
         "precision to ",
         name, "-mixed instead!"});
    return name + "-mixed";
  }
  fail({"Trainer: precision '", name,
        "': '32-true', '64-true', 'bf16-mixed' and '16-mixed' are possible"});
}

Precision::Precision(const std::string& name, Device device) : name_(checked_name(name)) {
  if (name_ != "16-mixed") return;
  if (device == kCPU) {
    log_warning(
        {"You passed `Trainer(accelerator='cpu', precision='16-mixed')` but AMP with fp16 is "
         "not supported on CPU. Using `precision='bf16-mixed'` instead."});
    name_ = "bf16-mixed";
    return;
  }
  scaler_.emplace();
}

std::optional<DType> Precision::parameters() const {
  return name_ == "64-true" ? std::optional(kFloat64) : std::nullopt;
}

void Precision::enter(std::optional<Autocast>* autocast) const {
  if (name_ == "bf16-mixed") autocast->emplace(kBFloat16);
  if (name_ == "16-mixed") autocast->emplace(kFloat16);
}

void Precision::unscale(optim::Optimizer& optimizer) {
  if (scaler_) scaler_->unscale_(optimizer);
}
void Precision::step(optim::Optimizer& optimizer) {
  if (scaler_)
    scaler_->step(optimizer);
  else
    optimizer.step();
}
void Precision::end_update() {
  if (scaler_) scaler_->update();
}

}  // namespace levin::inline v0

#include "backend.h"

#include "check.h"
#include "cpu/cpu_backend.h"
#include "thread_state.h"

namespace levin::inline v0 {

Backend& backend(Device device) {
  if (device.type != Device::cpu)
    fail(Fault::world, {"device ", device, ": this build of levin has no CUDA backend"});
  Backend* instead = thread_state().cpu_override;
  return instead ? *instead : cpu_backend();
}

CpuOverride::CpuOverride(Backend* instead) : outer_(thread_state().cpu_override) {
  thread_state().cpu_override = instead;
}

CpuOverride::~CpuOverride() { thread_state().cpu_override = outer_; }

}  // namespace levin::inline v0

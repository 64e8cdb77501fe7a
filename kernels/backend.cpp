#include "backend.h"

#include "cpu/cpu_backend.h"

namespace levin::inline v0 {

static Backend*& place_of(Device device) {
  ThreadState& thread = thread_state();
  return device.type == Device::cpu ? thread.cpu : thread.gpus[device.index];
}

BackendOverride::BackendOverride(Backend* instead, Device device)
    : device_(device), outer_(place_of(device)) {
  Backend* own = device.type == Device::cpu ? &cpu_backend() : nullptr;
  place_of(device) = instead ? instead : own;
}

BackendOverride::~BackendOverride() { place_of(device_) = outer_; }

}  // namespace levin::inline v0

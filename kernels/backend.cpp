#include "backend.h"

#include "check.h"
#include "cpu/cpu_backend.h"

namespace levin::inline v0 {

void fail_no_backend(Device device) {
  fail(Fault::world, {"device ", device, ": this build of levin has no CUDA backend"});
}

CpuOverride::CpuOverride(Backend* instead) : outer_(thread_state().cpu) {
  thread_state().cpu = instead ? instead : &cpu_backend();
}

CpuOverride::~CpuOverride() { thread_state().cpu = outer_; }

}  // namespace levin::inline v0

// GPUs: whether there are any, why not, and what they have done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "device.h"

namespace levin::inline v0::cuda {

/// Is there a GPU? The first call of any of these loads levin's CUDA module.
bool available();
/// Why there is none: no driver, no device, no module of this build. "" where there is one.
const std::string& why();
int device_count();

/// Waits until all that the device was given has run. Throws std::runtime_error with what went wrong
/// there.
void synchronize(Device device = kCUDA);

/// What a device has given and done since the start. Neither of the last two numbers grows in steady
/// training.
struct Statistics {
  std::size_t memory_taken;   ///< bytes of tensors, free blocks that levin keeps included
  std::size_t memory_free;    ///< of these
  uint64_t allocations;       ///< from the device, also of memory for kernels and graphs to work in
  uint64_t synchronizations;  ///< the host's waits for all that was issued
};
Statistics statistics(Device device = kCUDA);

}  // namespace levin::inline v0::cuda

// What passes between levin and its CUDA module, which is loaded at run time: one symbol. The module
// needs no symbol of levin's; what it wants of its host comes with the call.
#pragma once

#include "../backend.h"

namespace levin::inline v0::cuda {

/// The build that a library and a module must share: they exchange C++ objects.
#ifdef LEVIN_BUILD_ID
inline constexpr const char* kBuild = LEVIN_BUILD_ID;
#endif

struct Host {
  const char* build;
  Backend* cpu;  ///< for what goes through the host
  /// Gives memory that tensors left free back to the device.
  void (*release_memory)(Device);
};

/// Null, or why there is no GPU in words that the module owns. Fills in the backends of all GPUs; they
/// are this host's, and stay.
using OpenModule = const char* (*)(const Host* host, Backend** backends, int* count);
inline constexpr const char* kOpenModule = "levin_cuda_open_v0";

}  // namespace levin::inline v0::cuda

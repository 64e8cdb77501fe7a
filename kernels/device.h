// Where memory lies and arithmetic runs.
#pragma once

#include <cstdint>

namespace levin::inline v0 {

/// A device: the processor, or one GPU by its index.
struct Device {
  enum Type : uint8_t { cpu, cuda };
  Type type = cpu;
  int8_t index = 0;

  friend bool operator==(const Device&, const Device&) = default;
};

inline constexpr Device kCPU{};
/// The first GPU.
inline constexpr Device kCUDA{Device::cuda, 0};
inline constexpr int kMostGpus = 16;

/// "cpu" or "cuda".
constexpr const char* name_of(Device device) { return device.type == Device::cpu ? "cpu" : "cuda"; }

}  // namespace levin::inline v0

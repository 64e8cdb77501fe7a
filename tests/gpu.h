// For tests that need a GPU: skipped with the reason where there is none, failed where one is demanded
// (LEVIN_REQUIRE_GPU=1, on machines that are there to test it).
#pragma once

#include <gtest/gtest.h>
#include <levin/kernels/cuda.h>

#include <cstdlib>

#define LEVIN_NEEDS_GPU()                                               \
  if (!levin::cuda::available()) {                                      \
    if (std::getenv("LEVIN_REQUIRE_GPU")) FAIL() << levin::cuda::why(); \
    GTEST_SKIP() << levin::cuda::why();                                 \
  }

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEVIN_HAS_SANITIZER
#endif
#endif

namespace levin {

/// Builds for a sanitizer keep no free memory: each tensor's comes from the device, and goes back there.
#ifdef LEVIN_HAS_SANITIZER
inline constexpr bool kKeepsMemory = false;
#else
inline constexpr bool kKeepsMemory = true;
#endif

}  // namespace levin

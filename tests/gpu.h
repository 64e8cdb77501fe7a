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

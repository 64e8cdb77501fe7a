// Vec<T>: the vector of the instruction set this file is compiled for, One<T> where there is none.
// Everything is in an anonymous namespace and calls nothing inline from elsewhere: the linker must
// not keep one instruction set's copy for all.
#pragma once

#include "../formulas/one.h"

#ifdef LEVIN_VECTORS
#include <immintrin.h>
#else
namespace levin::inline v0 {
namespace {
template <class T>
using Vec = One<T>;
}  // namespace
}  // namespace levin::inline v0
#endif

#if defined(LEVIN_AVX512)
#include "simd_avx512.h"
#elif defined(LEVIN_AVX2)
#include "simd_avx2.h"
#endif

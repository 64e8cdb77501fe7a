// What the module uses of CUDA: the runtime, kernel launches as ordinary calls, and shared memory.
// Everything here also has a form in tests/emulator, which runs the same kernels without a GPU.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace levin::inline v0::cuda {

inline constexpr int kWarp = 32;

/// Null, or what CUDA says.
inline const char* error_of(cudaError_t status) {
  return status == cudaSuccess ? nullptr : cudaGetErrorString(status);
}

#ifdef __CUDACC__

/// LEVIN_SHARED(float, sums, 64); an array that the threads of a block share.
#define LEVIN_SHARED(T, name, count) __shared__ T name[count]

/// kernel<<<blocks, threads, 0, stream>>>(arguments..)
template <class... P, class... A>
const char* launch_on(cudaStream_t stream, void (*kernel)(P...), dim3 blocks, dim3 threads,
                      A... arguments) {
  return [&](P... exact) {
    void* places[] = {&exact...};
    return error_of(cudaLaunchKernel(reinterpret_cast<const void*>(kernel), blocks, threads, places,
                                     0, stream));
  }(static_cast<P>(arguments)...);
}

/// The same for kernels whose threads wait for each other.
template <class... P, class... A>
const char* launch_together_on(cudaStream_t stream, void (*kernel)(P...), dim3 blocks, dim3 threads,
                               A... arguments) {
  return launch_on(stream, kernel, blocks, threads, arguments...);
}

#endif

}  // namespace levin::inline v0::cuda

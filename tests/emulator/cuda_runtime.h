// A CUDA runtime without a GPU, in the place of NVIDIA's header: what kernels/cuda uses of it, run by
// the processor. Streams are queues that run as late as they may (or, LEVIN_EMULATOR_STREAMS=early,
// the others than the first as early), so that a missing wait shows. See emulator.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <tuple>

// ---- The language of kernels

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __noinline__
#define __launch_bounds__(...)
#define __grid_constant__

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  dim3() = default;
  dim3(unsigned its_x, unsigned its_y = 1, unsigned its_z = 1) : x(its_x), y(its_y), z(its_z) {}
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};

struct Stream;

namespace emulator {
// Where the thread that runs is.
struct Place {
  dim3 thread, block, threads, blocks;
};
extern Place here;

void wait_for_block();
void wait_for_warp();
// Every lane of the warp gives a value (at most 16 bytes); gives that of lane `from`.
void exchange(const void* value, void* result, std::size_t bytes, int from);
// `bytes` of the block's memory, the same for all its threads; `key` names the place in the source.
void* shared(const void* key, std::size_t bytes);
int lane();

template <class T>
T exchanged(T value, int from) {
  T result;
  exchange(&value, &result, sizeof(T), from);
  return result;
}

// Runs body once for each thread of each block, when the stream comes to it.
void enqueue_grid(struct Stream* stream, bool together, dim3 blocks, dim3 threads,
                  std::function<void()> body);
}  // namespace emulator

#define threadIdx emulator::here.thread
#define blockIdx emulator::here.block
#define blockDim emulator::here.threads
#define gridDim emulator::here.blocks

#define LEVIN_SHARED(T, name, count)    \
  static constexpr char name##_key = 0; \
  T* const name = static_cast<T*>(emulator::shared(&name##_key, sizeof(T) * (count)))

inline void __syncthreads() { emulator::wait_for_block(); }
inline void __syncwarp(unsigned = ~0u) { emulator::wait_for_warp(); }
template <class T>
T __shfl_sync(unsigned, T value, int from, int = 32) {
  return emulator::exchanged(value, from);
}
template <class T>
T __shfl_down_sync(unsigned, T value, unsigned by, int width = 32) {
  const int lane = emulator::lane(), to = lane + static_cast<int>(by);
  return emulator::exchanged(value, to / width == lane / width ? to : lane);
}
template <class T>
T __shfl_xor_sync(unsigned, T value, int mask, int = 32) {
  return emulator::exchanged(value, emulator::lane() ^ mask);
}

// ---- The runtime

using cudaStream_t = struct Stream*;
using cudaEvent_t = struct Event*;
using cudaGraph_t = struct Graph*;
using cudaGraphExec_t = struct Graph*;

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorNotReady = 600,
  cudaErrorStreamCaptureUnsupported = 900,
  cudaErrorStreamCaptureInvalidated = 901
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum cudaStreamCaptureMode { cudaStreamCaptureModeGlobal, cudaStreamCaptureModeThreadLocal };
enum cudaDeviceAttr { cudaDevAttrMultiProcessorCount, cudaDevAttrComputeCapabilityMajor };

constexpr unsigned cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2, cudaHostAllocMapped = 2;

const char* cudaGetErrorString(cudaError_t);
cudaError_t cudaGetDeviceCount(int*);
cudaError_t cudaSetDevice(int);
cudaError_t cudaDeviceGetAttribute(int*, cudaDeviceAttr, int device);
cudaError_t cudaMalloc(void**, std::size_t);
cudaError_t cudaFree(void*);
cudaError_t cudaHostAlloc(void**, std::size_t, unsigned);
cudaError_t cudaHostGetDevicePointer(void**, void*, unsigned);
cudaError_t cudaFreeHost(void*);
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t, cudaMemcpyKind, cudaStream_t);
cudaError_t cudaMemsetAsync(void*, int, std::size_t, cudaStream_t);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t*, unsigned);
cudaError_t cudaStreamSynchronize(cudaStream_t);
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned = 0);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t*, unsigned);
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t);
cudaError_t cudaEventSynchronize(cudaEvent_t);
cudaError_t cudaEventQuery(cudaEvent_t);
cudaError_t cudaEventDestroy(cudaEvent_t);
cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode);
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t*);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t*, cudaGraph_t, unsigned long long flags = 0);
cudaError_t cudaGraphDestroy(cudaGraph_t);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t);
cudaError_t cudaGraphLaunch(cudaGraphExec_t, cudaStream_t);

// ---- Launches, as kernels/cuda/runtime.h has them

namespace levin::inline v0::cuda {

template <class... P, class... A>
const char* launch_emulated(cudaStream_t stream, bool together, void (*kernel)(P...), dim3 blocks,
                            dim3 threads, A... arguments) {
  emulator::enqueue_grid(stream, together, blocks, threads,
                         [kernel, exact = std::tuple<P...>(static_cast<P>(arguments)...)] {
                           std::apply(kernel, exact);
                         });
  return nullptr;
}
template <class... P, class... A>
const char* launch_on(cudaStream_t stream, void (*kernel)(P...), dim3 blocks, dim3 threads,
                      A... arguments) {
  return launch_emulated(stream, false, kernel, blocks, threads, arguments...);
}
template <class... P, class... A>
const char* launch_together_on(cudaStream_t stream, void (*kernel)(P...), dim3 blocks, dim3 threads,
                               A... arguments) {
  return launch_emulated(stream, true, kernel, blocks, threads, arguments...);
}

}  // namespace levin::inline v0::cuda

// Sorts 64-bit keys in memory to work in, by a bitonic network whose comparators all move the smaller
// key to the front: so the keys that are missing to a power of two need not be there.
#pragma once

#include "elements.h"

namespace levin::inline v0::cuda {
namespace {

constexpr int kMostInTile = 2048;  // keys that one block sorts

// Comparator `pair` of a step of such ones in blocks of 2 distance keys: between keys `distance` apart,
// or (mirrored) between the first key and the last, the second and the last but one..
struct Comparator {
  int64_t first, second;
  __device__ Comparator(int64_t pair, int64_t distance, bool mirrored) {
    const int64_t here = pair & (distance - 1), block = (pair - here) * 2;
    first = block + here;
    second = mirrored ? block + 2 * distance - 1 - here : first + distance;
  }
};

__device__ inline void compare(uint64_t* keys, const Comparator& c) {
  const uint64_t a = keys[c.first], b = keys[c.second];
  if (a <= b) return;
  keys[c.first] = b;
  keys[c.second] = a;
}

__device__ inline void sort_step(uint64_t* tile, int size, int distance, bool mirrored) {
  for (int pair = threadIdx.x; pair < size / 2; pair += blockDim.x)
    compare(tile, Comparator(pair, distance, mirrored));
  __syncthreads();
}

// The steps from `distance` on, which end a merge of two blocks.
__device__ inline void sort_steps(uint64_t* tile, int size, int distance) {
  for (; distance > 0; distance /= 2) sort_step(tile, size, distance, false);
}

// Each tile from the start; or (merge) the last steps, within tiles, of a merge of longer blocks.
__global__ void sort_tiles_kernel(uint64_t* keys, int64_t n, int size, bool merge) {
  LEVIN_SHARED(uint64_t, tile, kMostInTile);
  const int64_t base = static_cast<int64_t>(blockIdx.x) * size;
  for (int i = threadIdx.x; i < size; i += blockDim.x)
    tile[i] = base + i < n ? keys[base + i] : ~uint64_t{0};
  __syncthreads();
  if (merge) sort_steps(tile, size, size / 2);
  for (int half = 1; half < size && !merge; half *= 2) {
    sort_step(tile, size, half, true);
    sort_steps(tile, size, half / 2);
  }
  for (int i = threadIdx.x; i < size; i += blockDim.x)
    if (base + i < n) keys[base + i] = tile[i];
}

__global__ void sort_step_kernel(uint64_t* keys, int64_t n, int64_t distance, bool mirrored) {
  const Comparator c(thread_number(), distance, mirrored);
  if (c.second < n) compare(keys, c);
}

const char* sort_keys(Gpu& gpu, uint64_t* keys, int64_t n) {
  int size = 64;
  while (size < n && size < kMostInTile) size *= 2;
  const int64_t tiles = blocks_for(n, size);
  const int threads = size < 8 * kWarp ? kWarp : size / 8;
  LEVIN_TRY(gpu.launch_together(sort_tiles_kernel, tiles, threads, keys, n, size, false));
  for (int64_t half = size; half < n; half *= 2) {
    const int64_t blocks = blocks_for(blocks_for(n, 2 * half) * half, kThreads);
    LEVIN_TRY(gpu.launch(sort_step_kernel, blocks, kThreads, keys, n, half, true));
    for (int64_t distance = half / 2; distance >= size; distance /= 2)
      LEVIN_TRY(gpu.launch(sort_step_kernel, blocks, kThreads, keys, n, distance, false));
    LEVIN_TRY(gpu.launch_together(sort_tiles_kernel, tiles, threads, keys, n, size, true));
  }
  return nullptr;
}

}  // namespace
}  // namespace levin::inline v0::cuda

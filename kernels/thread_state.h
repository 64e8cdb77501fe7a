// All that the library remembers for each thread, behind one thread-local pointer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "device.h"
#include "dtype.h"

namespace levin::inline v0 {

class Backend;
struct Block;
struct TensorImpl;
class Where;

/// Sizes of cached memory come in classes: 64 bytes apart up to 512, then four to each doubling.
inline constexpr int kSizeClasses = 8 + 4 * 7;  // up to 64 KiB

/// Filled by the folders that the comments name; each reads and writes its own fields only.
struct ThreadState {
  // kernels/block.h: free memory, by size class, and how many bytes more it may become
  Block* free_blocks[kSizeClasses] = {};
  void* free_small[kSizeClasses] = {};
  std::size_t cache_room;
  // tensor/tensor.cpp: free tensors that still hold memory, by its size class
  TensorImpl* free_tensors[kSizeClasses] = {};
  void (*release_free_tensors)() = nullptr;
  uint64_t next_serial = 0;
  // kernels/check.cpp: the innermost named place
  const Where* where = nullptr;
  // kernels/backend.h: where this thread's CPU calls go: the CPU's backend, or what stands in for it
  // (a recorder)
  Backend* cpu;
  // The same for GPUs; null before this thread's first call there
  Backend* gpus[kMostGpus] = {};
  // Counts what makes a captured step look again at what it recorded: see doubt_captured_steps()
  uint64_t doubts = 0;
  // kernels/recorder.cpp: see note_made()
  const char* made_in_step = nullptr;
  // kernels/cpu/linalg.cpp: what its last error says
  char error[256] = {};
  // tensor/generator.cpp
  void* generator = nullptr;
  void* own_generator = nullptr;
  void (*free_generator)(void*) = nullptr;
  // autograd/: is history recorded, see Autocast, is it looked at for NaN, who asks what nodes
  // keep, nodes that wait for their destruction, the engine's lists
  bool grad_enabled = true;
  DType autocast = kFloat32;  // products convert to it; float32: they do not
  bool detect_anomaly = false;
  void* inspector = nullptr;
  bool destroying = false;
  void* dead_nodes = nullptr;
  void* touched_leaves = nullptr;
  void* engine = nullptr;
  void (*free_engine)(void*) = nullptr;
  // train/losses.cpp: where batches of one class are counted
  void* one_class_batches = nullptr;
};

/// The default for a static library, which may be linked into a shared one, is a function call at
/// every use.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local ThreadState* thread_state_pointer;

/// Makes this thread's state; it is freed when the thread ends.
ThreadState& make_thread_state();

inline ThreadState& thread_state() {
  ThreadState* state = thread_state_pointer;
  return state ? *state : make_thread_state();
}

/// For whatever changes what a step does, but is no operation: modes of modules, hooks,
/// requires_grad, an optimizer's parameters. Recorded steps of this thread run once more as they are
/// written.
inline void doubt_captured_steps() { ++thread_state().doubts; }

/// For whatever is made and holds numbers that operations point to ("an optimizer"): a recorded step
/// that made it cannot be replayed.
inline void note_made(const char* what) { thread_state().made_in_step = what; }

}  // namespace levin::inline v0

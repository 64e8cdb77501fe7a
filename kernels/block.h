// Block: reference-counted memory on a device; and the caches that make memory cheap.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "device.h"
#include "ref.h"

namespace levin::inline v0 {

/// Memory of a device, shared by all tensors that view it. The pointer may change (re-homing):
/// nobody caches it.
struct Block {
  std::atomic<uint32_t> refs{1};
  /// How many of them are a recorder's, which keeps memory for a replay but does not own it: a
  /// recorded step must write in place wherever an unrecorded one does.
  std::atomic<uint32_t> recorded{0};
  /// Counts writes: an operation that saved the block compares it before it uses the data in a
  /// derivative.
  uint32_t version = 0;
  /// The version that the last recorded in-place operation left; 0 where there was none.
  uint32_t history = 0;
  /// The operation that wrote last, for error messages.
  const char* last_write = "data()";
  Device device;
  void* data = nullptr;
  std::size_t bytes = 0;
  std::size_t capacity = 0;
  /// Unique among all blocks (and nodes, which are numbered by the same counter) ever made, also
  /// where an address is used again.
  uint64_t serial = 0;
  /// Frees foreign memory (from_blob); null where the memory is levin's.
  void (*owner_free)(void*) = nullptr;
  void* owner = nullptr;
  Block* next_free = nullptr;

  /// At least `bytes` bytes, 64-byte aligned, not initialised: from this thread's cache, the
  /// device's central cache or the device, in this order. The only place that takes memory. Throws
  /// std::runtime_error where there is none.
  static Ref<Block> make(std::size_t bytes, Device device);
  /// Somebody else's memory, as it is; `free_owner(owner)` is called with the last reference, where
  /// given.
  static Ref<Block> wrap(void* data, std::size_t bytes, Device device, void* owner,
                         void (*free_owner)(void*));
  /// Called by Ref with the last reference.
  void release();
  /// Does one reference, recorders' aside, hold it?
  bool owned_alone() const {
    return refs.load(std::memory_order_acquire) == 1 + recorded.load(std::memory_order_relaxed);
  }
};

/// Host memory for small objects (tensors, nodes), cached like blocks. `bytes` must be given back
/// as it was asked for.
void* take_small(std::size_t bytes);
void give_small(void* memory, std::size_t bytes);

/// Bytes taken from the system now, cached ones included.
std::size_t memory_taken();
/// Most bytes that may be taken from the system; 0 (the start value) for no limit. Passing it
/// throws std::runtime_error with what was asked, what is taken and the limit; the program can go
/// on.
void set_memory_limit(std::size_t bytes);
/// Gives all free memory of this thread and the central caches back to the system.
void release_memory();
void release_thread_cache();

}  // namespace levin::inline v0

// Block: reference-counted memory on a device; and the caches that make memory cheap.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "device.h"
#include "ref.h"
#include "thread_state.h"

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
  /// Of a GPU, which runs calls later: the number of the last that used the memory, and whether a graph
  /// that may be replayed does.
  uint64_t used_at = 0;
  bool in_graph = false;
  /// The size class by which a thread keeps it when it is free; -1 where none does.
  int8_t thread_class = -1;
  void* data = nullptr;
  std::size_t bytes = 0;
  std::size_t capacity = 0;
  /// Unique among all blocks (and nodes, which are numbered by the same counter) ever made, also
  /// where an address is used again.
  uint64_t serial = 0;
  /// Frees foreign memory (from_blob); null where the memory is levin's.
  void (*owner_free)(void*) = nullptr;
  void* owner = nullptr;
  Block* next_free;

  /// At least `bytes` bytes, 64-byte aligned, not initialised: from this thread's cache, the
  /// device's central cache or the device, in this order. The only place that takes memory. Throws
  /// std::runtime_error where there is none.
  static Ref<Block> make(std::size_t bytes, Device device);
  /// Somebody else's memory, as it is; `free_owner(owner)` is called with the last reference, where
  /// given.
  static Ref<Block> wrap(void* data, std::size_t bytes, Device device, void* owner,
                         void (*free_owner)(void*));
  /// For one that is used again, by one holder: unwritten, with a number of its own.
  void renew(std::size_t its_bytes, ThreadState& thread) {
    version = history = 0;
    last_write = "data()";
    bytes = its_bytes;
    serial = thread.next_serial++;
  }
  /// Called by Ref with the last reference.
  void release();
  /// Does one reference, recorders' aside, hold it?
  bool owned_alone() const {
    return refs.load(std::memory_order_acquire) == 1 + recorded.load(std::memory_order_relaxed);
  }

 private:
  // From the central cache or the device.
  static Block* find(std::size_t bytes, Device device);
  void leave_thread();
};

/// Host memory for small objects (tensors, nodes), cached like blocks. `bytes` must be given back
/// as it was asked for.
void* take_small(std::size_t bytes);
void give_small(void* memory, std::size_t bytes);

/// Bytes taken from the system now, cached ones included; and how many of them are free.
std::size_t memory_taken(Device device = kCPU);
std::size_t memory_free(Device device = kCPU);
/// Most bytes that may be taken from the system; 0 (the start value) for no limit. Passing it
/// throws std::runtime_error with what was asked, what is taken and the limit; the program can go
/// on.
void set_memory_limit(std::size_t bytes, Device device = kCPU);
/// Gives all free memory of this thread and the central caches back to the system; or one device's.
void release_memory();
void release_memory(Device device);
void release_thread_cache();

// ---- The caches of a thread, which every operation goes through

/// Most bytes that a thread keeps: none in builds for a sanitizer, which must see every use after
/// free.
extern const std::size_t kThreadCache;
/// The largest memory that it keeps.
inline constexpr std::size_t kLargestInThread = 64 << 10;

inline int size_class(std::size_t bytes) {
  if (bytes <= 512) return bytes == 0 ? 0 : static_cast<int>((bytes - 1) / 64);
  const int log = std::bit_width(bytes - 1) - 1;  // bytes lie in (2^log, 2^(log + 1)], log >= 9
  const auto quarter = static_cast<int>((bytes - 1) >> (log - 2)) & 3;
  return 8 + (log - 9) * 4 + quarter;
}

inline std::size_t class_bytes(int size_class) {
  if (size_class < 8) return 64 * (static_cast<std::size_t>(size_class) + 1);
  const int log = 9 + (size_class - 8) / 4;
  return (std::size_t{5} + (size_class - 8) % 4) << (log - 2);
}

inline Ref<Block> Block::make(std::size_t bytes, Device device) {
  ThreadState& thread = thread_state();
  Block* block = nullptr;
  if (bytes <= kLargestInThread && device.type == Device::cpu) {
    Block*& free = thread.free_blocks[size_class(bytes)];
    if ((block = free)) {
      free = block->next_free;
      thread.cache_room += block->capacity;
    }
  }
  if (!block) [[unlikely]]
    block = find(bytes, device);
  block->refs.store(1, std::memory_order_relaxed);
  block->renew(bytes, thread);
  return Ref<Block>::adopt(block);
}

inline void Block::release() {
  ThreadState& thread = thread_state();
  if (thread_class < 0 || capacity > thread.cache_room) [[unlikely]]
    return leave_thread();
  next_free = thread.free_blocks[thread_class];
  thread.free_blocks[thread_class] = this;
  thread.cache_room -= capacity;
}

void* take_small_from_system(std::size_t bytes);

inline void* take_small(std::size_t bytes) {
  ThreadState& thread = thread_state();
  if (bytes <= kLargestInThread) [[likely]] {
    const int wanted = size_class(bytes);
    if (void* memory = thread.free_small[wanted]) [[likely]] {
      thread.free_small[wanted] = *static_cast<void**>(memory);
      thread.cache_room += class_bytes(wanted);
      return memory;
    }
  }
  return take_small_from_system(bytes);
}

inline void give_small(void* memory, std::size_t bytes) {
  ThreadState& thread = thread_state();
  const int its_class = bytes <= kLargestInThread ? size_class(bytes) : -1;
  if (its_class < 0 || class_bytes(its_class) > thread.cache_room) [[unlikely]]
    return ::operator delete(memory);
  *static_cast<void**>(memory) = thread.free_small[its_class];
  thread.free_small[its_class] = memory;
  thread.cache_room -= class_bytes(its_class);
}

}  // namespace levin::inline v0

#include "block.h"

#include <pthread.h>

#include <bit>
#include <mutex>
#include <new>

#include "backend.h"
#include "check.h"
#include "thread_state.h"

namespace levin::inline v0 {
namespace {

constexpr std::size_t kLargestInThread = 64 << 10;
constexpr std::size_t kThreadCache = 1 << 20;
constexpr std::size_t kCentralCache = std::size_t{1} << 30;

#ifdef LEVIN_NO_CACHES
constexpr bool kCaches = false;  // so that the address sanitizer sees every use after free
#else
constexpr bool kCaches = true;
#endif

int size_class(std::size_t bytes) {
  if (bytes <= 512) return bytes == 0 ? 0 : static_cast<int>((bytes - 1) / 64);
  const int log = std::bit_width(bytes - 1) - 1;  // bytes lie in (2^log, 2^(log + 1)], log >= 9
  const auto quarter = static_cast<int>((bytes - 1) >> (log - 2)) & 3;
  return 8 + (log - 9) * 4 + quarter;
}

std::size_t class_bytes(int size_class) {
  if (size_class < 8) return 64 * (static_cast<std::size_t>(size_class) + 1);
  const int log = 9 + (size_class - 8) / 4;
  return (std::size_t{5} + (size_class - 8) % 4) << (log - 2);
}

// Free blocks that no thread keeps, shared by all threads, by size class.
struct CentralCache {
  static constexpr int kClasses = 8 + 4 * 40;
  std::mutex mutex;
  Block* free[kClasses] = {};
  std::size_t bytes = 0;
};

CentralCache& central_cache() {
  static CentralCache* made = [] {
    static CentralCache* cache = new CentralCache;  // never destroyed: threads may outlive main
    // The child of a fork must not find it locked by a thread that it does not have.
    pthread_atfork([] { cache->mutex.lock(); }, [] { cache->mutex.unlock(); },
                   [] { cache->mutex.unlock(); });
    return cache;
  }();
  return *made;
}

constinit std::atomic<std::size_t> taken{0};
constinit std::atomic<std::size_t> limit{0};

void destroy(Block* block) {
  backend(block->device).deallocate(block->data, block->capacity);
  taken -= block->capacity;
  delete block;
}

Block* from_central(int wanted) {
  CentralCache& cache = central_cache();
  const std::lock_guard lock(cache.mutex);
  Block* block = cache.free[wanted];
  if (!block) return nullptr;
  cache.free[wanted] = block->next_free;
  cache.bytes -= block->capacity;
  return block;
}

bool to_central(Block* block, int its_class) {
  CentralCache& cache = central_cache();
  const std::lock_guard lock(cache.mutex);
  if (cache.bytes + block->capacity > kCentralCache) return false;
  block->next_free = cache.free[its_class];
  cache.free[its_class] = block;
  cache.bytes += block->capacity;
  return true;
}

Block* from_system(std::size_t bytes, Device device) {
  const std::size_t most = limit.load(std::memory_order_relaxed);
  const auto too_much = [&] { return most && taken.load() + bytes > most; };
  if (too_much()) release_memory();
  void* data = nullptr;
  const char* error =
      too_much() ? "the memory limit is reached" : backend(device).allocate(bytes, &data);
  if (error) {
    release_memory();
    error = too_much() ? "the memory limit is reached" : backend(device).allocate(bytes, &data);
  }
  if (error)
    fail(Fault::world, {"out of memory on ", device, ": asked for ", bytes, " bytes, ",
                        taken.load(), " taken, limit ", most, " (0: none): ", error});
  auto* block = new (std::nothrow) Block;
  if (!block) {
    backend(device).deallocate(data, bytes);
    throw std::bad_alloc();
  }
  block->data = data;
  block->capacity = bytes;
  block->device = device;
  taken += bytes;
  return block;
}

}  // namespace

Ref<Block> Block::make(std::size_t bytes, Device device) {
  ThreadState& thread = thread_state();
  const int wanted = size_class(bytes);
  Block* block = nullptr;
  if (bytes <= kLargestInThread && device.type == Device::cpu && thread.free_blocks[wanted]) {
    block = thread.free_blocks[wanted];
    thread.free_blocks[wanted] = block->next_free;
    thread.cached_bytes -= block->capacity;
  } else {
    if (wanted >= CentralCache::kClasses)
      fail(Fault::world, {"out of memory: asked for ", bytes, " bytes"});
    if (kCaches && device.type == Device::cpu) block = from_central(wanted);
    if (!block) block = from_system(kCaches ? class_bytes(wanted) : bytes, device);
  }
  block->refs.store(1, std::memory_order_relaxed);
  block->version = block->history = 0;
  block->last_write = "data()";
  block->bytes = bytes;
  block->serial = thread.next_serial++;
  return Ref<Block>::adopt(block);
}

Ref<Block> Block::wrap(void* data, std::size_t bytes, Device device, void* owner,
                       void (*free_owner)(void*)) {
  auto* block = new Block;
  block->data = data;
  block->bytes = bytes;
  block->device = device;
  block->owner = owner;
  block->owner_free = free_owner ? free_owner : [](void*) {};
  block->serial = thread_state().next_serial++;
  return Ref<Block>::adopt(block);
}

void Block::release() {
  if (owner_free) {
    owner_free(owner);
    delete this;
    return;
  }
  if (!kCaches || device.type != Device::cpu) return destroy(this);
  const int its_class = size_class(capacity);
  ThreadState& thread = thread_state();
  if (capacity <= kLargestInThread && thread.cached_bytes + capacity <= kThreadCache) {
    next_free = thread.free_blocks[its_class];
    thread.free_blocks[its_class] = this;
    thread.cached_bytes += capacity;
  } else if (!to_central(this, its_class)) {
    destroy(this);
  }
}

void* take_small(std::size_t bytes) {
  if (!kCaches || bytes > kLargestInThread) return ::operator new(bytes);
  ThreadState& thread = thread_state();
  const int wanted = size_class(bytes);
  void* memory = thread.free_small[wanted];
  if (!memory) return ::operator new(class_bytes(wanted));
  thread.free_small[wanted] = *static_cast<void**>(memory);
  thread.cached_bytes -= class_bytes(wanted);
  return memory;
}

void give_small(void* memory, std::size_t bytes) {
  if (!kCaches || bytes > kLargestInThread) return ::operator delete(memory);
  ThreadState& thread = thread_state();
  const int its_class = size_class(bytes);
  const std::size_t size = class_bytes(its_class);
  if (thread.cached_bytes + size > kThreadCache) return ::operator delete(memory);
  *static_cast<void**>(memory) = thread.free_small[its_class];
  thread.free_small[its_class] = memory;
  thread.cached_bytes += size;
}

std::size_t memory_taken() { return taken.load(); }

void set_memory_limit(std::size_t bytes) { limit = bytes; }

void release_thread_cache() {
  ThreadState& thread = thread_state();
  for (int c = 0; c < kSizeClasses; ++c) {
    while (Block* block = thread.free_blocks[c]) {
      thread.free_blocks[c] = block->next_free;
      if (!to_central(block, c)) destroy(block);
    }
    while (void* memory = thread.free_small[c]) {
      thread.free_small[c] = *static_cast<void**>(memory);
      ::operator delete(memory);
    }
  }
  thread.cached_bytes = 0;
}

void release_memory() {
  release_thread_cache();
  CentralCache& cache = central_cache();
  const std::lock_guard lock(cache.mutex);
  for (Block*& list : cache.free) {
    while (Block* block = list) {
      list = block->next_free;
      destroy(block);
    }
  }
  cache.bytes = 0;
}

}  // namespace levin::inline v0

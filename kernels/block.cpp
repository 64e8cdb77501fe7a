#include "block.h"

#include <pthread.h>

#include <mutex>
#include <new>

#include "backend.h"
#include "check.h"
#include "thread_state.h"

namespace levin::inline v0 {
namespace {

constexpr std::size_t kCentralCache = std::size_t{1} << 30;

#ifdef LEVIN_NO_CACHES
constexpr bool kCaches = false;
#else
constexpr bool kCaches = true;
#endif

// A device's memory: free blocks that no thread keeps, shared by all threads, by size class.
struct CentralCache {
  static constexpr int kClasses = 8 + 4 * 40;
  std::mutex mutex;
  Block* free[kClasses] = {};
  std::size_t bytes = 0;
  std::atomic<std::size_t> taken{0}, limit{0};
};

constexpr int kDevices = 1 + kMostGpus;

CentralCache& central_cache(int device) {
  static CentralCache* made = [] {
    static CentralCache* caches =
        new CentralCache[kDevices];  // never destroyed: threads may outlive main
    // The child of a fork must not find one locked by a thread that it does not have.
    static constexpr auto each = [](auto f) {
      for (int d = 0; d < kDevices; ++d) f(caches[d].mutex);
    };
    static constexpr auto lock = [](std::mutex& mutex) { mutex.lock(); };
    static constexpr auto unlock = [](std::mutex& mutex) { mutex.unlock(); };
    pthread_atfork([] { each(lock); }, [] { each(unlock); }, [] { each(unlock); });
    return caches;
  }();
  return made[device];
}

int central_index(Device device) { return device.type == Device::cpu ? 0 : 1 + device.index; }

CentralCache& central_cache(Device device) { return central_cache(central_index(device)); }

void destroy(Block* block) {
  backend(block->device).deallocate(block->data, block->capacity);
  central_cache(block->device).taken -= block->capacity;
  delete block;
}

Block* from_central(int wanted, Device device) {
  CentralCache& cache = central_cache(device);
  const std::lock_guard lock(cache.mutex);
  Block* block = cache.free[wanted];
  if (!block) return nullptr;
  cache.free[wanted] = block->next_free;
  cache.bytes -= block->capacity;
  return block;
}

bool to_central(Block* block, int its_class) {
  CentralCache& cache = central_cache(block->device);
  const std::lock_guard lock(cache.mutex);
  // To give a GPU's memory back would wait for all that it still has to do.
  if (block->device.type == Device::cpu && cache.bytes + block->capacity > kCentralCache)
    return false;
  block->next_free = cache.free[its_class];
  cache.free[its_class] = block;
  cache.bytes += block->capacity;
  return true;
}

// Destroyed without the lock: a GPU's memory goes back in the device's turn, which another thread may
// have while it waits for the lock.
void release_central(int device) {
  CentralCache& cache = central_cache(device);
  Block* lists[CentralCache::kClasses] = {};
  {
    const std::lock_guard lock(cache.mutex);
    std::swap(lists, cache.free);
    cache.bytes = 0;
  }
  for (Block* list : lists)
    while (Block* block = list) {
      list = block->next_free;
      destroy(block);
    }
}

Block* from_system(std::size_t bytes, Device device) {
  CentralCache& cache = central_cache(device);
  std::atomic<std::size_t>& taken = cache.taken;
  const std::size_t most = cache.limit.load(std::memory_order_relaxed);
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

const std::size_t kThreadCache = kCaches ? 1 << 20 : 0;

Block* Block::find(std::size_t bytes, Device device) {
  const int wanted = size_class(bytes);
  if (wanted >= CentralCache::kClasses)
    fail(Fault::world, {"out of memory: asked for ", bytes, " bytes"});
  const bool is_cpu = device.type == Device::cpu;
  if (!is_cpu) backend(device);  // throws where it is not there
  Block* block = kCaches ? from_central(wanted, device) : nullptr;
  if (block) return block;
  block = from_system(kCaches ? class_bytes(wanted) : bytes, device);
  if (kCaches && is_cpu && bytes <= kLargestInThread)
    block->thread_class = static_cast<int8_t>(wanted);
  return block;
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

void Block::leave_thread() {
  if (owner_free) {
    owner_free(owner);
    delete this;
  } else if (!kCaches || !to_central(this, size_class(capacity))) {
    destroy(this);
  }
}

void* take_small_from_system(std::size_t bytes) {
  const bool cached = kCaches && bytes <= kLargestInThread;
  return ::operator new(cached ? class_bytes(size_class(bytes)) : bytes);
}

std::size_t memory_taken(Device device) { return central_cache(device).taken.load(); }

std::size_t memory_free(Device device) {
  CentralCache& cache = central_cache(device);
  const std::lock_guard lock(cache.mutex);
  return cache.bytes;
}

void set_memory_limit(std::size_t bytes, Device device) { central_cache(device).limit = bytes; }

void release_thread_cache() {
  ThreadState& thread = thread_state();
  if (thread.release_free_tensors) thread.release_free_tensors();
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
  thread.cache_room = kThreadCache;
}

void release_memory() {
  release_thread_cache();
  for (int device = 0; device < kDevices; ++device) release_central(device);
}

void release_memory(Device device) {
  if (device.type == Device::cpu) release_thread_cache();
  release_central(central_index(device));
}

}  // namespace levin::inline v0

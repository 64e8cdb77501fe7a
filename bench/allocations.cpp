#include "allocations.h"

#include <atomic>
#include <cstddef>

// glibc lets a program replace these; its own stay reachable under these names.
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* memory, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);
}

namespace {
constinit std::atomic<uint64_t> count{0};
void counted() { count.fetch_add(1, std::memory_order_relaxed); }
}  // namespace

uint64_t allocations() { return count.load(std::memory_order_relaxed); }

extern "C" {
void* malloc(std::size_t bytes) noexcept { return counted(), __libc_malloc(bytes); }
void* calloc(std::size_t n, std::size_t bytes) noexcept {
  return counted(), __libc_calloc(n, bytes);
}
void* realloc(void* memory, std::size_t bytes) noexcept {
  return counted(), __libc_realloc(memory, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  return counted(), __libc_memalign(alignment, bytes);
}
}

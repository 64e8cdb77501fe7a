#include "pool.h"

#include <pthread.h>
#include <xmmintrin.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <thread>

namespace levin::inline v0 {
namespace {

constexpr auto kSpin = std::chrono::microseconds(20);

// Waits until done() or a short spin is over; true when done.
template <class Done>
bool spin_until(Done done) {
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 64; ++i) {
      if (done()) return true;
      _mm_pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

class Pool {
 public:
  void run(int64_t chunks, void (*function)(void*, int64_t), void* context) {
    const int helpers = static_cast<int>(std::min<int64_t>(threads_ - 1, chunks - 1));
    if (helpers <= 0 || chunks > UINT32_MAX || busy_.test_and_set(std::memory_order_acquire)) {
      for (int64_t chunk = 0; chunk < chunks; ++chunk) function(context, chunk);
      return;
    }
    start_workers(helpers);
    function_ = function;
    context_ = context;
    control_ = _mm_getcsr();
    helpers_ = helpers;
    finished_.store(0, std::memory_order_relaxed);
    const uint64_t generation = (work_.load(std::memory_order_relaxed) >> 32) + 1;
    work_.store(generation << 32 | static_cast<uint64_t>(chunks), std::memory_order_release);
    work_.notify_all();
    take_chunks(generation, -1);
    const auto done = [&] {
      return finished_.load(std::memory_order_acquire) == static_cast<uint32_t>(chunks);
    };
    while (!spin_until(done)) {
      const uint32_t seen = finished_.load(std::memory_order_acquire);
      if (seen != static_cast<uint32_t>(chunks)) finished_.wait(seen, std::memory_order_acquire);
    }
    busy_.clear(std::memory_order_release);
  }

  int threads() const { return threads_; }
  void set_threads(int count) { threads_ = std::clamp(count, 1, 256); }

  // The child of a fork has no workers; it starts its own when it needs them.
  void forget_workers() {
    started_ = 0;
    work_.store(0);
    busy_.clear();
  }

 private:
  void start_workers(int count) {
    try {
      for (; started_ < count; ++started_)
        std::thread([this, id = started_] { work(id); }).detach();
    } catch (const std::system_error&) {  // the system gives no more: those that are there do it
    }
  }

  // Generation and chunks left share one word: with two, a late helper could take a chunk of the
  // next task. The task is read only after a chunk was claimed, since a claimed chunk keeps it
  // alive.
  void take_chunks(uint64_t generation, int id) {
    uint64_t word = work_.load(std::memory_order_acquire);
    while (word >> 32 == generation && (word & UINT32_MAX) != 0) {
      if (id >= helpers_.load(std::memory_order_relaxed)) return;
      if (!work_.compare_exchange_weak(word, word - 1, std::memory_order_acq_rel,
                                       std::memory_order_acquire))
        continue;
      const unsigned int own = _mm_getcsr();
      _mm_setcsr(control_);
      function_(context_, static_cast<int64_t>(word & UINT32_MAX) - 1);
      _mm_setcsr(own);
      finished_.fetch_add(1, std::memory_order_release);
      finished_.notify_one();
      word = work_.load(std::memory_order_acquire);
    }
  }

  void work(int id) {
    uint64_t seen = 0;
    while (true) {
      const auto changed = [&] {
        return work_.load(std::memory_order_acquire) >> 32 != seen >> 32;
      };
      while (!spin_until(changed)) {
        const uint64_t word = work_.load(std::memory_order_acquire);
        if (word >> 32 == seen >> 32) work_.wait(word, std::memory_order_acquire);
      }
      seen = work_.load(std::memory_order_acquire);
      take_chunks(seen >> 32, id);
    }
  }

  static int default_threads() {
    if (const char* text = std::getenv("LEVIN_NUM_THREADS"))
      if (const int count = std::atoi(text); count > 0) return std::min(count, 256);
    return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 8);
  }

  std::atomic<int> threads_{default_threads()};
  std::atomic_flag busy_;
  int started_ = 0;
  // The task; stable from the store to work_ until every chunk has finished.
  void (*function_)(void*, int64_t) = nullptr;
  void* context_ = nullptr;
  unsigned int control_ = 0;
  std::atomic<int> helpers_{0};
  alignas(64) std::atomic<uint64_t> work_{0};
  alignas(64) std::atomic<uint32_t> finished_{0};
};

Pool& pool() {
  static Pool* made = [] {
    static Pool* pool = new Pool;  // never destroyed: workers may outlive main
    pthread_atfork(nullptr, nullptr, [] { pool->forget_workers(); });
    return pool;
  }();
  return *made;
}

}  // namespace

int num_threads() { return pool().threads(); }

void set_num_threads(int count) { pool().set_threads(count); }

void parallel_chunks(int64_t chunks, void (*run)(void* context, int64_t chunk), void* context) {
  pool().run(chunks, run, context);
}

}  // namespace levin::inline v0

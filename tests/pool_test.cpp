#include <gtest/gtest.h>
#include <levin/kernels/pool.h>
#include <levin/tensor/factories.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xmmintrin.h>

#include <atomic>
#include <set>
#include <thread>

#include "threads.h"

namespace levin {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitizer = true;
#elif defined(__has_feature)
constexpr bool kSanitizer = __has_feature(thread_sanitizer) || __has_feature(address_sanitizer);
#else
constexpr bool kSanitizer = false;
#endif

// parallel_chunks with any callable.
template <class Body>
void run_chunks(int64_t chunks, Body body) {
  parallel_chunks(
      chunks, [](void* context, int64_t chunk) { (*static_cast<Body*>(context))(chunk); }, &body);
}

TEST(Pool, EveryChunkRunsOnce) {
  for (int threads = 1; threads <= 8; ++threads) {
    const Threads set(threads);
    EXPECT_EQ(num_threads(), threads);
    for (int chunks = 0; chunks <= 70; ++chunks) {
      std::vector<std::atomic<int>> runs(chunks);
      run_chunks(chunks, [&](int64_t chunk) { ++runs[chunk]; });
      for (const auto& count : runs) ASSERT_EQ(count, 1) << threads << " threads";
    }
  }
}

TEST(Pool, PiecesCoverTheRange) {
  const Threads set(4);
  for (const int64_t count : {0, 1, 9, 10, 11, 100, 101}) {
    std::vector<std::atomic<int>> touched(count);
    std::atomic<int> pieces = 0;
    parallel_for(count, 10, [&](int64_t begin, int64_t end) {
      EXPECT_EQ(begin % 10, 0) << "cut by the shape alone";
      ++pieces;
      for (int64_t i = begin; i < end; ++i) ++touched[i];
    });
    for (const auto& element : touched) EXPECT_EQ(element, 1);
    EXPECT_EQ(pieces, (count + 9) / 10);
  }
}

TEST(Pool, WorkersTakePart) {
  const Threads set(2);
  std::atomic<int> together = 0;
  std::atomic<bool> met = false;
  // Both chunks wait for the other: one thread alone would wait in vain.
  run_chunks(2, [&](int64_t) {
    ++together;
    for (int i = 0; i < 10'000 && !met; ++i) {
      if (together == 2) met = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  EXPECT_TRUE(met);
}

TEST(Pool, NestedCallsRunOnTheirThread) {
  const Threads set(4);
  std::atomic<int> inner = 0, elsewhere = 0;
  run_chunks(16, [&](int64_t) {
    const auto outer = std::this_thread::get_id();
    run_chunks(8, [&](int64_t) {
      ++inner;
      elsewhere += std::this_thread::get_id() != outer;
    });
  });
  EXPECT_EQ(inner, 16 * 8);
  EXPECT_EQ(elsewhere, 0);
}

TEST(Pool, ABusyPoolDoesNotHoldUpAnotherCaller) {
  const Threads set(2);
  std::atomic<bool> started = false, release = false;
  std::thread holder([&] {
    run_chunks(2, [&](int64_t) {
      started = true;
      while (!release) std::this_thread::yield();
    });
  });
  while (!started) std::this_thread::yield();
  std::set<std::thread::id> seen;
  int runs = 0;
  run_chunks(50, [&](int64_t) {
    seen.insert(std::this_thread::get_id());
    ++runs;
  });
  EXPECT_EQ(runs, 50);
  EXPECT_EQ(seen, std::set<std::thread::id>{std::this_thread::get_id()});
  release = true;
  holder.join();
}

// A helper that comes late must not take a chunk of the next task with the old task's function.
TEST(Pool, ManyShortTasksFromTwoCallers) {
  const Threads set(3);
  const auto caller = [](int64_t first) {
    for (int64_t task = 0; task < 10'000; ++task) {
      const int64_t chunks = 2 + task % 5, mark = first + task;
      std::atomic<int64_t> sum = 0;
      run_chunks(chunks, [&, mark](int64_t chunk) { sum += mark * 8 + chunk; });
      ASSERT_EQ(sum, mark * 8 * chunks + chunks * (chunks - 1) / 2);
    }
  };
  std::thread other([&] { caller(1'000'000); });
  caller(0);
  other.join();
}

TEST(Pool, ThreadCountMayChangeBetweenTasks) {
  std::atomic<int64_t> sum = 0;
  for (int round = 0; round < 500; ++round) {
    const Threads set(1 + round % 8);
    run_chunks(10, [&](int64_t chunk) { sum += chunk; });
  }
  EXPECT_EQ(sum, 500 * 45);
}

TEST(Pool, TasksRunUnderTheCallersFloatingPointMode) {
  const Threads set(4);
  const unsigned int before = _mm_getcsr();
  // Flush to zero with denormals as zero, then rounding down, then the usual mode: the low six bits
  // are flags of what happened.
  for (const unsigned int mode : {before | 0x8040u, before | 0x2000u, before}) {
    _mm_setcsr(mode);
    std::atomic<int> other = 0;
    run_chunks(200, [&](int64_t) {
      other += (_mm_getcsr() | 0x3f) != (mode | 0x3f);
      std::this_thread::yield();
    });
    EXPECT_EQ(other, 0);
  }
  _mm_setcsr(before);
}

TEST(Pool, TheChildOfAForkStartsItsOwnWorkers) {
  if (kSanitizer) GTEST_SKIP() << "it allows no threads after a fork";
  const Threads set(4);
  const Tensor numbers = ones({1 << 20});
  const float sum = numbers.sum().item<float>();  // starts the workers
  const pid_t child = fork();
  if (child == 0) {
    std::atomic<int> runs = 0;
    run_chunks(64, [&](int64_t) { ++runs; });
    _exit(runs == 64 && numbers.sum().item<float>() == sum ? 0 : 1);
  }
  int status = -1;
  for (int waited = 0; waited < 1000 && waitpid(child, &status, WNOHANG) == 0; ++waited)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  if (status == -1) kill(child, SIGKILL);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(numbers.sum().item<float>(), sum);
}

// The parent's other threads may hold a lock of the memory caches while it forks.
TEST(Pool, AForkWhileOtherThreadsAllocate) {
  if (kSanitizer) GTEST_SKIP() << "its own allocator may be locked in the child";
  std::atomic<bool> stop = false;
  std::thread other([&] {
    while (!stop) empty({1 << 16});
  });
  int failed = 0;
  for (int round = 0; round < 100 && !failed; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(5);  // a child that waits for a lock for ever ends here
      empty({1 << 16});
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    failed += status != 0;
  }
  stop = true;
  other.join();
  EXPECT_EQ(failed, 0);
}

}  // namespace
}  // namespace levin

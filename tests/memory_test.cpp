#include <gtest/gtest.h>
#include <levin/autograd/ops.h>
#include <levin/kernels/block.h>
#include <levin/tensor/factories.h>

#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "scratch.h"

namespace levin {
namespace {

constexpr std::size_t kKiB = 1024, kMiB = 1024 * kKiB;

// Sanitizer builds take every block from the system.
bool has_caches() {
  release_memory();
  const std::size_t before = memory_taken();
  Block::make(100, kCPU);
  return memory_taken() != before;
}

struct Limit {
  explicit Limit(std::size_t bytes) { set_memory_limit(bytes); }
  ~Limit() { set_memory_limit(0); }
};

TEST(Block, IsAlignedAndLargeEnough) {
  std::vector<std::size_t> sizes = {0};
  for (std::size_t power = 1; power <= 4 * kMiB; power *= 2)
    sizes.insert(sizes.end(), {power - 1, power, power + 1, power + power / 4 + 1});
  std::vector<Ref<Block>> blocks;
  for (int round = 0; round < 2; ++round) {  // from the system, then from the caches
    for (const std::size_t size : sizes) {
      blocks.push_back(Block::make(size, kCPU));
      EXPECT_EQ(reinterpret_cast<uintptr_t>(blocks.back()->data) % 64, 0u);
      EXPECT_EQ(blocks.back()->bytes, size);
      EXPECT_GE(blocks.back()->capacity, size);
      EXPECT_LE(blocks.back()->capacity, size + size / 4 + 64);
      std::memset(blocks.back()->data, round, size);
    }
    blocks.clear();
  }
}

TEST(Block, SerialsAreUniqueAlsoWhereMemoryIsUsedAgain) {
  std::set<uint64_t> serials;
  std::mutex mutex;
  const auto make_some = [&] {
    for (int i = 0; i < 1000; ++i) {
      const Ref<Block> block = Block::make(64, kCPU);
      const std::lock_guard lock(mutex);
      serials.insert(block->serial);
    }
  };
  std::thread other(make_some);
  make_some();
  other.join();
  EXPECT_EQ(serials.size(), 2000u);
}

TEST(Block, ABlockThatIsUsedAgainIsNew) {
  void* address = nullptr;
  {
    const Ref<Block> first = Block::make(300, kCPU);
    first->version = 7;
    first->history = 5;
    first->last_write = "add_";
    address = first->data;
  }
  const Ref<Block> second = Block::make(260, kCPU);
  if (has_caches()) {
    EXPECT_EQ(second->data, address);
  }
  EXPECT_EQ(second->version, 0u);
  EXPECT_EQ(second->history, 0u);
  EXPECT_STREQ(second->last_write, "data()");
}

TEST(Block, ForeignMemoryIsGivenBackOnce) {
  int given_back = 0;
  float numbers[4] = {1, 2, 3, 4};
  {
    const Tensor blob = from_blob(numbers, {2, 2}, kFloat32, &given_back,
                                  [](void* owner) { ++*static_cast<int*>(owner); });
    const Tensor view = make_view(blob, blob.layout());
    EXPECT_EQ(view.const_data<float>(), numbers);
    EXPECT_EQ(given_back, 0);
  }
  EXPECT_EQ(given_back, 1);
}

TEST(Block, TheLimitIsKeptAndTheProgramGoesOn) {
  release_memory();
  const std::size_t before = memory_taken();
  const Limit limit(before + kMiB);
  const Ref<Block> fits = Block::make(600 * kKiB, kCPU);
  const std::string error = error_of<std::runtime_error>([] { Block::make(600 * kKiB, kCPU); });
  EXPECT_EQ(error.rfind("out of memory on cpu: asked for ", 0), 0u) << error;
  EXPECT_NE(error.find(std::to_string(memory_taken()) + " taken"), std::string::npos) << error;
  EXPECT_NE(error.find("limit " + std::to_string(before + kMiB)), std::string::npos) << error;
  EXPECT_NO_THROW(Block::make(100 * kKiB, kCPU));
}

TEST(Block, CachedMemoryDoesNotCountAgainstTheLimit) {
  release_memory();
  const Limit limit(memory_taken() + kMiB);
  Block::make(900 * kKiB, kCPU);
  EXPECT_NO_THROW(Block::make(500 * kKiB, kCPU)) << "the free block of 900 KiB had to go first";
}

TEST(Block, ImpossibleSizesAreErrors) {
  EXPECT_THROW(Block::make(std::size_t{1} << 62, kCPU), std::runtime_error);
  EXPECT_THROW(Block::make(SIZE_MAX, kCPU), std::runtime_error);
  EXPECT_THROW(empty({int64_t{1} << 61}), std::invalid_argument);
  EXPECT_THROW(empty({int64_t{1} << 40, int64_t{1} << 40}), std::invalid_argument);
  EXPECT_THROW(empty({0, int64_t{1} << 40, int64_t{1} << 40}), std::invalid_argument);
  EXPECT_THROW(empty({-1}), std::invalid_argument);
}

// A kernel cannot throw: one that ran out of memory would end the program.
TEST(Block, AReductionTakesNoMemoryOfItsOwn) {
  const Tensor numbers = ones({1 << 22});
  release_memory();
  const Limit limit(memory_taken() + kKiB);
  EXPECT_EQ(numbers.sum().item<float>(), 1 << 22);
}

TEST(Caches, AThreadKeepsAtMostOneMiB) {
  if (!has_caches()) GTEST_SKIP() << "built without caches";
  release_memory();
  const auto take = [](int count) {
    std::vector<Ref<Block>> blocks;
    for (int i = 0; i < count; ++i) blocks.push_back(Block::make(16 * kKiB, kCPU));
  };
  take(256);  // 4 MiB
  const std::size_t before = memory_taken();
  std::thread([&] { take(190); }).join();
  EXPECT_EQ(memory_taken(), before) << "what this thread does not keep, others find";
  std::thread([&] { take(256); }).join();
  EXPECT_LE(memory_taken(), before + kMiB);
}

TEST(Caches, AThreadThatEndsLeavesNothing) {
  if (!has_caches()) GTEST_SKIP() << "built without caches";
  std::thread([] { Block::make(40 * kKiB, kCPU); }).join();
  const std::size_t before = memory_taken();
  const Ref<Block> again = Block::make(40 * kKiB, kCPU);
  EXPECT_EQ(memory_taken(), before);
}

TEST(Caches, AThreadThatEndsLeavesNoTensors) {
  if (!has_caches()) GTEST_SKIP() << "built without caches";
  std::thread([] { empty({10, 1024}); }).join();
  const std::size_t before = memory_taken();
  const Tensor again = empty({10, 1024});
  EXPECT_EQ(memory_taken(), before);
}

// A tensor that is released with its memory is kept so, and used again.
TEST(Caches, ATensorThatIsUsedAgainIsNew) {
  const auto release_a_view_alone = [] {
    Tensor view;
    {
      const Tensor whole = rand({2, 3}).requires_grad_();
      const NoGrad no_grad;
      view = whole.slice(0, 1, 2);
      view.add_(1);
    }
    EXPECT_TRUE(view.impl().block.unique());
    return view.impl().block->serial;
  };
  const uint64_t serial = release_a_view_alone();
  const Tensor again = empty({1, 3});
  EXPECT_GT(again.impl().block->serial, serial);
  EXPECT_EQ(again.version(), 0u);
  EXPECT_EQ(again.layout().offset, 0);
  EXPECT_EQ(again.stride(0), 3);
  EXPECT_FALSE(again.requires_grad());
  EXPECT_FALSE(again.impl().base);
  EXPECT_FALSE(again.impl().is_view);
  EXPECT_FALSE(again.impl().without_history);
  again.requires_grad_().mul(2).mul_(3).sum().backward();
  EXPECT_EQ(again.grad().sum().item<float>(), 18);
}

// A loader's thread makes batches, the trainer's frees them: what one thread frees must come back
// to the other, or memory grows with every batch.
TEST(Caches, ALoaderThatFeedsATrainerDoesNotGrow) {
  release_memory();
  std::deque<std::vector<Tensor>> queue;
  std::mutex mutex;
  std::condition_variable changed;
  constexpr int kBatches = 2000, kQueue = 4;
  std::thread loader([&] {
    for (int i = 0; i < kBatches; ++i) {
      std::vector<Tensor> batch = {empty({64, 784}), empty({64, 10}), empty({64}), empty({})};
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return queue.size() < kQueue; });
      queue.push_back(std::move(batch));
      changed.notify_all();
    }
  });
  std::size_t early = 0, late = 0;
  for (int i = 0; i < kBatches; ++i) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !queue.empty(); });
    const std::vector<Tensor> batch = std::move(queue.front());
    queue.pop_front();
    changed.notify_all();
    lock.unlock();
    std::size_t& most = i < kBatches / 4 ? early : late;
    most = std::max(most, memory_taken());
  }
  loader.join();
  // Each thread may keep 1 MiB; a batch is 0.2 MB, so 2,000 of them would be 400 MB.
  EXPECT_LE(late, early + kMiB);
  EXPECT_LE(late, 8 * kMiB);
}

}  // namespace
}  // namespace levin

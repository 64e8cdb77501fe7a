// Nothing of a GPU's is lost: tensors, graphs and their parts come back. What levin takes of CUDA itself
// is counted by the emulator.
#include <dlfcn.h>
#include <levin/autograd/captured_step.h>

#include <cstdlib>

#include "cuda_alike.h"

namespace levin {
namespace {

// What a function of the emulator's says; -1 on a real GPU, whose runtime has none.
template <class T>
T ask_emulator(const char* function) {
  const char* folder = std::getenv("LEVIN_CUDA_PATH");
  if (!folder) return T(-1);
  void* module =
      dlopen((std::string(folder) + "/liblevin_cuda.so").c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (!module) return T(-1);
  const auto ask = reinterpret_cast<T (*)()>(dlsym(module, function));
  return ask ? ask() : T(-1);
}

// Blocks of memory, events and graphs that exist.
int count_of_emulator() { return ask_emulator<int>("levin_emulator_count"); }

struct Counts {
  std::size_t used = 0;
  int of_emulator = -1;

  Counts() {
    release_memory();
    of_emulator = count_of_emulator();
    used = cuda::statistics().memory_taken - cuda::statistics().memory_free;
  }
};

// A first run leaves what stays: memory to work in, plans.
void expect_no_loss(const std::function<void()>& f) {
  f();
  cuda::synchronize();
  const Counts before;
  for (int i = 0; i < 3; ++i) f();
  cuda::synchronize();
  const Counts after;
  EXPECT_EQ(after.used, before.used);
  EXPECT_EQ(after.of_emulator, before.of_emulator);
}

TEST(CudaLeaks, Tensors) {
  LEVIN_NEEDS_GPU();
  expect_no_loss([] {
    const Tensor x = rand({300, 40}).to(kCUDA).requires_grad_();
    const Tensor y = linear(x, rand({40, 40}).to(kCUDA), rand({40}).to(kCUDA), Op::relu);
    y.softmax(1).sum().backward();
    x.grad().to(kCPU);
    y.sort();
  });
}

// All free memory goes back to the device.
TEST(CudaLeaks, MemoryIsReleased) {
  LEVIN_NEEDS_GPU();
  release_memory();
  const cuda::Statistics before = cuda::statistics();
  const int count = count_of_emulator();
  for (const int64_t n : {10, 5000, 3'000'000}) {
    const Tensor x = zeros({n}, kFloat32, kCUDA);
    EXPECT_GE(cuda::statistics().memory_taken - cuda::statistics().memory_free,
              before.memory_taken - before.memory_free + n * sizeof(float));
  }
  EXPECT_GT(cuda::statistics().allocations, before.allocations);
  release_memory();
  EXPECT_EQ(cuda::statistics().memory_taken, before.memory_taken);
  EXPECT_EQ(cuda::statistics().memory_free, 0u);
  EXPECT_EQ(count_of_emulator(), count);
}

// Lets the emulated device have as much memory as is taken now, and no more.
struct NoMoreMemory {
  NoMoreMemory() {
    const auto taken = ask_emulator<std::size_t>("levin_emulator_memory");
    setenv("LEVIN_EMULATOR_MEMORY", std::to_string(taken).c_str(), 1);
  }
  ~NoMoreMemory() { unsetenv("LEVIN_EMULATOR_MEMORY"); }
};

// Memory that kernels and graphs work in may be what tensors left free.
TEST(CudaLeaks, WhatIsFreeIsGivenBackBeforeMemoryLacks) {
  LEVIN_NEEDS_GPU();
  if (count_of_emulator() < 0) GTEST_SKIP() << "needs the emulator, whose memory can be limited";
  constexpr int64_t kSide = 2500;
  const Tensor x = ones({kSide, 1}, kBFloat16, kCUDA), weight = ones({kSide, 1}, kBFloat16, kCUDA);
  const Tensor bias = ones({kSide + 1}, kBFloat16, kCUDA).narrow(0, 1, kSide);
  linear(x.narrow(0, 0, 2), weight, bias);  // has its plans
  empty({kSide, kSide}, kBFloat16, kCUDA);  // the result will take this
  empty({100'000'000}, kUInt8, kCUDA);
  if (cuda::statistics().memory_free == 0) GTEST_SKIP() << "a build for sanitizers keeps nothing";
  const uint64_t allocations = cuda::statistics().allocations;
  const NoMoreMemory limit;
  // cublasLt does not read such a bias: it is added in float32, in memory to work in, twice 25 MB.
  const Tensor result = linear(x, weight, bias);
  EXPECT_EQ(cuda::statistics().allocations, allocations + 2);  // refused once
  EXPECT_EQ(result.amin().item(), 2);
  EXPECT_EQ(result.amax().item(), 2);
}

struct Step {
  Tensor weight = rand({50}).to(kCUDA).requires_grad_();
  optim::SGD optimizer{{weight}, {.lr = 0.01, .momentum = 0.9}};
  CapturedStep capture;

  void run(int times) {
    for (int i = 0; i < times; ++i) {
      const Tensor x = full({50}, i, kFloat32).to(kCUDA);
      capture.run({x}, [&] {
        optimizer.zero_grad();
        const Tensor loss = (dropout(x, 0.5) * weight).square().mean();
        loss.backward();
        optimizer.step();
        return loss;
      });
    }
    EXPECT_TRUE(capture.has_replayed()) << capture.why_eager();
  }
};

TEST(CudaLeaks, Graphs) {
  LEVIN_NEEDS_GPU();
  expect_no_loss([] { Step().run(20); });
}

// Outputs that somebody holds move the graph's memory, and it is captured anew.
TEST(CudaLeaks, GraphsThatAreCapturedAnew) {
  LEVIN_NEEDS_GPU();
  expect_no_loss([] {
    CapturedStep capture;
    const Tensor weight = rand({30}).to(kCUDA);
    for (int i = 0; i < 20; ++i) {
      const Tensor x = full({30}, i).to(kCUDA);
      capture.run({x}, [&] { return x * weight; });
      if (i % 4 == 3) capture.check_next();
    }
  });
}

TEST(CudaLeaks, GraphsThatCannotBeCaptured) {
  LEVIN_NEEDS_GPU();
  expect_no_loss([] {
    CapturedStep capture;
    for (int i = 0; i < 6; ++i) {
      const Tensor x = full({30}, i).to(kCUDA);
      capture.run({x}, [&] { return (x + 1).sort().first; });
    }
    EXPECT_FALSE(capture.has_replayed());
  });
}

}  // namespace
}  // namespace levin

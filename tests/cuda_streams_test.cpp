// What runs at the same time on a GPU, and what must wait for what: values from the host against calls
// and graphs that use their memory, in both directions. On the emulator streams run as late as they
// may; the suite runs these once more with copies that run as early as they may.
#include <levin/autograd/captured_step.h>

#include <atomic>
#include <thread>

#include "cuda_alike.h"

namespace levin {
namespace {

std::vector<float> numbers(const Tensor& tensor) { return tensor.to_vector<float>(); }
std::vector<float> all(int64_t n, float value) { return std::vector<float>(n, value); }

// More writes than there are pinned buffers, and larger ones; each value is used before the next.
TEST(CudaStreams, ManyValuesFromTheHost) {
  LEVIN_NEEDS_GPU();
  for (const int64_t n : {3, 1000, 700'000}) {
    Tensors there, sums;
    for (int i = 0; i < 12; ++i) there.push_back(full({n}, i).to(kCUDA));
    for (const Tensor& x : there) sums.push_back(x.amax());
    for (int i = 0; i < 12; ++i) {
      EXPECT_EQ(sums[i].item(), i);
      EXPECT_EQ(numbers(there[i]), all(n, i));
    }
  }
}

// Memory that a call has read or written is given new values right behind that call, be it an
// operation or an optimizer, with other calls before and behind.
TEST(CudaStreams, ValuesDoNotOvertakeACall) {
  LEVIN_NEEDS_GPU();
  const Tensor kept = zeros({50}, kFloat32, kCUDA), other = zeros({50}, kFloat32, kCUDA);
  Tensors seen;
  for (int i = 0; i < 30; ++i) {
    kept.copy_(full({50}, i));
    for (int k = 0; k < i % 4; ++k) other.add_(1);
    seen.push_back(kept + other * 0);
    if (i % 3 == 0) kept.add_(100);
    for (int k = 0; k < i % 3; ++k) other.copy_(full({50}, k));
  }
  for (int i = 0; i < 30; ++i) EXPECT_EQ(numbers(seen[i]), all(50, i)) << i;
}

// Gradients give their memory to the next values from the host while the step that reads them waits.
TEST(CudaStreams, ValuesDoNotOvertakeAnOptimizer) {
  LEVIN_NEEDS_GPU();
  const Tensor p = zeros({40}, kFloat32, kCUDA).requires_grad_();
  optim::SGD optimizer({p}, {.lr = 1});
  float sum = 0;
  for (int i = 1; i < 30; ++i) {
    p.set_grad(full({40}, i, kFloat32).to(kCUDA));
    optimizer.step();
    p.zero_grad();
    sum += static_cast<float>(i);
  }
  EXPECT_EQ(numbers(p.detach()), all(40, -sum));
}

// So do the states of an optimizer that is no more.
TEST(CudaStreams, ValuesDoNotOvertakeAnOptimizersStates) {
  LEVIN_NEEDS_GPU();
  const Tensor p = zeros({40}, kFloat32, kCUDA).requires_grad_();
  for (int i = 0; i < 10; ++i) {
    const Tensor gradient = ones({40}, kFloat32, kCUDA);
    {
      optim::Adam optimizer({p});
      for (int step = 0; step < 3; ++step) {
        p.set_grad(gradient);
        full({40}, 1).to(kCUDA);
        optimizer.step();
      }
    }
    Tensors there;
    for (int k = 0; k < 4; ++k) there.push_back(full({40}, k, kFloat32).to(kCUDA));
    for (int k = 0; k < 4; ++k) EXPECT_EQ(numbers(there[k]), all(40, k));
  }
}

struct Training {
  Tensor weight;
  optim::Adam optimizer;
  Generator generator{3};

  Training() : weight(start()), optimizer({weight}, {.lr = 0.01}) {}
  static Tensor start() {
    Generator generator(2);
    const Tensor weight = randn({20}, generator).to(kCUDA);
    return weight.requires_grad_();
  }
  Tensor step(const Tensor& x) {
    optimizer.zero_grad();
    const GeneratorGuard guard(generator);
    const Tensor loss = (dropout(x, 0.5) * weight).square().mean();
    loss.backward();
    optimizer.step();
    return loss;
  }
};

Tensor batch(int number) {
  Generator generator(100 + number);
  return randn({20}, generator).to(kCUDA);
}

// More replays than there are places for their numbers, none of which is waited for.
TEST(CudaStreams, ReplaysRunBehindTheHost) {
  LEVIN_NEEDS_GPU();
  Training eager, captured;
  CapturedStep capture;
  int replayed = 0;
  const Tensors batches = {batch(1), batch(2),
                           batch(3)};  // a value from the host would wait at times
  for (int i = 0; i < 60; ++i) {
    const Tensor& x = batches[i % 3];
    if (i % 7 == 5) eager.optimizer.set_lr(0, 0.001 * i), captured.optimizer.set_lr(0, 0.001 * i);
    eager.step(x);
    capture.run({x}, [&] { return captured.step(x); });
    replayed += capture.has_replayed();
  }
  EXPECT_GE(replayed, 50) << capture.why_eager();
  EXPECT_EQ(numbers(captured.weight.detach()), numbers(eager.weight.detach()));
}

// What a graph reads where it lies, and what it made, may be given new values between replays.
TEST(CudaStreams, ValuesDoNotOvertakeAGraph) {
  LEVIN_NEEDS_GPU();
  const Tensor scale = zeros({30}, kFloat32, kCUDA), counted = zeros({30}, kFloat32, kCUDA);
  CapturedStep capture;
  const Tensor x = ones({30}, kFloat32, kCUDA);
  float wanted = 0;
  for (int i = 0; i < 30; ++i) {
    scale.copy_(full({30}, i));
    wanted += static_cast<float>(i);
    capture.run({x}, [&] { counted.add_(x * scale); });
    if (i % 5 == 4) counted.copy_(full({30}, wanted = i));
  }
  EXPECT_TRUE(capture.has_replayed()) << capture.why_eager();
  EXPECT_EQ(numbers(counted), all(30, wanted));
}

// What only a graph uses may be given new values behind a replay, the first call since a copy.
TEST(CudaStreams, ValuesDoNotOvertakeAReplay) {
  LEVIN_NEEDS_GPU();
  const Tensor scale = zeros({30}, kFloat32, kCUDA), counted = zeros({30}, kFloat32, kCUDA);
  const Tensor x = ones({30}, kFloat32, kCUDA);
  CapturedStep capture;
  float wanted = 0;
  for (int i = 0; i < 20; ++i) {
    capture.run({x}, [&] { counted.add_(x * scale); });
    scale.copy_(full({30}, i));
    if (i > 0) wanted += static_cast<float>(i - 1);
  }
  EXPECT_TRUE(capture.has_replayed()) << capture.why_eager();
  EXPECT_EQ(numbers(counted), all(30, wanted));
}

TEST(CudaStreams, InputsOfAGraphMayBeReusedAtOnce) {
  LEVIN_NEEDS_GPU();
  CapturedStep capture;
  const Tensor sums = zeros({1}, kFloat32, kCUDA);
  for (int i = 0; i < 30; ++i) {
    const Tensor x = full({100}, i).to(kCUDA);
    capture.run({x}, [&] { sums.add_(x.sum()); });
    x.copy_(full({100}, -1000));
  }
  EXPECT_TRUE(capture.has_replayed()) << capture.why_eager();
  EXPECT_EQ(sums.item(), 100 * 29 * 30 / 2);
}

// The step's memory has moved: the graph is captured anew.
TEST(CudaStreams, AGraphFollowsItsMemory) {
  LEVIN_NEEDS_GPU();
  CapturedStep capture;
  Tensors results;
  uint32_t version = 0;
  for (int i = 0; i < 12; ++i) {
    const Tensor x = full({64}, i).to(kCUDA);
    const Tensor& result = capture.run({x}, [&] { return x * 2 + 1; });
    results.push_back(result.clone());
    if (i >= 8) {
      EXPECT_GT(result.version(), version);  // a replay is a write
    }
    version = result.version();
  }
  EXPECT_TRUE(capture.has_replayed()) << capture.why_eager();
  for (int i = 0; i < 12; ++i) EXPECT_EQ(numbers(results[i]), all(64, 2.0f * i + 1)) << i;
}

// It is given up, and what comes next runs as ever.
TEST(CudaStreams, AStepThatNeedsTheHostStaysEager) {
  LEVIN_NEEDS_GPU();
  CapturedStep capture;
  const Tensor added = zeros({40}, kFloat32, kCUDA);
  for (int i = 0; i < 6; ++i) {
    const Tensor x = arange(0, 40).to(kFloat32).to(kCUDA) * (i % 2 ? 1 : -1);
    const Tensor sorted = capture.run({x}, [&] {
      added.add_(1);
      return x.sort().first;
    });
    EXPECT_EQ(numbers(sorted), numbers(x.to(kCPU).sort().first)) << i;
    EXPECT_EQ(numbers(added), all(40, i + 1));
  }
  EXPECT_FALSE(capture.has_replayed());
  EXPECT_NE(capture.why_eager(), "");
}

// Readings and waits are counted, and nothing else waits.
TEST(CudaStreams, WaitsAreCounted) {
  LEVIN_NEEDS_GPU();
  const Tensor x = ones({10}, kFloat32, kCUDA);
  const auto waits = [] { return cuda::statistics().synchronizations; };
  const uint64_t start = waits();
  const Tensor y = x * 2 + full({10}, 3).to(kCUDA);
  EXPECT_EQ(waits(), start);
  EXPECT_EQ(y.sum().item(), 50);
  EXPECT_EQ(waits(), start + 1);
  cuda::synchronize();
  EXPECT_EQ(waits(), start + 2);
}

TEST(CudaStreams, PositionsBelowZeroAreOutOfRange) {
  LEVIN_NEEDS_GPU();
  const Tensor x = arange(6).to(kCUDA);
  for (const int64_t wrong : {-7, -1, 6}) {
    const Tensor index = from_vector(std::vector<int64_t>{1, wrong}).to(kCUDA);
    const Tensor picked = gather(x, 0, index);
    EXPECT_THROW(picked.to_vector<float>(), std::runtime_error) << wrong;
    const Tensor reached = x.scatter_add(0, index, ones({2}, kInt64, kCUDA).to(x.dtype()));
    EXPECT_THROW(cuda::synchronize(), std::runtime_error) << wrong;
  }
  cuda::synchronize();  // told once
}

// While one thread captures graphs, the calls of another are not captured with them.
TEST(CudaStreams, ThreadsCaptureAlone) {
  LEVIN_NEEDS_GPU();
  std::atomic<bool> captured{false};
  std::thread other([&] {
    const Tensor x = ones({3}, kFloat32, kCUDA), sum = zeros({3}, kFloat32, kCUDA);
    for (int i = 0; i < 30; ++i) {
      CapturedStep capture;
      for (int k = 0; k < 4; ++k)
        capture.run({x}, [&] {
          for (int add = 0; add < 10; ++add) sum.add_(x);
        });
    }
    captured = true;
    EXPECT_EQ(numbers(sum), all(3, 30 * 4 * 10));
  });
  const Tensor count = zeros({3}, kFloat32, kCUDA);
  int counted = 0;
  for (; !captured; ++counted) count.add_(1);
  other.join();
  EXPECT_EQ(numbers(count), all(3, static_cast<float>(counted)));
}

// Two threads of the host share a GPU.
TEST(CudaStreams, ThreadsShareAGpu) {
  LEVIN_NEEDS_GPU();
  std::vector<float> results[2];
  const auto train = [](std::vector<float>* result) {
    Training training;
    for (int i = 0; i < 15; ++i) training.step(batch(i));
    *result = numbers(training.weight.detach());
  };
  std::thread first(train, &results[0]), second(train, &results[1]);
  first.join();
  second.join();
  std::vector<float> wanted;
  train(&wanted);
  EXPECT_EQ(results[0], wanted);
  EXPECT_EQ(results[1], wanted);
}

}  // namespace
}  // namespace levin

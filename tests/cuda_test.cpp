// What the GPU's backend does beside computing: transfers, memory, waiting, faults, graphs.
#include <levin/autograd/captured_step.h>
#include <levin/autograd/ops.h>
#include <levin/levin.h>

#include <cmath>
#include <limits>

#include "gpu.h"

namespace levin {
namespace {

std::vector<float> numbers(const Tensor& tensor) { return tensor.to_vector<float>(); }

TEST(Cuda, ReasonIsGivenWhereThereIsNone) {
  EXPECT_EQ(cuda::available(), cuda::why().empty());
  EXPECT_EQ(cuda::available(), cuda::device_count() > 0);
  if (cuda::available()) return;
  try {
    zeros({2}).to(kCUDA);
    FAIL() << "there is no GPU";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find(cuda::why()), std::string::npos) << error.what();
  }
}

TEST(Cuda, TensorsGoThereAndBack) {
  LEVIN_NEEDS_GPU();
  Generator generator(1);
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{3, 5}, Shape{600, 1000}}) {
    const Tensor x = randn(shape, generator);
    const Tensor there = x.to(kCUDA);
    EXPECT_EQ(there.device(), kCUDA);
    EXPECT_EQ(numbers(there.to(kCPU)), numbers(x));
  }
  const Tensor x = arange(12).view({3, 4});
  EXPECT_EQ(numbers(x.t().to(kCUDA)), numbers(x.t()));
  EXPECT_EQ(numbers(x.to(kCUDA).t().to(kCPU)), numbers(x.t()));
}

TEST(Cuda, GradientsPassBetweenDevices) {
  LEVIN_NEEDS_GPU();
  const Tensor x = arange(4).to(kFloat32).requires_grad_();
  x.to(kCUDA).square().sum().backward();
  EXPECT_EQ(x.grad().device(), kCPU);
  EXPECT_EQ(numbers(x.grad()), (std::vector<float>{0, 2, 4, 6}));
}

TEST(Cuda, OperandsOnTwoDevicesAreRefused) {
  LEVIN_NEEDS_GPU();
  try {
    ones({2}).to(kCUDA) + ones({2});
    FAIL() << "not refused";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "add: tensors on cuda and cpu: both must be on one device");
  }
}

// The memory that values come to may still be in use by calls that have not run.
TEST(Cuda, ValuesFromTheHostWaitForWhoeverUsedTheirMemory) {
  LEVIN_NEEDS_GPU();
  const Tensor weight = full({1000}, 2, kFloat32, kCUDA);
  std::vector<Tensor> sums;
  for (int i = 0; i < 20; ++i) {
    const Tensor batch = full({1000}, i, kFloat32).to(kCUDA);  // takes the last one's memory
    sums.push_back((batch * weight).sum());
  }
  const Tensor kept = zeros({1000}, kFloat32, kCUDA);
  std::vector<Tensor> seen;
  for (int i = 0; i < 20; ++i) {
    kept.copy_(full({1000}, i));
    seen.push_back(kept.sum());
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(sums[i].item(), 2000.0f * i);
    EXPECT_EQ(seen[i].item(), 1000.0f * i);
  }
}

TEST(Cuda, IndicesOutOfRangeAreToldByTheNextThatWaits) {
  LEVIN_NEEDS_GPU();
  const Tensor x = arange(6).to(kCUDA);
  const Tensor picked = x.index_select(0, from_vector(std::vector<int64_t>{1, 7}).to(kCUDA));
  try {
    picked.to_vector<float>();
    FAIL() << "not told";
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("index out of range"), std::string::npos);
  }
  EXPECT_EQ(numbers(x), (std::vector<float>{0, 1, 2, 3, 4, 5}));  // nothing is lost
}

// One step of a small network with all that changes from step to step: dropout, momentum, rates.
struct Step {
  nn::Sequential model;
  optim::Adam optimizer;
  Generator generator{3};

  explicit Step(Device device) : model(made(device)), optimizer(model.parameters(), {.lr = 0.01}) {}
  static nn::Sequential made(Device device) {
    manual_seed(5);
    nn::Sequential model(nn::Linear(6, 16), nn::ReLU(), nn::Linear(16, 3));
    model.to(device);
    return model;
  }
  Tensor run(const Tensor& x, const Tensor& target) {
    optimizer.zero_grad();
    const GeneratorGuard guard(generator);
    const Tensor kept = dropout(x, 0.25);
    const Tensor loss = cross_entropy(model(kept), target);
    loss.backward();
    optimizer.step();
    return loss;
  }
};

Tensor batch(int number) {
  Generator generator(100 + number);
  return randn({8, 6}, generator);
}
const std::vector<int64_t> kClasses = {0, 1, 2, 0, 1, 2, 0, 1};

TEST(Cuda, ASteadyStepTakesNoMemoryAndNeverWaits) {
  LEVIN_NEEDS_GPU();
  Step step(kCUDA);
  const Tensor target = from_vector(kClasses).to(kCUDA);
  for (int i = 0; i < 5; ++i) step.run(batch(i).to(kCUDA), target);
  const cuda::Statistics before = cuda::statistics();
  for (int i = 5; i < 25; ++i) step.run(batch(i).to(kCUDA), target);
  const cuda::Statistics after = cuda::statistics();
  if (kKeepsMemory) {
    EXPECT_EQ(after.allocations, before.allocations);
  }
  EXPECT_EQ(after.synchronizations, before.synchronizations);
  EXPECT_EQ(after.memory_taken, before.memory_taken);
}

TEST(Cuda, AReplayedGraphGivesTheBitsOfEagerSteps) {
  LEVIN_NEEDS_GPU();
  Step eager(kCUDA), captured(kCUDA);
  CapturedStep capture;
  const Tensor target = from_vector(kClasses).to(kCUDA);
  int replayed = 0;
  for (int i = 0; i < 40; ++i) {
    if (i == 20) eager.optimizer.set_lr(0, 0.003), captured.optimizer.set_lr(0, 0.003);
    const Tensor x = batch(i).to(kCUDA);
    const Tensor wanted = eager.run(x, target);
    const Tensor& loss = capture.run({x, target}, [&] { return captured.run(x, target); });
    replayed += capture.has_replayed();
    ASSERT_EQ(loss.item(), wanted.item()) << "step " << i << capture.why_eager();
  }
  EXPECT_GE(replayed, 30) << capture.why_eager();
  const auto a = eager.model.parameters(), b = captured.model.parameters();
  for (std::size_t p = 0; p < a.size(); ++p) EXPECT_EQ(numbers(a[p]), numbers(b[p]));
  const cuda::Statistics before = cuda::statistics();
  const Tensor x = batch(50).to(kCUDA);
  for (int i = 0; i < 10; ++i) capture.run({x, target}, [&] { return captured.run(x, target); });
  EXPECT_TRUE(capture.has_replayed());
  EXPECT_EQ(cuda::statistics().synchronizations, before.synchronizations);
  if (kKeepsMemory) {
    EXPECT_EQ(cuda::statistics().allocations, before.allocations);
  }
}

TEST(Cuda, AStepThatComputesOnBothDevicesStaysEager) {
  LEVIN_NEEDS_GPU();
  CapturedStep capture;
  const Tensor here = ones({3}), there = ones({3}, kFloat32, kCUDA);
  for (int i = 0; i < 4; ++i) capture.run({}, [&] { here.add_(1), there.add_(1); });
  EXPECT_FALSE(capture.has_replayed());
  EXPECT_EQ(capture.why_eager(), "it computes on several devices");
  EXPECT_EQ(numbers(there), numbers(here));
}

}  // namespace
}  // namespace levin

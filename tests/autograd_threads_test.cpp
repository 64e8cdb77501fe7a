// Graphs on several threads at once: each thread records and runs its own.
#include <gtest/gtest.h>
#include <levin/autograd/checkpoint.h>
#include <levin/autograd/hooks.h>
#include <levin/autograd/node.h>
#include <levin/autograd/ops.h>
#include <levin/kernels/pool.h>

#include <thread>

namespace levin {
namespace {

// Five steps of a small network; gives its parameters. Large enough that the pool takes part.
std::vector<float> train(const Tensor& x, const Tensor& target, uint64_t seed) {
  Generator generator(seed);
  const Tensor w1 = (randn({64, 48}, generator) * 0.1).detach().requires_grad_();
  const Tensor b1 = zeros({64}).requires_grad_();
  const Tensor w2 = (randn({8, 64}, generator) * 0.1).detach().requires_grad_();
  for (int step = 0; step < 5; ++step) {
    const Tensor hidden = linear(x, w1, b1).tanh();
    const Tensor loss = mse_loss(linear(hidden, w2), target) + w2.square().mean();
    loss.backward();
    NoGrad no_grad;
    for (const Tensor& p : {w1, b1, w2}) {
      p.sub_(p.grad(), 0.1);
      p.zero_grad();
    }
  }
  std::vector<float> all = w1.to_vector<float>();
  for (const Tensor& p : {b1, w2})
    for (const float number : p.to_vector<float>()) all.push_back(number);
  return all;
}

TEST(AutogradThreads, ModelsTrainBesideEachOtherWithTheBitsOfOneAlone) {
  const int before = num_threads();
  set_num_threads(3);
  Generator generator(1);
  const Tensor x = randn({700, 48}, generator), target = randn({700, 8}, generator);
  constexpr int kModels = 3;
  std::vector<float> alone[kModels], beside[kModels];
  for (int i = 0; i < kModels; ++i) alone[i] = train(x, target, 10 + i);
  std::vector<std::thread> threads;
  for (int i = 0; i < kModels; ++i)
    threads.emplace_back([&, i] { beside[i] = train(x, target, 10 + i); });
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kModels; ++i) EXPECT_EQ(beside[i], alone[i]);
  EXPECT_NE(alone[0], alone[1]);
  set_num_threads(before);
}

// Checkpoints (engines inside engines, with random numbers drawn twice) and hooks on each thread.
std::vector<float> train_by_checkpoints(const Tensor& x, uint64_t seed) {
  manual_seed(seed);
  const Tensor w = (randn({24, 24}) * 0.2).detach().requires_grad_();
  w.register_hook([](const Tensor& g) { return g * 0.5; });
  w.register_post_accumulate_grad_hook([](const Tensor& leaf) {
    const NoGrad no_grad;
    leaf.sub_(leaf.grad(), 0.1);
    leaf.zero_grad();
  });
  for (int step = 0; step < 5; ++step) {
    Tensor y = x;
    for (int i = 0; i < 3; ++i)
      y = autograd::checkpoint(
          [&](const std::vector<Tensor>& in) { return dropout(linear(in[0], w).tanh(), 0.3); },
          {y});
    y.square().mean().backward();
  }
  return w.to_vector<float>();
}

TEST(AutogradThreads, CheckpointsAndHooksOnTwoAndEightThreads) {
  Generator generator(1);
  const Tensor x = randn({40, 24}, generator);
  for (const int count : {2, 8}) {
    std::vector<std::vector<float>> alone(count), beside(count);
    for (int i = 0; i < count; ++i) alone[i] = train_by_checkpoints(x, 10 + i);
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i)
      threads.emplace_back([&, i] { beside[i] = train_by_checkpoints(x, 10 + i); });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(beside, alone);
    EXPECT_NE(alone[0], alone[1]);
  }
}

TEST(AutogradThreads, ModesBelongToTheirThread) {
  const NoGrad no_grad;
  bool enabled = false;
  std::thread([&] { enabled = is_grad_enabled(); }).join();
  EXPECT_TRUE(enabled);
  EXPECT_FALSE(is_grad_enabled());
}

// A graph may be handed to another thread, which runs and destroys it.
TEST(AutogradThreads, AGraphMayChangeItsThread) {
  const Tensor w = full({3}, 2.0).requires_grad_();
  Tensor loss = (w * w * w).sum();
  std::thread([loss = std::move(loss)]() mutable {
    loss.backward();
    loss = {};
  }).join();
  EXPECT_EQ(w.grad().to_vector<double>(), (std::vector<double>{12, 12, 12}));
  (w * w).sum().backward();
  EXPECT_EQ(w.grad().to_vector<double>(), (std::vector<double>{16, 16, 16}));
}

}  // namespace
}  // namespace levin

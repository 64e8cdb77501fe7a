// The same bits every time: the parameters after a training, for any number of threads, in every
// run, on every machine of one kind.
#include <gtest/gtest.h>
#include <levin/kernels/cpu/isa.h>
#include <levin/nn/activation.h>
#include <levin/nn/linear.h>
#include <levin/nn/sequential.h>
#include <levin/optim/sgd.h>

#include <cstring>
#include <iostream>

#include "hash.h"
#include "threads.h"

namespace levin {
namespace {

using nn::Linear;

// A classifier whose products, sums and elementwise loops are all large enough to be cut over the
// pool. Only numbers that no C library computes: uniform data.
template <class T>
uint64_t hash_after_training(int64_t batch, int steps) {
  const DType dtype = DTypeOf<T>::value;
  manual_seed(11);
  Generator data(12);
  nn::Sequential model{Linear(96, 200), nn::ReLU(), Linear(200, 120), nn::ReLU(), Linear(120, 10)};
  model.to(dtype);
  optim::SGD optimizer(model.parameters(), {.lr = 0.05, .momentum = 0.9, .weight_decay = 1e-4});
  for (int step = 0; step < steps; ++step) {
    const Tensor x = rand({batch, 96}, data, dtype) - 0.5, wanted = rand({batch, 10}, data, dtype);
    optimizer.zero_grad();
    const Tensor y = model(x);
    ((y - wanted).pow(2).mean() + y.abs().mean() * 0.1 + y.var() * 0.01).backward();
    optimizer.step();
  }
  uint64_t hash = kNoBytes;
  for (const Tensor& parameter : model.parameters()) hash = hash_of(parameter.to_vector<T>(), hash);
  return hash;
}

// float32 with tanh, softmax and cross-entropy too.
uint64_t hash_after_classifying() {
  manual_seed(21);
  Generator data(22);
  nn::Sequential model{Linear(64, 100), nn::Tanh(), Linear(100, 50), nn::Sigmoid(), Linear(50, 10)};
  optim::SGD optimizer(model.parameters(), {.lr = 0.5, .momentum = 0.5, .nesterov = true});
  for (int step = 0; step < 15; ++step) {
    const Tensor x = rand({1000, 64}, data), classes = randint(0, 10, {1000}, data);
    optimizer.zero_grad();
    cross_entropy(model(x), classes).backward();
    optimizer.step();
  }
  uint64_t hash = kNoBytes;
  for (const Tensor& parameter : model.parameters())
    hash = hash_of(parameter.to_vector<float>(), hash);
  return hash;
}

uint64_t hash_of_all() {
  const uint64_t hashes[] = {hash_after_training<float>(300, 10), hash_after_training<float>(7, 20),
                             hash_after_training<double>(300, 5), hash_after_classifying()};
  return hash_of(hashes, sizeof hashes);
}

TEST(Determinism, SameBitsForEveryNumberOfThreadsAndEveryRun) {
  uint64_t first = 0;
  for (const int threads : {1, 2, 3, 8, 2}) {
    const Threads set(threads);
    const uint64_t hash = hash_of_all();
    if (first == 0) first = hash;
    EXPECT_EQ(hash, first) << threads << " threads";
  }
}

// A change here is a change of every trained model: it needs a new kNumerics.
TEST(Determinism, FrozenBits) {
  const bool baseline = std::strcmp(isa().name, "baseline") == 0;
  const uint64_t hash = hash_of_all();
  EXPECT_EQ(hash, baseline ? 6564719020304488661u : 8036894377576319969u)
      << "with the loops for " << isa().name;
}

}  // namespace
}  // namespace levin

// Heap allocations of a fit, counted at malloc itself: a training step makes none.
#include <gtest/gtest.h>
#include <levin/levin.h>

#include <atomic>
#include <cstdlib>

#include "scratch.h"
#include "seed_model.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LEVIN_HAS_SANITIZER
#endif
#endif

#ifndef LEVIN_HAS_SANITIZER

namespace {
std::atomic<int64_t> allocations{0};
}

// glibc's own functions under these names; ours take their place in the whole program.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
  ++allocations;
  return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}
}

namespace levin {
namespace {

// Counts from the start of an epoch's third batch to its end, so with loader, hooks and metrics.
struct Count : Callback {
  void on_train_batch_start(Trainer&, LME&, const data::Batch&, int64_t batch) override {
    if (batch == 2) before = allocations;
  }
  void on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                          int64_t batch) override {
    if (batch + 1 < trainer.num_training_batches()) return;
    counts.push_back(allocations - before);
  }
  void on_validation_batch_start(Trainer&, LME&, const data::Batch&, int64_t batch,
                                 int64_t) override {
    if (batch == 2) before = allocations;
  }
  void on_validation_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                               int64_t batch, int64_t) override {
    if (batch + 1 < trainer.num_val_batches() || trainer.stage() == Stage::sanity_check) return;
    val_counts.push_back(allocations - before);
  }
  int64_t before = 0;
  std::vector<int64_t> counts, val_counts;
};

TEST(Allocations, AreCounted) {
  const int64_t before = allocations;
  std::free(std::aligned_alloc(64, 64));
  static int* volatile kept = new int(1);  // the compiler may not leave it out
  delete kept;
  EXPECT_EQ(allocations - before, 2);
}

void expect_none(LME& model, const data::DataLoader& loader, bool compile) {
  const Scratch folder;
  const auto count = std::make_shared<Count>();
  model.callbacks = {PlotMetrics(), count};
  TrainerOptions options = quiet(folder.path(), 3);
  options.compile = compile;
  Trainer trainer(options);
  trainer.fit(model, loader, loader);
  EXPECT_EQ(trainer.compiled().why_eager, "");
  EXPECT_EQ(trainer.compiled().replayed_batches > 0, compile);
  // The first epoch warms up caches; after that nothing is asked of the system.
  EXPECT_EQ(count->counts[1], 0);
  EXPECT_EQ(count->counts[2], 0);
  EXPECT_EQ(count->val_counts[1], 0);
  EXPECT_EQ(count->val_counts[2], 0);
}

// As it is written, and replayed.
void expect_none(LME& model, const data::DataLoader& loader) {
  for (const bool compile : {false, true}) expect_none(model, loader, compile);
}

TEST(Allocations, ASeedStepMakesNone) {
  LME model(nn::Linear(5, 10));
  make_seed(model);
  expect_none(model, normal_loader(200, 5, 10, {.batch_size = 10, .shuffle = true}));
}

TEST(Allocations, SevenMetricsWithLongNamesMakeNone) {
  LME model(nn::Linear(5, 10));
  make_seed(model);
  std::vector<NamedMetric> metrics;
  for (int i = 0; i < 7; ++i)
    metrics.push_back({"a_metric_with_a_long_name_" + std::to_string(i),
                       {[](auto& y, auto& gt) { return (y - gt).abs().mean(); }, "min"}});
  model.metrics = metrics;
  expect_none(model, normal_loader(200, 5, 10));
}

TEST(Allocations, AClassifiersStepMakesNone) {
  LME model(nn::Sequential(nn::Linear(20, 32), nn::ReLU(), nn::Linear(32, 4)));
  model.criterion_fn = [](auto& y, auto& gt) { return cross_entropy(y, gt); };
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.01, .momentum = 0.9});
  model.metrics = {
      {"accuracy",
       {[](auto& y, auto& gt) { return (y.argmax(-1) == gt).to(kFloat32).mean(); }, "max"}}};
  model.model_algorithm = plain_algorithm;
  const data::TensorDataset dataset(randn({320, 20}), randint(0, 4, {320}));
  expect_none(model, {dataset, {.batch_size = 32}});
}

// Adam's state and counters, a schedule, and a clipped norm.
TEST(Allocations, AnAdamStepMakesNone) {
  Generator generator(1);
  const nn::Linear model(5, 10);
  const Tensor x = randn({10, 5}, generator), target = randn({10, 10}, generator);
  optim::Adam adam(model.parameters(), {.amsgrad = true});
  optim::OneCycleLR schedule(adam, {.max_lr = 0.1, .total_steps = 100});
  const std::vector<Tensor> parameters = model.parameters();
  int64_t before = 0;
  for (int step = 0; step < 20; ++step) {
    if (step == 10) before = allocations;
    adam.zero_grad();
    mse_loss(linear(x, model.weight, model.bias), target).backward();
    optim::clip_grad_norm_(parameters, 1);
    adam.step();
    schedule.step();
  }
  EXPECT_EQ(allocations - before, 0);
}

// Samples one by one, as the seed's example draws them.
struct RandomDataset : data::Dataset {
  int64_t size() const override { return 100; }
  data::Batch get(int64_t, Generator&) const override { return {randn({5}), randn({10})}; }
};

TEST(Allocations, AStepOnRandomSamplesMakesNone) {
  LME model(nn::Linear(5, 10));
  make_seed(model);
  expect_none(model, {RandomDataset(), {.batch_size = 10}});
}

}  // namespace
}  // namespace levin

#else
TEST(Allocations, AreNotCounted) { GTEST_SKIP() << "a sanitizer has its own allocator"; }
#endif

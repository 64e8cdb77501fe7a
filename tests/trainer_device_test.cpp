// Trainer({.accelerator = ..}): runs on a GPU, whose results are the CPU's but for the order in which
// products are summed.
#include <gtest/gtest.h>
#include <levin/levin.h>

#include "gpu.h"
#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

TEST(Accelerator, NamesAreLightnings) {
  EXPECT_EQ(device_of("cpu"), kCPU);
  EXPECT_EQ(device_of("auto"), cuda::available() ? kCUDA : kCPU);
  EXPECT_EQ(error_of<std::invalid_argument>([] { Trainer trainer({.accelerator = "tpu"}); }),
            "Trainer: accelerator 'tpu': 'auto', 'cpu', 'gpu' or 'cuda' is needed");
  if (cuda::available()) GTEST_SKIP() << "the rest is for machines without a GPU";
  EXPECT_EQ(error_of<std::runtime_error>([] { Trainer trainer({.accelerator = "gpu"}); }),
            "Trainer: accelerator 'gpu': no GPU: " + cuda::why());
}

// A run that looks at where things are.
struct DeviceRun {
  Scratch scratch{memory_dir()};
  LME model;
  Trainer trainer;
  std::vector<Device> seen;
  data::DataLoader train = normal_loader(40, 5, 10), val = normal_loader(20, 5, 10, {}, 2);

  DeviceRun(const char* accelerator, int64_t epochs, bool compile = false)
      : model((manual_seed(5), nn::Sequential(nn::Linear(5, 8), nn::ReLU(), nn::Dropout(0.2),
                                              nn::LayerNorm(Shape{8}), nn::Linear(8, 10)))),
        trainer(options(accelerator, epochs, compile)) {
    make_seed(model);
    model.optimizer = optim::Adam(model.parameters(), {.lr = 0.01});
    model.model_algorithm = [this](LME& model, const data::Batch& batch) {
      AlgorithmOutput output = plain_algorithm(model, batch);
      for (const Tensor& tensor : {batch[0], batch[1], output.y.tensor(), model.parameters()[0]})
        seen.push_back(tensor.device());
      return output;
    };
  }
  TrainerOptions options(const char* accelerator, int64_t epochs, bool compile) const {
    TrainerOptions made = quiet(scratch.path(), epochs);
    made.accelerator = accelerator;
    made.compile = compile;
    made.gradient_clip_val = 0.5;
    return made;
  }
  void fit(const std::string& ckpt_path = "") {
    manual_seed(6);
    trainer.fit(model, train, val, {.ckpt_path = ckpt_path});
  }
  std::string last() const { return trainer.log_dir() + "/checkpoints/last.ckpt"; }
};

void expect_near(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance) << i;
}

TEST(Accelerator, RunsOnTheGpuAndComesBack) {
  LEVIN_NEEDS_GPU();
  DeviceRun cpu("cpu", 3), gpu("cuda", 3);
  cpu.fit(), gpu.fit();
  for (const Device device : cpu.seen) EXPECT_EQ(device, kCPU);
  for (const Device device : gpu.seen) EXPECT_EQ(device, kCUDA);
  expect_near(parameters_of(gpu.model), parameters_of(cpu.model), 2e-3);
  for (const char* metric : {"loss", "val_loss", "l1", "val_l1"})
    EXPECT_NEAR(*gpu.trainer.callback_metric(metric), *cpu.trainer.callback_metric(metric), 1e-3)
        << metric;
  EXPECT_EQ(gpu.model.device(), kCPU);
  // The host goes on with it by hand.
  mse_loss(gpu.model(rand({3, 5})), rand({3, 10})).backward();
  gpu.model.optimizer.list()[0]->step();
  EXPECT_TRUE(gpu.model.parameters()[0].isfinite().all().item<bool>());
}

TEST(Accelerator, ACheckpointGoesOnOnEitherDevice) {
  LEVIN_NEEDS_GPU();
  DeviceRun whole("cuda", 4), first("cuda", 2), same("cuda", 4), other("cpu", 4);
  whole.fit(), first.fit();
  same.fit(first.last()), other.fit(first.last());
  EXPECT_EQ(parameters_of(same.model), parameters_of(whole.model));
  expect_near(parameters_of(other.model), parameters_of(whole.model), 2e-3);
}

TEST(Accelerator, EvaluatesAndPredictsThere) {
  LEVIN_NEEDS_GPU();
  DeviceRun cpu("cpu", 1), gpu("cuda", 1);
  const auto on_cpu = cpu.trainer.validate(cpu.model, cpu.val, {.verbose = false}),
             on_gpu = gpu.trainer.validate(gpu.model, gpu.val, {.verbose = false});
  EXPECT_NEAR(*on_gpu[0].find("val_loss"), *on_cpu[0].find("val_loss"), 1e-5);
  const std::vector<data::Batch> y = gpu.trainer.predict(gpu.model, gpu.val);
  EXPECT_EQ(y[0].tensor().device(), kCPU);
  const Tensor expected = cpu.trainer.predict(cpu.model, cpu.val)[1].tensor();
  EXPECT_TRUE((y[1].tensor() - expected).abs().max().item() < 1e-5);
}

TEST(Accelerator, ReplaysGraphsWithTheSameBits) {
  LEVIN_NEEDS_GPU();
  DeviceRun eager("cuda", 4), compiled("cuda", 4, true);
  eager.fit(), compiled.fit();
  EXPECT_GT(compiled.trainer.compiled().replayed_batches, 8)
      << compiled.trainer.compiled().why_eager;
  EXPECT_EQ(parameters_of(compiled.model), parameters_of(eager.model));
}

TEST(Accelerator, AStepWaitsForNothing) {
  LEVIN_NEEDS_GPU();
  for (const bool compile : {false, true}) {
    DeviceRun run("cuda", 6, compile);
    std::vector<cuda::Statistics> after;
    run.model.callbacks = {LambdaCallback(
        {.on_train_batch_end = [&](auto&&...) { after.push_back(cuda::statistics()); }})};
    run.fit();
    // From the first to the last batch of an epoch, when all have run before; with graphs from the second:
    // the first writes to new outputs, since the last epoch's result is held, so one is captured anew.
    const cuda::Statistics &first = after[after.size() - (compile ? 3 : 4)], &last = after.back();
    EXPECT_EQ(last.synchronizations, first.synchronizations) << compile;
    if (kKeepsMemory) {
      EXPECT_EQ(last.allocations, first.allocations) << compile;
    }
  }
}

TEST(Accelerator, AModelOnTheGpuStaysThere) {
  LEVIN_NEEDS_GPU();
  DeviceRun run("gpu", 1);
  run.model.to(kCUDA);
  run.fit();
  EXPECT_EQ(run.model.device(), kCUDA);
}

TEST(Accelerator, AFailedRunBringsTheModelBack) {
  LEVIN_NEEDS_GPU();
  DeviceRun run("gpu", 1);
  run.model.model_algorithm = [](LME&, const data::Batch&) -> AlgorithmOutput {
    throw std::runtime_error("no");
  };
  EXPECT_THROW(run.fit(), std::runtime_error);
  EXPECT_EQ(run.model.device(), kCPU);
}

TEST(Accelerator, BatchesComeToTheModel) {
  LEVIN_NEEDS_GPU();
  DeviceRun run("cpu", 1);
  Generator generator(1);
  run.train = {data::TensorDataset(randn({40, 5}, generator).to(kCUDA),
                                   randn({40, 10}, generator).to(kCUDA)),
               {.batch_size = 10}};
  run.fit();
  for (const Device device : run.seen) EXPECT_EQ(device, kCPU);
}

TEST(Accelerator, AveragesFollowTheModel) {
  LEVIN_NEEDS_GPU();
  nn::Linear model(3, 2);
  optim::AveragedModel average(model.parameters(), {.decay = 0.5});
  const Tensor before = model.weight.detach().clone();
  average.update_parameters();
  model.to(kCUDA);
  {
    const NoGrad no_grad;
    model.weight.mul_(3);
  }
  average.update_parameters();
  average.copy_to_parameters();
  EXPECT_TRUE((model.weight.detach().to(kCPU) - before * 2).abs().max().item() < 1e-6);
}

TEST(Accelerator, ACapturedStepIsOfOneDevice) {
  LEVIN_NEEDS_GPU();
  CapturedStep step;
  for (int i = 0; i < 12; ++i) {
    const Tensor x = rand({3}).to(i % 2 ? kCUDA : kCPU), unused = rand({2});
    const Tensor& y =
        step.run({x, unused}, [&] { return x * static_cast<double>(unused.size(0)); });
    EXPECT_EQ(y.device(), x.device());
    EXPECT_EQ(y.to(kCPU).to_vector<float>(), (x.to(kCPU) * 2).to_vector<float>());
  }
  EXPECT_TRUE(step.has_replayed());
}

TEST(Accelerator, AnOptimizerIsOfOneDevice) {
  LEVIN_NEEDS_GPU();
  const Tensor on_cpu = ones({2}).requires_grad_(), on_gpu = ones({2}).to(kCUDA).requires_grad_();
  optim::SGD optimizer(std::vector{on_cpu, on_gpu}, {.lr = 0.1});
  on_cpu.sum().backward(), on_gpu.sum().backward();
  EXPECT_THROW(optimizer.step(), std::invalid_argument);
  EXPECT_EQ(on_cpu.to_vector<float>(), (std::vector<float>{1, 1}));
}

}  // namespace
}  // namespace levin

// Trainer({.precision = ..}): the algorithm in mixed types, parameters and losses in float32.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>

#include <algorithm>

#include "gpu.h"
#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

// What is logged while it lives.
struct Logged {
  Logged() {
    text.clear();
    set_log_sink([](LogLevel, std::string_view line) { text += line; });
  }
  ~Logged() { set_log_sink(nullptr); }
  static inline std::string text;
};

struct MixedRun {
  Scratch scratch{memory_dir()};
  LME model;
  Trainer trainer;
  std::vector<DType> types;  // of what the network gave

  explicit MixedRun(const TrainerOptions& options, double loss_factor = 1)
      : model((manual_seed(5), nn::Sequential(nn::Linear(5, 8), nn::Tanh(), nn::Linear(8, 10)))),
        trainer(with_folder(options, scratch.path())) {
    make_seed(model);
    model.optimizer = optim::Adam(model.parameters(), {.lr = 0.01});
    model.model_algorithm = [this, loss_factor](LME& model, const data::Batch& batch) {
      AlgorithmOutput output = plain_algorithm(model, batch);
      types.push_back(output.y.tensor().dtype());
      output.metrics["loss"] = output.metrics.find("loss")->tensor() * loss_factor;
      return output;
    };
  }
  static TrainerOptions with_folder(TrainerOptions options, const std::string& folder) {
    options.logger = CSVLogger(folder);
    options.enable_progress_bar = options.enable_model_summary = false;
    return options;
  }
  void fit(const std::string& ckpt_path = "") {
    trainer.fit(model, normal_loader(30, 5, 10), normal_loader(20, 5, 10, {.batch_size = 10}, 2),
                {.ckpt_path = ckpt_path});
  }
  std::string last() const { return trainer.log_dir() + "/checkpoints/last.ckpt"; }
};

TEST(Precision, Bf16MixedRunsTheAlgorithmInBothTypes) {
  MixedRun full({.max_epochs = 4}), mixed({.precision = "bf16-mixed", .max_epochs = 4});
  full.fit(), mixed.fit();
  for (const DType type : mixed.types) EXPECT_EQ(type, kBFloat16);
  for (const DType type : full.types) EXPECT_EQ(type, kFloat32);
  for (const Tensor& p : mixed.model.parameters()) EXPECT_EQ(p.dtype(), kFloat32);
  for (const auto& [name, tensor] : mixed.model.optimizer.list()[0]->state_dict().tensors)
    EXPECT_EQ(tensor.dtype(), kFloat32) << name;
  EXPECT_NE(parameters_of(mixed.model), parameters_of(full.model));
  EXPECT_NEAR(*mixed.trainer.callback_metric("loss"), *full.trainer.callback_metric("loss"), 0.02);
  EXPECT_NEAR(*mixed.trainer.callback_metric("val_loss"), *full.trainer.callback_metric("val_loss"),
              0.02);
  EXPECT_FALSE(is_autocast_enabled());
  EXPECT_EQ(load_checkpoint_file(mixed.last()).state.at("precision").as_text(), "bf16-mixed");
}

TEST(Precision, MixedRunsAreCompiledWithTheSameBits) {
  MixedRun eager({.precision = "bf16-mixed", .max_epochs = 4}),
      compiled({.precision = "bf16-mixed", .max_epochs = 4, .compile = true});
  eager.fit(), compiled.fit();
  EXPECT_GT(compiled.trainer.compiled().replayed_batches, 5)
      << compiled.trainer.compiled().why_eager;
  EXPECT_EQ(parameters_of(compiled.model), parameters_of(eager.model));
}

TEST(Precision, MixedRunsGoOnWithTheSameBits) {
  MixedRun whole({.precision = "bf16-mixed", .max_epochs = 4}),
      first({.precision = "bf16-mixed", .max_epochs = 2}),
      second({.precision = "bf16-mixed", .max_epochs = 4});
  whole.fit(), first.fit(), second.fit(first.last());
  EXPECT_EQ(parameters_of(second.model), parameters_of(whole.model));
}

TEST(Precision, Float16OnTheCpuBecomesBfloat16) {
  const Logged log;
  MixedRun run({.accelerator = "cpu", .precision = "16-mixed", .max_epochs = 1});
  run.fit();
  for (const DType type : run.types) EXPECT_EQ(type, kBFloat16);
  EXPECT_NE(log.text.find("AMP with fp16 is not supported on CPU. Using `precision='bf16-mixed'`"),
            std::string::npos)
      << log.text;
}

TEST(Precision, KnowsLightningsNames) {
  const Logged log;
  EXPECT_EQ(Trainer({.precision = "bf16"}).options().precision, "bf16-mixed");
  EXPECT_NE(log.text.find("precision=bf16 is supported for historical reasons"), std::string::npos);
  EXPECT_EQ(Trainer({.precision = "64"}).options().precision, "64-true");
  EXPECT_EQ(error_of<std::invalid_argument>([] { Trainer trainer({.precision = "8"}); }),
            "Trainer: precision '8': '32-true', '64-true', 'bf16-mixed' and '16-mixed' are "
            "possible");
}

TEST(Precision, Float16ScalesItsLossesAndSkipsOverflows) {
  LEVIN_NEEDS_GPU();
  // Scaled by 65536 the first losses overflow; in between they do not.
  MixedRun run({.accelerator = "cuda", .precision = "16-mixed", .max_epochs = 4}, 1000);
  std::vector<std::vector<double>> weights;
  run.model.callbacks = {LambdaCallback(
      {.on_train_batch_end = [&](auto&&...) { weights.push_back(parameters_of(run.model)); }})};
  run.fit();
  for (const DType type : run.types) EXPECT_EQ(type, kFloat16);
  EXPECT_EQ(weights[0], weights[1]);
  EXPECT_NE(weights.back(), weights[0]);
  const Value state = load_checkpoint_file(run.last()).state;
  EXPECT_EQ(state.at("precision").as_text(), "16-mixed");
  EXPECT_LT(state.at("grad_scaler").at("scale").as_real(), 65536);
}

TEST(Precision, Float16GoesOnWithTheSameBits) {
  LEVIN_NEEDS_GPU();
  MixedRun whole({.accelerator = "cuda", .precision = "16-mixed", .max_epochs = 4}, 1000),
      first({.accelerator = "cuda", .precision = "16-mixed", .max_epochs = 2}, 1000),
      second({.accelerator = "cuda", .precision = "16-mixed", .max_epochs = 4}, 1000);
  whole.fit(), first.fit(), second.fit(first.last());
  EXPECT_EQ(parameters_of(second.model), parameters_of(whole.model));
}

TEST(Precision, ACheckpointHoldsGradientsWithoutTheirScale) {
  LEVIN_NEEDS_GPU();
  MixedRun run({.accelerator = "cuda",
                .precision = "16-mixed",
                .max_epochs = 1,
                .accumulate_grad_batches = 2});
  double largest = 0;
  run.model.callbacks = {LambdaCallback({.on_train_batch_end = [&](auto&&...) {
    const std::string path = run.scratch / "window.ckpt";
    run.trainer.save_checkpoint(path);
    for (const auto& [name, tensor] : load_checkpoint_file(path).tensors)
      if (name.starts_with("gradients.")) largest = std::max(largest, tensor.abs().max().item());
  }})};
  run.fit();
  EXPECT_GT(largest, 0);
  EXPECT_LT(largest, 10);
}

}  // namespace
}  // namespace levin

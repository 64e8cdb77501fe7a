// Trainer({.compile = true}): batches are repeated without being called, and nothing else changes.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>

#include <filesystem>
#include <functional>

#include "scratch.h"
#include "seed_model.h"
#include "whole_run.h"

namespace levin {
namespace {

// What a run leaves.
struct Result {
  std::vector<double> parameters;
  std::string csv, metadata, history;
  CompileReport report;
  int64_t algorithm_calls = 0;
};

struct Setting {
  std::function<void(LME&)> model = [](LME&) {};
  std::function<void(TrainerOptions&)> trainer = [](TrainerOptions&) {};
  int64_t epochs = 3, samples = 75;
  std::string ckpt_path = {};
};

nn::AnyModule network() {
  return nn::Sequential(nn::Linear(5, 8), nn::Tanh(), nn::Dropout(0.2), nn::Linear(8, 10));
}

// What callbacks get: each batch's own tensors, its output, and the same in cache_result().
struct Watches : Callback {
  void on_train_batch_end(Trainer&, LME& model, const AlgorithmOutput* output,
                          const data::Batch& batch, int64_t) override {
    ASSERT_TRUE(output);
    EXPECT_TRUE(output->x.tensor().is_same(batch[0]) && output->gt.tensor().is_same(batch[1]));
    sum =
        sum * 0.5 + output->y.tensor().sum().item() + output->metrics.find("loss")->tensor().item();
    EXPECT_EQ(model.cache_result()->gt.tensor().to_vector<float>(), batch[1].to_vector<float>());
    EXPECT_EQ(model.cache_result()->y.tensor().to_vector<float>(),
              output->y.tensor().to_vector<float>());
  }
  double sum = 0;
};

Result trained(bool compile, const Setting& setting) {
  const Scratch scratch(memory_dir());
  manual_seed(3);
  LME model(network());
  make_seed(model);
  Result result;
  model.model_algorithm = [&](LME& model, const data::Batch& batch) {
    ++result.algorithm_calls;
    return plain_algorithm(model, batch);
  };
  setting.model(model);
  const auto watches = std::make_shared<Watches>();
  TrainerOptions options = quiet(scratch.path(), setting.epochs);
  options.callbacks = {watches};
  options.compile = compile;
  setting.trainer(options);
  Trainer trainer(options);
  trainer.fit(model, normal_loader(setting.samples, 5, 10, {.batch_size = 10, .shuffle = true}),
              normal_loader(33, 5, 10, {.batch_size = 10}, 2), {.ckpt_path = setting.ckpt_path});
  result.parameters = parameters_of(model);
  result.parameters.push_back(watches->sum);
  result.csv = read_whole(trainer.log_dir() + "/metrics.csv");
  result.metadata = lasting(read_whole(trainer.log_dir() + "/fit_metadata.json"));
  for (const auto& [name, value] : trainer.callback_metrics())
    result.history += name + "=" + std::to_string(value) + "\n";
  result.report = trainer.compiled();
  return result;
}

// Trains both ways, and expects the same and that batches were replayed.
Result expect_same(const Setting& setting) {
  const Result plain = trained(false, setting), compiled = trained(true, setting);
  EXPECT_EQ(plain.parameters, compiled.parameters);
  EXPECT_EQ(plain.csv, compiled.csv);
  EXPECT_EQ(plain.metadata, compiled.metadata);
  EXPECT_EQ(plain.history, compiled.history);
  EXPECT_EQ(plain.report.replayed_batches, 0);
  if (compiled.algorithm_calls > 0) {
    EXPECT_EQ(plain.algorithm_calls, compiled.algorithm_calls + compiled.report.replayed_batches);
  }
  return compiled;
}

void expect_replayed(const Setting& setting) {
  const Result compiled = expect_same(setting);
  EXPECT_GT(compiled.report.replayed_batches, 5);
  EXPECT_EQ(compiled.report.why_eager, "");
}

void expect_eager(const Setting& setting, const std::string& reason) {
  const Result compiled = expect_same(setting);
  EXPECT_NE(compiled.report.why_eager.find("training: "), std::string::npos);
  EXPECT_NE(compiled.report.why_eager.find(reason), std::string::npos) << compiled.report.why_eager;
}

TEST(Compile, Sgd) { expect_replayed({}); }

TEST(Compile, Momentum) {
  expect_replayed({.model = [](LME& model) {
    model.optimizer = optim::SGD(model.parameters(), {.lr = 0.05, .momentum = 0.9});
  }});
}

TEST(Compile, AdamAndSchedulers) {
  expect_replayed({.model = [](LME& model) {
    model.optimizer = optim::Adam(model.parameters(), {.lr = 0.01});
    model.scheduler = {.scheduler = optim::StepLR(model.optimizer, {.step_size = 1, .gamma = 0.9}),
                       .interval = "step"};
  }});
}

TEST(Compile, ClippingByNorm) {
  expect_replayed({.trainer = [](TrainerOptions& o) { o.gradient_clip_val = 0.1; }});
}

TEST(Compile, ClippingByValue) {
  expect_replayed({.trainer = [](TrainerOptions& o) {
    o.gradient_clip_val = 0.01;
    o.gradient_clip_algorithm = "value";
  }});
}

TEST(Compile, AccumulatedGradients) {
  expect_replayed(
      {.trainer = [](TrainerOptions& o) { o.accumulate_grad_batches = 3; }, .epochs = 8});
}

TEST(Compile, Float64) {
  expect_replayed({.trainer = [](TrainerOptions& o) { o.precision = "64-true"; }});
}

TEST(Compile, WeightAveraging) {
  expect_replayed({.trainer = [](TrainerOptions& o) {
    o.callbacks.push_back(EMAWeightAveraging({.decay = 0.9}));
  }});
}

TEST(Compile, ResumedRunsGoOnWithTheSameBits) {
  const Scratch scratch(memory_dir());
  const std::string path = scratch / "middle.ckpt";
  Setting setting;
  setting.trainer = [&](TrainerOptions& o) {
    o.callbacks.push_back(
        LambdaCallback({.on_train_batch_end = [&](Trainer& trainer, LME&, const AlgorithmOutput*,
                                                  const data::Batch&, int64_t batch) {
          if (trainer.current_epoch() == 1 && batch == 5) trainer.save_checkpoint(path);
        }}));
  };
  const Result whole = trained(true, setting);
  Result resumed[2];
  for (const bool compile : {false, true}) {
    const Scratch other(memory_dir());
    Setting rest;
    std::filesystem::copy_file(path, other / "middle.ckpt");
    rest.ckpt_path = other / "middle.ckpt";
    resumed[compile] = trained(compile, rest);
  }
  Result expected = whole;
  for (Result* each : {&expected, &resumed[0], &resumed[1]}) each->parameters.pop_back();
  EXPECT_EQ(expected.parameters, resumed[0].parameters);
  EXPECT_EQ(expected.parameters, resumed[1].parameters);
}

TEST(Compile, SkippedBatchesAreNamed) {
  Setting setting;
  setting.trainer = [](TrainerOptions& o) { o.callbacks.clear(); };
  setting.model = [](LME& model) {
    model.model_algorithm =
        [calls = 0](LME& model,
                    const data::Batch& batch) mutable -> std::optional<AlgorithmOutput> {
      if (!model.is_training() || ++calls != 2) return plain_algorithm(model, batch);
      return std::nullopt;
    };
  };
  const Result plain = trained(false, setting), compiled = trained(true, setting);
  EXPECT_EQ(plain.parameters, compiled.parameters);
  EXPECT_EQ(plain.csv, compiled.csv);
  EXPECT_EQ(compiled.report.why_eager, "training: the algorithm skipped a batch\n");
}

TEST(Compile, HooksInsideTheStepAreNamed) {
  struct Inside : Callback {
    void on_after_backward(Trainer&, LME&) override { ++calls; }
    int calls = 0;
  };
  const auto inside = std::make_shared<Inside>();
  expect_eager({.trainer = [&](TrainerOptions& o) { o.callbacks.push_back(inside); }},
               "Inside::on_after_backward is called inside the step");
  EXPECT_EQ(inside->calls, 2 * 3 * 8);
  expect_eager({.trainer =
                    [&](TrainerOptions& o) {
                      o.callbacks.push_back(LambdaCallback(
                          {.on_before_backward = [](Trainer&, LME&, const Tensor&) {}}));
                    }},
               "LambdaCallback::on_before_backward is called inside the step");
}

TEST(Compile, TheModelsOwnHooksAreNamed) {
  struct Mine : LME {
    using LME::LME;
    void on_before_optimizer_step(optim::Optimizer&) override { ++calls; }
    int calls = 0;
  };
  const Scratch scratch(memory_dir());
  Mine model{nn::Linear(5, 10)};
  make_seed(model);
  TrainerOptions options = quiet(scratch.path(), 1);
  options.compile = true;
  Trainer trainer(options);
  trainer.fit(model, normal_loader(70, 5, 10));
  EXPECT_EQ(model.calls, 7);
  EXPECT_EQ(trainer.compiled().why_eager,
            "training: the model's on_before_optimizer_step is called inside the step\n");
}

TEST(Compile, ValuesReadInsideTheStepAreNamed) {
  expect_eager({.model =
                    [](LME& model) {
                      model.metrics = {
                          {"read",
                           {[](const Tensor& y, const Tensor&) { return full({}, y.sum().item()); },
                            "min"}}};
                    }},
               "");
}

TEST(Compile, LogsInsideTheStepAreNamed) {
  expect_eager({.model =
                    [](LME& model) {
                      model.model_algorithm = [](LME& model, const data::Batch& batch) {
                        model.trainer().log(model.is_training() ? "mean" : "val_mean",
                                            batch[0].mean());
                        return plain_algorithm(model, batch);
                      };
                    }},
               "Trainer::log is called inside");
}

TEST(Compile, AssignmentsInTheRunAreNamed) {
  struct Assigns : Callback {
    void on_train_batch_start(Trainer& trainer, LME& model, const data::Batch&,
                              int64_t batch) override {
      if (trainer.current_epoch() == 1 && batch == 4)
        model.criterion_fn = [](auto& y, auto& gt) { return (y - gt).abs().mean(); };
    }
  };
  expect_eager({.trainer = [](TrainerOptions& o) { o.callbacks.push_back(Assigns()); }},
               "model.criterion_fn was assigned during the run");
}

TEST(Compile, ProfilersAndAnomalyDetectionAreNamed) {
  expect_eager({.trainer = [](TrainerOptions& o) { o.detect_anomaly = true; }}, "detect_anomaly");
}

}  // namespace
}  // namespace levin

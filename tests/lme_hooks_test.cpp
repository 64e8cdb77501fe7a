// The order of hooks in fits, tests and predictions: that of the real LME.
#include <gtest/gtest.h>
#include <levin/levin.h>

#include <algorithm>
#include <fstream>

#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

using Lines = std::vector<std::string>;

#define LEVIN_EVALUATION_HOOKS(X, kind)                            \
  X(on_##kind##_start)                                             \
  X(on_##kind##_end)                                               \
  X(on_##kind##_epoch_start)                                       \
  X(on_##kind##_epoch_end)                                         \
  X(on_##kind##_batch_start, const data::Batch&, int64_t, int64_t) \
  X(on_##kind##_batch_end, const AlgorithmOutput*, const data::Batch&, int64_t, int64_t)

// The hooks that callbacks and models both have: X(name, arguments..).
#define LEVIN_HOOKS(X)                                                       \
  X(setup)                                                                   \
  X(teardown)                                                                \
  X(on_fit_start)                                                            \
  X(on_fit_end)                                                              \
  X(on_train_start)                                                          \
  X(on_train_end)                                                            \
  X(on_train_epoch_start)                                                    \
  X(on_train_epoch_end)                                                      \
  X(on_train_batch_end, const AlgorithmOutput*, const data::Batch&, int64_t) \
  LEVIN_EVALUATION_HOOKS(X, validation)                                      \
  LEVIN_EVALUATION_HOOKS(X, test)                                            \
  LEVIN_EVALUATION_HOOKS(X, predict)                                         \
  X(on_before_zero_grad, optim::Optimizer&)                                  \
  X(on_before_backward, const Tensor&)                                       \
  X(on_after_backward)                                                       \
  X(on_before_optimizer_step, optim::Optimizer&)                             \
  X(on_save_checkpoint, Value&)                                              \
  X(on_load_checkpoint, const Value&)

// Writes down its hooks, in the words of reference/lme/hooks.txt.
class Recorder : public Callback {
 public:
  explicit Recorder(std::shared_ptr<Lines> lines) : lines_(std::move(lines)) {}
#define LEVIN_HOOK(name, ...)                                     \
  void name(Trainer&, LME& __VA_OPT__(, ) __VA_ARGS__) override { \
    lines_->push_back("callback." #name);                         \
  }
  LEVIN_HOOKS(LEVIN_HOOK)
  LEVIN_HOOK(on_sanity_check_start)
  LEVIN_HOOK(on_sanity_check_end)
  LEVIN_HOOK(on_train_batch_start, const data::Batch&, int64_t)
#undef LEVIN_HOOK

 private:
  std::shared_ptr<Lines> lines_;
};

std::string step_name(const LME& model) {
  const Trainer& trainer = model.trainer();
  if (trainer.testing()) return "module.test_step";
  if (trainer.predicting()) return "module.predict_step";
  return model.is_training() ? "module.training_step" : "module.validation_step";
}

class RecordingModel : public LME {
 public:
  explicit RecordingModel(std::shared_ptr<Lines> lines) : LME(nn::Linear(5, 10)), lines_(lines) {
    make_seed(*this);
    model_algorithm = [lines](LME& model, const data::Batch& batch) {
      lines->push_back(step_name(model));
      return plain_algorithm(model, batch);
    };
    callbacks = {Recorder(lines)};
  }
#define LEVIN_HOOK(name, ...) \
  void name(__VA_ARGS__) override { lines_->push_back("module." #name); }
  LEVIN_HOOKS(LEVIN_HOOK)
  LEVIN_HOOK(configure_optimizers)
  int on_train_batch_start(const data::Batch&, int64_t) override {
    lines_->push_back("module.on_train_batch_start");
    return 0;
  }
#undef LEVIN_HOOK

 private:
  std::shared_ptr<Lines> lines_;
};
#undef LEVIN_HOOKS
#undef LEVIN_EVALUATION_HOOKS

// A section of hooks.txt, which the real LME wrote.
Lines of_lme(const std::string& title) {
  std::ifstream file(LEVIN_TEST_DIR "/reference/lme/hooks.txt");
  Lines lines;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("# ")) inside = line == "# " + title;
    if (inside && !line.empty() && line[0] != '#') lines.push_back(line);
  }
  return lines;
}

// on_before_zero_grad never fires in LME; it does here.
Lines without_zero_grad(const Lines& lines) {
  Lines result;
  for (const std::string& line : lines)
    if (line.find("on_before_zero_grad") == std::string::npos) result.push_back(line);
  return result;
}

class Hooks : public testing::Test {
 protected:
  // The hooks since the last call.
  Lines taken() {
    const Lines lines = without_zero_grad(*lines_);
    zero_grads_ = lines_->size() - lines.size();
    lines_->clear();
    return lines;
  }
  Trainer trainer(int64_t epochs) const { return Trainer(quiet(folder_.path(), epochs)); }

  Scratch folder_;
  std::shared_ptr<Lines> lines_ = std::make_shared<Lines>();
  RecordingModel model_{lines_};
  data::DataLoader loader_ = normal_loader(20, 5, 10);
  std::size_t zero_grads_ = 0;
};

TEST_F(Hooks, Fit) {
  trainer(1).fit(model_, loader_, loader_);
  EXPECT_EQ(taken(), of_lme("fit, 1 epoch of 2 batches, validation of 2 batches"));
  EXPECT_EQ(zero_grads_, 4);

  const std::string last = folder_ / "lightning_logs/version_0/checkpoints/last.ckpt";
  trainer(2).fit(model_, loader_, loader_, {.ckpt_path = last});
  EXPECT_EQ(taken(), of_lme("fit to 2 epochs from last.ckpt"));
}

TEST_F(Hooks, FitWithoutValidation) {
  trainer(1).fit(model_, loader_);
  EXPECT_EQ(taken(), of_lme("fit without validation"));
}

TEST_F(Hooks, Test) {
  trainer(1).test(model_, loader_, {.verbose = false});
  EXPECT_EQ(taken(), of_lme("test"));
}

TEST_F(Hooks, Predict) {
  trainer(1).predict(model_, loader_);
  EXPECT_EQ(taken(), of_lme("predict"));
}

// LME's own crashes: the hooks are those of a fit's validation.
TEST_F(Hooks, Validate) {
  trainer(1).validate(model_, loader_, {.verbose = false});
  const Lines fit = of_lme("fit, 1 epoch of 2 batches, validation of 2 batches");
  Lines expected = {"callback.setup", "module.setup"};
  const auto begin = std::find(fit.begin(), fit.end(), "callback.on_validation_start");
  expected.insert(expected.end(), begin, std::find(begin, fit.end(), "module.on_validation_end"));
  expected.insert(expected.end(),
                  {"module.on_validation_end", "callback.teardown", "module.teardown"});
  EXPECT_EQ(taken(), expected);
}

TEST_F(Hooks, NothingToDoIsNoError) {
  trainer(0).fit(model_, loader_, loader_);
  EXPECT_EQ(taken(), (Lines{"callback.setup", "module.setup", "module.configure_optimizers",
                            "callback.on_fit_start", "module.on_fit_start", "callback.on_fit_end",
                            "module.on_fit_end", "callback.teardown", "module.teardown"}));
}

}  // namespace
}  // namespace levin

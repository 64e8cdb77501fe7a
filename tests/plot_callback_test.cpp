// PlotCallbackGeneric and PlotCallback: which batches, and that nothing else changes.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "callback_run.h"

namespace levin {
namespace {

// What the function was called with.
struct Call {
  std::string out_dir;
  int64_t batch;
  bool operator==(const Call&) const = default;
};
using Calls = std::vector<Call>;

struct Fit {
  Scratch folder;
  LME model{nn::Linear(5, 10)};
  TrainerOptions options = quiet(folder.path(), 3);
  Calls calls;
  int64_t batch_idx = 0;

  Fit() {
    make_seed(model);
    options.enable_checkpointing = false;
  }
  // It must come before the callback that counts.
  AnyCallback counter() {
    LambdaHooks hooks;
    hooks.on_train_batch_start = [this](Trainer&, LME&, const data::Batch&, int64_t i) {
      batch_idx = i;
    };
    hooks.on_validation_batch_start = hooks.on_test_batch_start =
        [this](Trainer&, LME&, const data::Batch&, int64_t i, int64_t) { batch_idx = i; };
    return LambdaCallback(hooks);
  }
  AnyCallback plotter(const std::string& mode) {
    return PlotCallbackGeneric(
        [this](LME& model, const data::Batch& batch, const AlgorithmOutput& result,
               const std::string& out_dir) {
          EXPECT_EQ(result.y.tensor().shape()[0], batch[0].shape()[0]);
          EXPECT_FALSE(result.y.tensor().requires_grad());
          EXPECT_FALSE(model(batch[0]).requires_grad());
          const std::string log_dir = model.trainer().log_dir();
          EXPECT_TRUE(out_dir.starts_with(log_dir)) << out_dir;
          EXPECT_FALSE(std::filesystem::exists(out_dir));
          calls.push_back({out_dir.substr(log_dir.size()), batch_idx});
          randn({100});
        },
        mode);
  }
};

TEST(PlotCallback, TheFirstBatchOfEachStage) {
  Fit fit;
  fit.model.callbacks = {fit.counter(), fit.plotter("first")};
  fit.options.max_epochs = 2;
  const auto loader = normal_loader(40, 5, 10);
  Trainer trainer(fit.options);
  trainer.fit(fit.model, loader, {loader, loader});
  trainer.test(fit.model, loader, {.verbose = false});
  trainer.predict(fit.model, loader);
  EXPECT_EQ(fit.calls, (Calls{{"/pngs/validation/1", 0},  // sanity check
                              {"/pngs/train/1", 0},
                              {"/pngs/validation/1", 0},
                              {"/pngs/train/2", 0},
                              {"/pngs/validation/2", 0},
                              {"/pngs/test/3", 0}}));
}

TEST(PlotCallback, ARandomBatchIsTheProgramsSeedsAndTheEpochs) {
  Fit fit;
  fit.options.max_epochs = 12;
  const auto loader = normal_loader(100, 5, 10);
  std::vector<Calls> runs;
  for (const uint64_t seed : {1, 1, 2}) {
    manual_seed(seed);
    fit.calls.clear();
    fit.model.callbacks = {fit.counter(), fit.plotter("random")};
    Trainer(fit.options).fit(fit.model, loader, loader);
    runs.push_back(fit.calls);
  }
  EXPECT_EQ(runs[0], runs[1]);
  EXPECT_NE(runs[0], runs[2]);
  ASSERT_EQ(runs[0].size(), 25);
  EXPECT_EQ(runs[0][0], (Call{"/pngs/validation/1", 0}));  // sanity check
  std::set<int64_t> batches, val_batches;
  for (int epoch = 0; epoch < 12; ++epoch) {
    const std::string number = std::to_string(epoch + 1);
    EXPECT_EQ(runs[0][1 + 2 * epoch].out_dir, "/pngs/train/" + number);
    EXPECT_EQ(runs[0][2 + 2 * epoch].out_dir, "/pngs/validation/" + number);
    batches.insert(runs[0][1 + 2 * epoch].batch);
    val_batches.insert(runs[0][2 + 2 * epoch].batch);
  }
  EXPECT_GT(batches.size(), 4);
  EXPECT_GT(val_batches.size(), 4);
}

TEST(PlotCallback, ASkippedBatchIsFollowedByTheNext) {
  Fit fit;
  fit.model.callbacks = {fit.counter(), fit.plotter("first")};
  int calls = 0;
  fit.model.model_algorithm = [&](LME& model,
                                  const data::Batch& batch) -> std::optional<AlgorithmOutput> {
    if (calls++ % 4 < 2) return std::nullopt;
    return plain_algorithm(model, batch);
  };
  fit.options.max_epochs = 1;
  Trainer(fit.options).fit(fit.model, normal_loader(40, 5, 10));
  EXPECT_EQ(fit.calls, (Calls{{"/pngs/train/1", 2}}));
}

TEST(PlotCallback, OnceAnEpochAlsoWhereValidationRunsTwice) {
  Fit fit;
  fit.model.callbacks = {fit.counter(), fit.plotter("first")};
  fit.options.max_epochs = 1;
  fit.options.num_sanity_val_steps = 0;
  fit.options.val_check_interval = 0.5;
  const auto loader = normal_loader(40, 5, 10);
  Trainer(fit.options).fit(fit.model, loader, loader);
  EXPECT_EQ(fit.calls, (Calls{{"/pngs/train/1", 0}, {"/pngs/validation/1", 0}}));
}

TEST(PlotCallback, NamedBatchesGiveXAndGt) {
  struct Named : data::Dataset {
    int64_t size() const override { return 20; }
    data::Batch get(int64_t, Generator&) const override {
      return {{"data", randn({5})}, {"labels", randn({10})}};
    }
  };
  Fit fit;
  int calls = 0;
  const auto draw = [&](const Tensor& x, const Tensor& y, const Tensor& gt,
                        const std::string& out_dir, LME& model) {
    ++calls;
    EXPECT_EQ(x.shape(), (Shape{10, 5}));
    EXPECT_EQ(y.shape(), (Shape{10, 10}));
    EXPECT_EQ(gt.shape(), (Shape{10, 10}));
    EXPECT_EQ(out_dir, model.trainer().log_dir() + "/pngs/train/1");
  };
  fit.model.callbacks = {PlotCallback(draw)};
  fit.model.model_algorithm = feed_forward;
  fit.options.max_epochs = 1;
  Trainer(fit.options).fit(fit.model, {Named(), {.batch_size = 10}});
  EXPECT_EQ(calls, 1);
  fit.model.model_algorithm = plain_algorithm;
  EXPECT_THROW(Trainer(fit.options).fit(fit.model, normal_loader(20, 5, 10)), std::out_of_range);
}

TEST(PlotCallback, NeedsALogger) {
  Fit fit;
  fit.model.callbacks = {fit.plotter("first")};
  fit.options.logger = false;
  const auto loader = normal_loader(20, 5, 10);
  EXPECT_EQ(error_of<std::invalid_argument>([&] { Trainer(fit.options).fit(fit.model, loader); }),
            "PlotCallbackGeneric (callback): No lightning logger found. Cannot use "
            "PlotCallbackGeneric.");
  fit.options.fast_dev_run = 1;
  Trainer(fit.options).fit(fit.model, loader);
  EXPECT_TRUE(fit.calls.empty());
  EXPECT_THROW(fit.plotter("last"), std::invalid_argument);
  EXPECT_THROW(PlotCallbackGeneric(nullptr), std::invalid_argument);
  EXPECT_THROW(PlotCallback(nullptr), std::invalid_argument);
}

}  // namespace
}  // namespace levin

// What a resumed run's checkpoints know of those before: LME's tests, and what LME gets wrong.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <levin/train/console/log.h>
#include <stdlib.h>

#include <algorithm>

#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

namespace fs = std::filesystem;

// Gives 1, 2, 3, then 1, one for each epoch of its run.
struct EpikMetric : CoreMetric {
  explicit EpikMetric(LME& model) : CoreMetric(true), model(model) {}
  MetricResult forward(const Tensor&, const Tensor&) override { return 1.0; }
  void batch_update(const MetricResult&, double) override {
    if (first < 0) first = model.trainer().current_epoch();
  }
  Tensor epoch_result() override {
    const int64_t epochs = model.trainer().current_epoch() - first + 1;
    return tensor({epochs <= 3 ? static_cast<double>(epochs) : 1.0});
  }
  void reset() override {}
  std::shared_ptr<CoreMetric> clone() const override { return std::make_shared<EpikMetric>(model); }
  LME& model;
  int64_t first = -1;
};

struct Environment {
  Environment(const char* name, const char* value) : name(name) { setenv(name, value, 1); }
  ~Environment() { unsetenv(name); }
  const char* name;
};

std::vector<std::string> files_with(const std::string& folder, const std::string& part) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    if (const std::string name = entry.path().filename(); name.find(part) != std::string::npos)
      names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

struct Quietly {
  Quietly() {
    lines.clear();
    set_log_sink([](LogLevel, std::string_view line) { lines.emplace_back(line); });
  }
  ~Quietly() { set_log_sink(nullptr); }
  static inline std::vector<std::string> lines;
};

std::unique_ptr<LME> ready_model(bool epik = false) {
  auto model = std::make_unique<LME>(nn::Linear(5, 10));
  make_seed(*model);
  if (!epik) return model;
  model->metrics = {{"epik_metric", EpikMetric(*model)}};
  model->checkpoint_monitors = {"epik_metric", "loss"};
  return model;
}

data::DataLoader loader() { return normal_loader(30, 5, 10); }

TEST(PortFit, test_fit_twice_and_proper_resume_metrics_state) {
  const Environment full("LME_SAVE_WEIGHTS_ONLY_MONITOR_CKPTS", "0");
  const Environment scores("LME_LOAD_MODEL_CHECKPOINT_BEST_SCORES", "1");
  const Scratch folder;
  const auto model = ready_model(true);
  Trainer first(quiet(folder.path(), 5));
  first.fit(*model, loader(), loader());
  const std::string best = first.best_checkpoint()->best_model_path();
  EXPECT_EQ(fs::path(best).filename(), "epoch=2-val_epik_metric=3.000.ckpt");
  const auto other = ready_model(true);
  Trainer second(quiet(folder.path(), 5));
  second.fit(*other, loader(), loader(), {.ckpt_path = best});
  const std::string kept = folder / "lightning_logs/version_1/checkpoints";
  EXPECT_EQ(files_with(kept, "val_epik_metric"),
            std::vector<std::string>{"epoch=2-val_epik_metric=3.000.ckpt"});
  const ModelCheckpoint& checkpoint = *second.best_checkpoint();
  EXPECT_EQ(checkpoint.best_model_path(), kept + "/epoch=2-val_epik_metric=3.000.ckpt");
  EXPECT_EQ(checkpoint.best_model_score(), 3);
  EXPECT_EQ(checkpoint.kth_value(), 3);
  EXPECT_EQ(checkpoint.current_score(), 3);
  EXPECT_EQ(read_whole(checkpoint.best_model_path()), read_whole(best));
}

// Without the variable the best is only copied: the new run ranks anew, and says so.
TEST(ModelCheckpoint, WithoutBestScoresAResumedRunRanksAnew) {
  const Scratch folder;
  const auto model = ready_model(true);
  Trainer first(quiet(folder.path(), 3));
  first.fit(*model, loader(), loader());
  const std::string old = folder / "lightning_logs/version_0/checkpoints";
  const auto other = ready_model(true);
  Trainer second(quiet(folder.path(), 5));
  {
    const Quietly quietly;
    second.fit(*other, loader(), loader(), {.ckpt_path = old + "/last.ckpt"});
  }
  const std::string kept = folder / "lightning_logs/version_1/checkpoints";
  EXPECT_EQ(files_with(kept, "val_epik_metric"),
            (std::vector<std::string>{"epoch=2-val_epik_metric=3.000.ckpt",
                                      "epoch=4-val_epik_metric=2.000.ckpt"}));
  ASSERT_EQ(Quietly::lines.size(), 2u);  // of each that has something to lose
  EXPECT_EQ(Quietly::lines[0],
            "The dirpath has changed from '" + old + "' to '" + kept +
                "', therefore `best_model_score`, `kth_best_model_path`, `kth_value`, "
                "`last_model_path` and `best_k_models` won't be reloaded. Only `best_model_path` "
                "will be reloaded.");
}

// Files that are gone, or lie elsewhere, are left out; those that were read are not the new run's to
// overwrite.
TEST(ModelCheckpoint, OnlyFilesOfTheOldFolderAreTakenOver) {
  const Environment full("LME_SAVE_WEIGHTS_ONLY_MONITOR_CKPTS", "0");
  const Environment scores("LME_LOAD_MODEL_CHECKPOINT_BEST_SCORES", "1");
  const Scratch folder;
  const auto model = ready_model(true);
  Trainer(quiet(folder.path(), 3)).fit(*model, loader(), loader());
  const std::string old = folder / "lightning_logs/version_0/checkpoints/";
  Checkpoint last = load_checkpoint_file(old + "last.ckpt");
  write_whole(folder / "precious", "x");
  const std::string best = old + "epoch=2-val_epik_metric=3.000.ckpt";
  for (auto& [key, state] : last.state["callbacks"].as_map())
    if (key.find("epik") != std::string::npos)
      state["best_k_models"] = Value::Map{{folder / "precious", 9.0}};
  save_checkpoint_file(old + "changed.ckpt", last);
  const auto other = ready_model(true);
  Trainer second(quiet(folder.path(), 4));
  const Quietly quietly;
  second.fit(*other, loader(), loader(), {.ckpt_path = old + "changed.ckpt"});
  EXPECT_FALSE(fs::exists(folder / "lightning_logs/version_1/checkpoints/precious"));
  EXPECT_EQ(second.best_checkpoint()->best_model_score(), 1);
  ASSERT_GE(Quietly::lines.size(), 1u);
  EXPECT_EQ(Quietly::lines[0], "ModelCheckpoint: '" + (folder / "precious") +
                                   "' of the run before is not there any more");
}

TEST(Defects, Q12_BestCheckpointsAreKeptApartFromTheLastOneWithoutValidation) {
  const Scratch folder;
  const std::string dirpath = folder / "kept";
  const auto run = [&](int64_t epochs, const std::string& ckpt_path) {
    const auto model = ready_model();
    double loss = 1;
    model->criterion_fn = [&](const Tensor& y, const Tensor& gt) {
      return (y - gt).pow(2).mean() * loss;
    };
    CSVLoggerOptions version;
    version.version = 0;
    TrainerOptions options = quiet(folder.path(), epochs);
    options.logger = CSVLogger(folder.path(), version);
    if (epochs > 2) loss = 100;  // worse than all of before
    Trainer trainer(options);
    const Quietly quietly;
    trainer.fit(*model, loader(), {}, {.ckpt_path = ckpt_path});
    std::vector<std::string> keys;
    for (const AnyCallback& callback : trainer.callbacks())
      if (dynamic_cast<ModelCheckpoint*>(callback.get())) keys.push_back(callback->state_key());
    EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), 2u);
    return *trainer.best_checkpoint()->best_model_score();
  };
  const double best = run(2, "");
  const std::string checkpoints = folder / "lightning_logs/version_0/checkpoints";
  const auto before = files_with(checkpoints, "loss");
  EXPECT_EQ(run(4, checkpoints + "/last.ckpt"), best);
  EXPECT_EQ(files_with(checkpoints, "loss"), before);
}

TEST(Defects, Q30_BestScoresMayBeWantedFromWeightsAndInATest) {
  const Environment scores("LME_LOAD_MODEL_CHECKPOINT_BEST_SCORES", "1");
  const Scratch folder;
  const auto model = ready_model();
  Trainer trainer(quiet(folder.path(), 2));
  trainer.fit(*model, loader(), loader());
  const std::string best = trainer.best_checkpoint()->best_model_path();
  const std::string last = folder / "lightning_logs/version_0/checkpoints/last.ckpt";
  const auto other = ready_model();
  other->load_from_checkpoint(best);  // weights only
  for (const std::string& path : {best, last}) {
    Trainer tester(quiet(folder.path(), 1));
    EXPECT_EQ(tester.test(*other, loader(), {.ckpt_path = path, .verbose = false}).size(), 1u);
    EXPECT_FALSE(fs::exists(tester.log_dir() + "/checkpoints"));
  }
}

// What the fit's checkpoints know is still there after tests.
TEST(ModelCheckpoint, TheBestStaysKnownAfterATest) {
  const Scratch folder;
  const auto model = ready_model();
  Trainer trainer(quiet(folder.path(), 2));
  trainer.fit(*model, loader(), loader());
  const std::string best = trainer.best_checkpoint()->best_model_path();
  for (int i = 0; i < 2; ++i)
    trainer.test(*model, loader(), {.ckpt_path = "best", .verbose = false});
  EXPECT_EQ(trainer.ckpt_path(), best);
  EXPECT_EQ(trainer.best_checkpoint()->best_model_path(), best);
  EXPECT_EQ(model->checkpoint_callback().last_model_path(),
            folder / "lightning_logs/version_0/checkpoints/last.ckpt");
}

// test/integration/callbacks/test_i_checkpoint_callback.py
struct CheckpointCallback {
  CheckpointCallback() : model(nn::Sequential(nn::Linear(10, 2), nn::Linear(2, 3))) {
    model.model_algorithm = feed_forward;
    model.criterion_fn = [](auto& y, auto& gt) { return (y - gt).abs().mean(); };
    model.optimizer = optim::SGD(model.parameters(), {.lr = 0.01});
  }
  // The monitor before any fit (the error), after one without and after one with validation.
  std::vector<std::string> monitors() {
    std::vector<std::string> found = {
        error_of<std::logic_error>([&] { model.checkpoint_callback(); })};
    const auto data = normal_loader(10, 10, 3, {.batch_size = 1});
    Trainer without(quiet(folder.path(), 2)), with(quiet(folder.path(), 2));
    without.fit(model, data);
    found.push_back(model.checkpoint_callback().options().monitor);
    with.fit(model, data, data);
    found.push_back(model.checkpoint_callback().options().monitor);
    return found;
  }
  Scratch folder;
  LME model;
};
const std::string kNotAttached = "LME is not attached to a `Trainer`.";

TEST(PortCheckpointCallback, test_checkpoint_callback_basic) {
  CheckpointCallback test;
  test.model.checkpoint_monitors = {"loss"};
  EXPECT_EQ(test.monitors(), (std::vector<std::string>{kNotAttached, "loss", "val_loss"}));
}

TEST(PortCheckpointCallback, test_checkpoint_callback_checkpoint_monitors) {
  CheckpointCallback test;
  test.model.metrics = {{"epik_metric", EpikMetric(test.model)}};
  test.model.checkpoint_monitors = {"epik_metric", "loss"};
  test.model.callbacks = {PlotMetrics()};
  EXPECT_EQ(test.monitors(),
            (std::vector<std::string>{kNotAttached, "epik_metric", "val_epik_metric"}));
}

TEST(PortCheckpointCallback, test_checkpoint_callback_checkpoint_monitors_and_explicit_non_val) {
  CheckpointCallback test;
  test.model.metrics = {{"epik_metric", EpikMetric(test.model)}};
  test.model.checkpoint_monitors = {"epik_metric", "loss"};
  test.model.callbacks = {PlotMetrics(), ModelCheckpoint({.monitor = "epik_metric"})};
  EXPECT_EQ(test.monitors(),
            (std::vector<std::string>{kNotAttached, "epik_metric", "epik_metric"}));
}

}  // namespace
}  // namespace levin

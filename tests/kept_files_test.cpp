// ModelCheckpoint: the files on the disk, of this run and of others.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <levin/train/console/log.h>

#include <cmath>

#include "scripted_run.h"

namespace levin {
namespace {

TEST(ModelCheckpoint, EveryNEpochsIsForTheBestOnly) {
  ScriptedRun run;
  run.scores = {1, 2, 3, 4, 5};
  run.fit({.filename = "{epoch}",
           .monitor = "score",
           .save_last = true,
           .save_top_k = -1,
           .every_n_epochs = 2});
  EXPECT_EQ(run.files(), (Names{"epoch=1.ckpt", "epoch=3.ckpt", "last.ckpt"}));
  EXPECT_EQ(load_checkpoint_file(run.checkpoint->last_model_path()).state.at("epoch"), 4);
}

TEST(ModelCheckpoint, AnEpochWithoutAStepIsNotSaved) {
  ScriptedRun run;
  run.scores = {1, 2, 3, 4};
  run.skip_odd_epochs = true;
  run.fit({.filename = "{epoch}", .save_last = true, .save_top_k = -1});
  EXPECT_EQ(run.last_step, 4);
  EXPECT_EQ(run.files(), (Names{"epoch=0.ckpt", "epoch=2.ckpt", "last.ckpt"}));
  EXPECT_EQ(load_checkpoint_file(run.checkpoint->last_model_path()).state.at("epoch"), 2);
}

TEST(ModelCheckpoint, ForeignFilesStay) {
  ScriptedRun run;
  const std::string folder = run.folder / "lightning_logs/version_0/checkpoints/";
  fs::create_directories(folder);
  for (const char* name : {"last.ckpt", "epoch=0.ckpt", "epoch=1.ckpt", "epoch=1-v1.ckpt"})
    write_whole(folder + name, "foreign");
  run.scores = {2, 1};
  set_log_sink([](LogLevel, std::string_view) {});
  run.fit({.filename = "{epoch}", .monitor = "score", .save_last = true}, "", {.version = 0});
  set_log_sink(nullptr);
  EXPECT_EQ(run.best(), "epoch=1-v2.ckpt");
  EXPECT_EQ(run.files(), (Names{"last.ckpt", "last-v1.ckpt", "epoch=0.ckpt", "epoch=1.ckpt",
                                "epoch=1-v1.ckpt", "epoch=1-v2.ckpt"}));
  EXPECT_EQ(read_whole(folder + "last.ckpt"), "foreign");
  EXPECT_EQ(load_checkpoint_file(folder + "last-v1.ckpt").state.at("epoch"), 1);
}

TEST(ModelCheckpoint, AFileThatIsReplacedByItsOwnNameIsNoCollision) {
  ScriptedRun run;
  run.scores = {3, 2, 1};
  run.fit({.filename = "best", .monitor = "score"});
  EXPECT_EQ(run.files(), Names{"best.ckpt"});
  EXPECT_EQ(load_checkpoint_file(run.checkpoint->best_model_path()).state.at("epoch"), 2);
}

TEST(ModelCheckpoint, TheOldFileGoesOnceTheNewOneIsThere) {  // L8
  ScriptedRun run;
  run.scores = {2, 1};
  Names before;
  run.when_saving = [&](int64_t epoch) {
    if (epoch == 1) before = run.files();
  };
  run.fit({.filename = "{epoch}", .monitor = "score"});
  EXPECT_EQ(before, Names{"epoch=0.ckpt"});
  EXPECT_EQ(run.files(), Names{"epoch=1.ckpt"});

  run.when_saving = [](int64_t epoch) {
    if (epoch == 1) throw std::runtime_error("no");
  };
  EXPECT_EQ(
      error_of<std::runtime_error>([&] { run.fit({.filename = "{epoch}", .monitor = "score"}); }),
      "no");
  EXPECT_EQ(run.files(), Names{"epoch=0.ckpt"});
}

TEST(ModelCheckpoint, LastIsTheLatestAndLinkedWhereTheBestIsTheSame) {  // L9
  ScriptedRun run;
  run.scores = {2, 1};
  run.fit({.filename = "{epoch}", .monitor = "score", .save_last = true});
  const std::string best = run.checkpoint->best_model_path();
  const std::string last = run.checkpoint->last_model_path();
  EXPECT_TRUE(fs::equivalent(best, last));
  EXPECT_EQ(fs::hard_link_count(best), 2u);
  run.scores = {1, 2};
  run.fit({.filename = "{epoch}", .monitor = "score", .save_last = true});
  EXPECT_EQ(run.files(), (Names{"epoch=0.ckpt", "last.ckpt"}));
  EXPECT_EQ(load_checkpoint_file(run.checkpoint->best_model_path()).state.at("epoch"), 0);
  EXPECT_EQ(load_checkpoint_file(run.checkpoint->last_model_path()).state.at("epoch"), 1);
}

TEST(ModelCheckpoint, WeightsOnly) {
  ScriptedRun run;
  run.scores = {1};
  run.fit({.filename = "full", .monitor = "score"});
  const Checkpoint full = load_checkpoint_file(run.checkpoint->best_model_path());
  run.fit({.filename = "weights", .monitor = "score", .save_weights_only = true});
  const Checkpoint weights = load_checkpoint_file(run.checkpoint->best_model_path());
  EXPECT_NE(full.state.find("optimizer_states"), nullptr);
  for (const char* key : {"optimizer_states", "callbacks", "loops", "random_state"})
    EXPECT_EQ(weights.state.find(key), nullptr) << key;
  EXPECT_EQ(weights.state.at("epoch"), 0);
  EXPECT_EQ(weights.state.at("global_step"), 2);
  ASSERT_EQ(weights.tensors.size(), 2u);
  EXPECT_EQ(weights.with_prefix("state_dict.")[0].first, "weight");
}

TEST(ModelCheckpoint, AResumedRunInTheSameFolderGoesOnRanking) {
  ScriptedRun run;
  run.scores = {3, 1};
  const ModelCheckpointOptions options{
      .filename = "{epoch}", .monitor = "score", .save_last = true};
  run.fit(options, "", {.version = 0});
  const std::string last = run.checkpoint->last_model_path();
  run.scores = {3, 1, 2, 0.5};
  set_log_sink([](LogLevel, std::string_view) {});
  run.fit(options, last, {.version = 0});
  EXPECT_EQ(run.files(), (Names{"epoch=3.ckpt", "last.ckpt"}));
  EXPECT_EQ(run.checkpoint->best_model_score(), 0.5);
  // In another folder it only knows where the best was.
  run.scores.push_back(0.75);
  run.fit(options, last, {.version = 1});
  set_log_sink(nullptr);
  EXPECT_EQ(run.files(), (Names{"epoch=4.ckpt", "last.ckpt"}));
  EXPECT_EQ(files_in(run.folder / "lightning_logs/version_0/checkpoints"),
            (Names{"epoch=3.ckpt", "last.ckpt"}));
}

TEST(ModelCheckpoint, TheFileThatARunGoesOnFromStays) {
  ScriptedRun run;
  run.scores = {3};
  const ModelCheckpointOptions options{.filename = "{epoch}", .monitor = "score"};
  run.fit(options, "", {.version = 0});
  const std::string best = run.checkpoint->best_model_path();
  run.scores = {3, 2, 1};
  set_log_sink([](LogLevel, std::string_view) {});
  run.fit(options, best, {.version = 0});
  set_log_sink(nullptr);
  EXPECT_EQ(run.files(), (Names{"epoch=0.ckpt", "epoch=2.ckpt"}));
}

TEST(ModelCheckpoint, ACheckpointCannotMakeItRemoveFilesElsewhere) {
  ScriptedRun run;
  run.scores = {3};
  const ModelCheckpointOptions options{.filename = "{epoch}", .monitor = "score"};
  run.fit(options, "", {.version = 0});
  const std::string victim = run.folder / "precious", bad = run.folder / "bad.ckpt";
  write_whole(victim, "x");
  Checkpoint checkpoint = load_checkpoint_file(run.checkpoint->best_model_path());
  for (const std::string& path : {victim, run.checkpoint->dirpath() + "/../../../precious"}) {
    Value& state = checkpoint.state["callbacks"][run.checkpoint->state_key()];
    state["best_k_models"] = Value::Map{{path, 3}};
    save_checkpoint_file(bad, checkpoint);
    run.scores = {3, 2};
    set_log_sink([](LogLevel, std::string_view) {});
    run.fit(options, bad, {.version = 0});
    set_log_sink(nullptr);
    EXPECT_EQ(run.checkpoint->best_model_score(), 2);
    EXPECT_TRUE(fs::exists(victim));
  }
}

TEST(ModelCheckpoint, AnUnknownMonitorIsNamed) {
  static std::vector<std::string> lines;
  lines.clear();
  ScriptedRun run;
  run.scores = {1, 2};
  set_log_sink([](LogLevel, std::string_view line) { lines.emplace_back(line); });
  run.fit({.monitor = "x"});
  set_log_sink(nullptr);
  const auto problem = [](const std::string& metrics) {
    return "`ModelCheckpoint(monitor='x')` could not find the monitored key in the returned "
           "metrics: " +
           metrics + ". HINT: Did you call `log('x', value)` in the `LightningModule`?";
  };
  EXPECT_EQ(lines, std::vector<std::string>{problem("['loss', 'score']")});
  EXPECT_EQ(run.files(), Names());
  run.validates = true;  // once validation has run it must be there
  EXPECT_EQ(error_of<std::invalid_argument>([&] { run.fit({.monitor = "x"}); }),
            "ModelCheckpoint (callback): " + problem("['loss', 'val_loss', 'score', 'val_score']"));
}

TEST(ModelCheckpoint, SaysWhatItDoes) {
  static std::vector<std::string> lines;
  lines.clear();
  ScriptedRun run;
  run.scores = {1.191999, 2, NAN};
  set_log_sink([](LogLevel, std::string_view line) { lines.emplace_back(line); });
  run.fit({.filename = "{epoch}", .monitor = "score", .verbose = true});
  set_log_sink(nullptr);
  const std::string path = run.checkpoint->best_model_path();
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "Epoch 0, global step 2: 'score' reached 1.19200 (best 1.19200), saving "
                       "model to '" +
                           path + "' as top 1",
                       "Epoch 1, global step 4: 'score' was not in top 1",
                       "Epoch 2, global step 6: 'score' was not in top 1"}));
}

TEST(ModelCheckpoint, AFolderThatCannotBeMadeIsNamed) {
  ScriptedRun run;
  run.scores = {1};
  write_whole(run.folder / "file", "x");
  const std::string error = error_of<std::runtime_error>(
      [&] { run.fit({.dirpath = run.folder / "file/x", .monitor = "score"}); });
  EXPECT_NE(error.find("ModelCheckpoint: the folder '" + (run.folder / "file/x") +
                       "' cannot be made: Not a directory"),
            std::string::npos)
      << error;
}

}  // namespace
}  // namespace levin

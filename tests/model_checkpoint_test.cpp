// ModelCheckpoint: names, and which epochs are kept.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/train/console/log.h>

#include <cmath>

#include "scripted_run.h"

namespace levin {
namespace {

TEST(ModelCheckpoint, NamesComeFromThePattern) {
  const auto name = [](const std::string& pattern, bool with_name = true, double score = 1.23456) {
    ScriptedRun run;
    run.scores = {score};
    run.fit({.filename = pattern, .monitor = "score", .auto_insert_metric_name = with_name});
    return *run.files().begin();
  };
  EXPECT_EQ(name(""), "epoch=0-step=2.ckpt");
  EXPECT_EQ(name("{epoch}-{score:.3f}"), "epoch=0-score=1.235.ckpt");
  EXPECT_EQ(name("{epoch}-{score:.3f}", false), "0-1.235.ckpt");
  EXPECT_EQ(name("a-{epoch:02d}_{step:d}-b"), "a-epoch=00_step=2-b.ckpt");
  EXPECT_EQ(name("{epoch}-{unknown:.2f}{other}"), "epoch=0-unknown=0.00other=0.0.ckpt");
  EXPECT_EQ(name("{score}", true, 0.5), "score=0.5.ckpt");
  EXPECT_EQ(name("{score:.3f}", true, NAN), "score=nan.ckpt");
  EXPECT_EQ(name("{score:.3f}", true, -INFINITY), "score=-inf.ckpt");
  EXPECT_EQ(name("no field"), "no field.ckpt");
  EXPECT_EQ(name("half {epoch"), "half {epoch.ckpt");
  // Digits of the float32 value: 0.1f is above 0.1.
  EXPECT_EQ(name("{score:.10f}", true, 0.1f), "score=0.1000000015.ckpt");
  EXPECT_EQ(name("{score:.10f}", true, 0.1), "score=0.1000000015.ckpt");
}

TEST(ModelCheckpoint, ANameMayHoldFolders) {
  ScriptedRun run;
  run.scores = {1, 2};
  run.fit({.filename = "deep/{epoch}", .monitor = "score", .mode = "max"});
  EXPECT_EQ(run.files(), Names{"deep"});
  EXPECT_EQ(files_in(run.checkpoint->dirpath() + "/deep"), Names{"epoch=1.ckpt"});
}

TEST(ModelCheckpoint, OptionsThatMeanNothingAreRefused) {
  const auto error = [](ModelCheckpointOptions options) {
    return error_of<std::invalid_argument>([&] { ModelCheckpoint{std::move(options)}; });
  };
  EXPECT_EQ(error({.save_top_k = -2}), "Invalid value for save_top_k=-2. Must be >= -1");
  EXPECT_EQ(error({.save_top_k = 3}),
            "ModelCheckpoint(save_top_k=3, monitor=None) is not a valid configuration. No quantity "
            "for top_k to track.");
  EXPECT_EQ(error({.mode = "x"}), "`mode` can be min, max but got x");
  EXPECT_EQ(error({.every_n_train_steps = -1}),
            "Invalid value for every_n_train_steps=-1. Must be >= 0");
  EXPECT_EQ(error({.every_n_epochs = -1}), "Invalid value for every_n_epochs=-1. Must be >= 0");
  EXPECT_EQ(error({.train_time_interval = std::chrono::seconds(-1)}),
            "Invalid value for train_time_interval=-1 day, 23:59:59. Must be >= 0");
  const std::string combined = "Combination of parameters every_n_train_steps=";
  EXPECT_EQ(error({.every_n_train_steps = 2, .every_n_epochs = 1}),
            combined +
                "2, every_n_epochs=1 and train_time_interval=None should be mutually "
                "exclusive.");
  EXPECT_EQ(error({.train_time_interval = std::chrono::minutes(90), .every_n_epochs = 1}),
            combined +
                "0, every_n_epochs=1 and train_time_interval=1:30:00 should be mutually "
                "exclusive.");
  EXPECT_EQ(error_of<std::invalid_argument>([] { ModelCheckpoint({.save_last = "links"}); }),
            "ModelCheckpoint: save_last 'links': true, false or \"link\" is needed");
  for (const char* format : {".3g", "f", ".f", "..3f", ".-3f", ".99f", "3f", "d", "%d"})
    EXPECT_NE(error({.filename = std::string("{loss:") + format + "}"}), "") << format;
  for (const char* format : {"2d", "0d", "0xd", "s"})
    EXPECT_NE(error({.filename = std::string("{epoch:") + format + "}"}), "") << format;
  EXPECT_EQ(error({.save_top_k = -1}), "");
}

TEST(ModelCheckpoint, TheBestIsKept) {
  ScriptedRun run;
  run.scores = {3, 1, 2, 0.5, 0.5, 0.75};  // of a tie the earlier one stays
  run.fit({.filename = "{epoch}", .monitor = "score"});
  EXPECT_EQ(run.files(), Names{"epoch=3.ckpt"});
  EXPECT_EQ(run.best(), "epoch=3.ckpt");
  EXPECT_EQ(run.checkpoint->best_model_score(), 0.5);
  EXPECT_EQ(run.checkpoint->last_model_path(), "");
  run.fit({.filename = "{epoch}", .monitor = "score", .mode = "max"});
  EXPECT_EQ(run.files(), Names{"epoch=0.ckpt"});
}

TEST(ModelCheckpoint, TheBestTwoAreKept) {
  ScriptedRun run;
  run.scores = {3, 1, 2, 1, 5, 0.5};
  run.fit({.filename = "{epoch}", .monitor = "score", .save_top_k = 2});
  EXPECT_EQ(run.files(), (Names{"epoch=1.ckpt", "epoch=5.ckpt"}));
  const auto& kept = run.checkpoint->best_k_models();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_TRUE(kept[0].first.ends_with("epoch=5.ckpt"));
  EXPECT_EQ(kept[0].second, 0.5);
  EXPECT_EQ(kept[1].second, 1);
}

TEST(ModelCheckpoint, AllOrNoneAreKept) {
  ScriptedRun run;
  run.scores = {1, 2, 3};
  run.fit({.filename = "{epoch}", .monitor = "score", .save_top_k = -1});
  EXPECT_EQ(run.files(), (Names{"epoch=0.ckpt", "epoch=1.ckpt", "epoch=2.ckpt"}));
  EXPECT_EQ(run.best(), "epoch=0.ckpt");
  run.fit({.monitor = "score", .save_top_k = 0});
  EXPECT_EQ(run.files(), Names());
  EXPECT_EQ(run.checkpoint->best_model_path(), "");
}

TEST(ModelCheckpoint, WithoutAMonitorTheNewestIsKept) {
  ScriptedRun run;
  run.scores = {1, 2, 3};
  run.fit({.filename = "{epoch}"});
  EXPECT_EQ(run.files(), Names{"epoch=2.ckpt"});
  EXPECT_EQ(run.best(), "epoch=2.ckpt");
  EXPECT_EQ(run.checkpoint->best_model_score(), std::nullopt);
}

TEST(ModelCheckpoint, NaNIsNeverBetter) {
  for (const std::string mode : {"min", "max"}) {
    ScriptedRun run;
    run.scores = {NAN, NAN, 7, NAN, mode == "min" ? 8.0 : 6.0};
    run.fit({.filename = "{epoch}", .monitor = "score", .save_top_k = 1, .mode = mode});
    EXPECT_EQ(run.files(), Names{"epoch=2.ckpt"});
    EXPECT_EQ(run.checkpoint->best_model_score(), 7);
    // While fewer than k are there, anything is kept.
    run.fit({.filename = "{epoch}-{score:.1f}", .monitor = "score", .save_top_k = 4, .mode = mode});
    EXPECT_EQ(run.files().size(), 4u);
    EXPECT_TRUE(run.files().contains("epoch=0-score=nan.ckpt"));
    EXPECT_FALSE(run.files().contains("epoch=3-score=nan.ckpt"));
    EXPECT_EQ(std::abs(run.checkpoint->best_k_models()[3].second), INFINITY);
    EXPECT_EQ(run.best(), "epoch=2-score=7.0.ckpt");
  }
}

}  // namespace
}  // namespace levin

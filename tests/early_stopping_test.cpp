// EarlyStopping: when a fit ends, what is said, what a resumed run knows.
#include <gtest/gtest.h>

#include <cmath>

#include "callback_run.h"

namespace levin {
namespace {

// Epochs that a fit takes whose score has these values.
int64_t epochs(const std::vector<double>& scores, EarlyStoppingOptions options) {
  ScriptedFit run(scores);
  if (options.monitor.empty()) options.monitor = "score";
  run.fit({EarlyStopping(options)}, run.options(static_cast<int64_t>(scores.size())));
  return run.trainer->current_epoch();
}

TEST(EarlyStopping, StopsAfterPatienceChecksWithoutImprovement) {
  EXPECT_EQ(epochs({3, 2, 1, 1, 1, 1, 1}, {}), 6);
  EXPECT_EQ(epochs({3, 2, 2.5, 1, 1.5, 1.2, 1.1, 0}, {}), 7);
  EXPECT_EQ(epochs({3, 2, 2, 1}, {.patience = 1}), 3);
  EXPECT_EQ(epochs({1, 2, 2, 3}, {.patience = 1, .mode = "max"}), 3);
  EXPECT_EQ(epochs({3, 2, 1, 0}, {}), 4);
}

TEST(EarlyStopping, MinDeltaHasTheSignOfAnImprovement) {
  EXPECT_EQ(EarlyStopping({.monitor = "loss", .min_delta = 0.1}).min_delta(), -0.1);
  EXPECT_EQ(EarlyStopping({.monitor = "loss", .min_delta = 0.1, .mode = "max"}).min_delta(), 0.1);
  // Strictly more than 0.5 is an improvement.
  EXPECT_EQ(epochs({3, 2.5, 2}, {.min_delta = 0.5, .patience = 1}), 2);
  EXPECT_EQ(epochs({3, 2.25, 2}, {.min_delta = 0.5, .patience = 1}), 3);
  EXPECT_EQ(epochs({3, 3.5, 4}, {.min_delta = 0.5, .patience = 1, .mode = "max"}), 2);
  EXPECT_EQ(epochs({3, 3.75, 5}, {.min_delta = 0.5, .patience = 1, .mode = "max"}), 3);
}

TEST(EarlyStopping, ThresholdsStopAtOnce) {
  EXPECT_EQ(epochs({3, 1, 0.5, 0.4, 0.3}, {.stopping_threshold = 0.5}), 4);
  EXPECT_EQ(epochs({1, 2, 3}, {.mode = "max", .stopping_threshold = 1.5}), 2);
  EXPECT_EQ(epochs({3, 9, 10, 2}, {.divergence_threshold = 9}), 3);
  EXPECT_EQ(epochs({3, 0, -1, 2}, {.mode = "max", .divergence_threshold = 0}), 3);
}

TEST(EarlyStopping, NaNIsNeverBest) {  // L13
  EXPECT_EQ(epochs({3, NAN, 1}, {}), 2);
  EXPECT_EQ(epochs({3, -INFINITY, 1}, {}), 2);
  ScriptedFit run({3, NAN, 2, NAN, NAN, NAN, 1});
  const auto stop = std::make_shared<EarlyStopping>(
      EarlyStoppingOptions{.monitor = "score", .check_finite = false});
  run.fit({stop}, run.options(7));
  EXPECT_EQ(run.trainer->current_epoch(), 6);
  EXPECT_EQ(stop->best_score(), 2);
  EXPECT_EQ(stop->stopped_epoch(), 5);
}

TEST(EarlyStopping, SaysWhatItDoes) {
  const auto said = [&](const std::vector<double>& scores, EarlyStoppingOptions options) {
    options.verbose = true;
    const LogLines lines;
    epochs(scores, options);
    return lines.with(" score ");
  };
  using Lines = std::vector<std::string>;
  EXPECT_EQ(said({3, 2.25, 2.25}, {.patience = 1}),
            (Lines{"Metric score improved. New best score: 3.000",
                   "Metric score improved by 0.750 >= min_delta = 0.0. New best score: 2.250",
                   "Monitored metric score did not improve in the last 1 records. Best score: "
                   "2.250. Signaling Trainer to stop."}));
  EXPECT_EQ(said({3, 2}, {.min_delta = 0.1})[1],
            "Metric score improved by 1.000 >= min_delta = 0.1. New best score: 2.000");
  EXPECT_EQ(said({NAN}, {}),
            (Lines{"Monitored metric score = nan is not finite. Previous best value was inf. "
                   "Signaling Trainer to stop."}));
  EXPECT_EQ(said({0.5}, {.stopping_threshold = 1}),
            (Lines{"Stopping threshold reached: score = 0.5 < 1.0. Signaling Trainer to stop."}));
  EXPECT_EQ(said({2}, {.divergence_threshold = 1}),
            (Lines{"Divergence threshold reached: score = 2.0 > 1.0. Signaling Trainer to stop."}));
  EXPECT_EQ(said({0.5}, {.mode = "max", .divergence_threshold = 1}),
            (Lines{"Divergence threshold reached: score = 0.5 < 1.0. Signaling Trainer to stop."}));
}

TEST(EarlyStopping, AnUnknownMonitorIsNamed) {
  ScriptedFit run({1, 1});
  run.validates = false;
  EXPECT_EQ(error_of<std::logic_error>(
                [&] { run.fit({EarlyStopping({.monitor = "x"})}, run.options(2)); }),
            "EarlyStopping (callback): Early stopping conditioned on metric `x` which is not "
            "available. Pass in or modify your `EarlyStopping` callback to use any of the "
            "following: `loss`, `score`");
  const LogLines lines;
  run.fit({EarlyStopping({.monitor = "x", .verbose = true, .strict = false})}, run.options(2));
  EXPECT_EQ(run.trainer->current_epoch(), 2);
  EXPECT_EQ(lines.with("Early stopping conditioned on metric `x`").size(), 1);
}

TEST(EarlyStopping, OptionsThatMeanNothingAreRefused) {
  EXPECT_EQ(
      error_of<std::invalid_argument>([] { EarlyStopping({.monitor = "loss", .mode = "best"}); }),
      "`mode` can be min, max, got best");
  EXPECT_THROW(EarlyStopping({}), std::invalid_argument);
  EXPECT_THROW(EarlyStopping({.monitor = "loss", .min_delta = -1}), std::invalid_argument);
  EXPECT_THROW(EarlyStopping({.monitor = "loss", .min_delta = NAN}), std::invalid_argument);
  EXPECT_THROW(EarlyStopping({.monitor = "loss", .patience = -1}), std::invalid_argument);
}

TEST(EarlyStopping, MinEpochsPutsAStopOffAndThenItIsDecidedAnew) {  // L22
  ScriptedFit run({3, 3, 3, 2, 3, 3, 3, 3});
  TrainerOptions options = run.options(8);
  options.min_epochs = 4;
  const LogLines lines;
  run.fit({EarlyStopping({.monitor = "score", .patience = 2})}, options);
  EXPECT_EQ(run.trainer->current_epoch(), 6);  // the improvement of epoch 3 counts
  EXPECT_EQ(lines.with("Training will continue").size(), 1);
}

TEST(EarlyStopping, AStoppedRunThatIsResumedTrainsNoMore) {  // L22
  ScriptedFit run({3, 2, 2, 2, 2, 2, 2, 2});
  const auto stop = EarlyStopping({.monitor = "score", .patience = 2});
  run.fit({stop}, run.writing(8));
  EXPECT_EQ(run.trainer->current_epoch(), 4);
  const auto resumed = std::make_shared<EarlyStopping>(stop.options());
  run.fit({resumed}, run.writing(8), run.last());
  EXPECT_EQ(run.trainer->current_epoch(), 4);
  EXPECT_EQ(run.trainer->global_step(), 16);
  EXPECT_EQ(resumed->stopped_epoch(), 3);
  EXPECT_EQ(resumed->wait_count(), 2);
  EXPECT_EQ(resumed->best_score(), 2);
}

TEST(EarlyStopping, AResumedRunGoesOnWaiting) {  // L22
  ScriptedFit run({3, 2, 2, 2, 2, 2, 2, 2});
  run.fit({EarlyStopping({.monitor = "score"})}, run.writing(4));
  EXPECT_EQ(run.trainer->current_epoch(), 4);
  run.fit({EarlyStopping({.monitor = "score"})}, run.writing(8), run.last());
  EXPECT_EQ(run.trainer->current_epoch(), 5);
}

TEST(EarlyStopping, EachFitBeginsAnew) {
  ScriptedFit run({1, 2, 2, 2});
  const auto stop =
      std::make_shared<EarlyStopping>(EarlyStoppingOptions{.monitor = "score", .patience = 2});
  run.fit({stop}, run.options(4));
  EXPECT_EQ(run.trainer->current_epoch(), 3);
  run.scores = {3, 2, 1, 0};
  run.fit({stop}, run.options(4));
  EXPECT_EQ(run.trainer->current_epoch(), 4);
  EXPECT_EQ(stop->best_score(), 0);
  EXPECT_EQ(stop->stopped_epoch(), 0);
}

TEST(EarlyStopping, ChecksAfterEveryValidationWhereThatIsNotOnceAnEpoch) {
  ScriptedFit run(std::vector<double>(6, 7));
  run.val_scores = {9, 3, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1};  // two an epoch
  TrainerOptions options = run.options(6);
  options.val_check_interval = 0.5;
  run.fit({EarlyStopping({.monitor = "val_score", .patience = 2})}, options);
  EXPECT_EQ(run.validations, 5);
  EXPECT_EQ(run.trainer->batches_done(), 10);  // in the middle of the third epoch
}

TEST(EarlyStopping, ChecksEpochsWhereAskedTo) {
  ScriptedFit run({1, 1, 1, 1, 1, 1});
  TrainerOptions options = run.options(6);
  options.check_val_every_n_epoch = 3;
  run.fit({EarlyStopping({.monitor = "score", .patience = 2, .check_on_train_epoch_end = true})},
          options);
  EXPECT_EQ(run.trainer->current_epoch(), 3);
  // An epoch without validation says nothing of its metrics: only epochs 2 and 5 are looked at.
  const LogLines lines;
  run.fit(
      {EarlyStopping({.monitor = "val_score", .patience = 1, .check_on_train_epoch_end = true})},
      options);
  EXPECT_EQ(run.trainer->current_epoch(), 6);
}

TEST(EarlyStopping, IsOffInFastDevRun) {
  ScriptedFit run({1});
  TrainerOptions options = run.options(1);
  options.fast_dev_run = 1;
  run.fit({EarlyStopping({.monitor = "x"})}, options);
}

TEST(EarlyStopping, IsOffInSanityChecksAndEvaluations) {
  ScriptedFit run({1, 1, 1});
  const auto stop = std::make_shared<EarlyStopping>(
      EarlyStoppingOptions{.monitor = "mine", .check_on_train_epoch_end = false});
  const auto mine = LambdaCallback(
      {.on_train_epoch_start = [](Trainer& trainer, LME&) { trainer.log("mine", 1.0); }});
  run.fit({mine, stop}, run.options(2));  // the sanity check does not know it
  EXPECT_EQ(stop->wait_count(), 1);
  run.trainer->validate(*run.model, normal_loader(8, 2, 1), {.verbose = false});
  EXPECT_EQ(stop->wait_count(), 1);
}

}  // namespace
}  // namespace levin

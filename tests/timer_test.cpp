// Timer, and the trainer's max_time.
#include <gtest/gtest.h>

#include <thread>

#include "callback_run.h"

namespace levin {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Each batch takes a while.
struct Slow : Callback {
  void on_train_batch_start(Trainer&, LME&, const data::Batch&, int64_t) override {
    std::this_thread::sleep_for(milliseconds(5));
  }
};

struct Endless : ScriptedFit {
  Endless() : ScriptedFit(std::vector<double>(1000, 1)) {}
};

TEST(Timer, StopsWhenTheTimeIsUp) {
  Endless run;
  const auto timer = std::make_shared<Timer>(milliseconds(12));
  const LogLines lines;
  run.fit({Slow(), timer}, run.options(1000));
  EXPECT_EQ(run.trainer->current_epoch(), 1);
  EXPECT_LE(run.trainer->batches_done(), 3);  // in the middle of the epoch
  EXPECT_EQ(run.validations, 1);              // which ended with all that belongs to it
  EXPECT_TRUE(run.trainer->callback_metric("val_score"));
  EXPECT_EQ(lines.with("Time limit"),
            (std::vector<std::string>{
                "Time limit reached. Elapsed time is 0:00:00. Signaling Trainer to stop."}));
  EXPECT_GE(timer->time_elapsed(), 0.012);
  EXPECT_LE(*timer->time_remaining(), 0);
  EXPECT_NEAR(*timer->end_time() - *timer->start_time(), timer->time_elapsed(), 1e-9);
  EXPECT_GT(timer->time_elapsed("validate"), 0);
  EXPECT_EQ(timer->time_elapsed("test"), 0);
}

TEST(Timer, LooksAfterEpochsWhereAskedTo) {
  Endless run;
  const LogLines lines;
  run.fit({Slow(), Timer(milliseconds(7), {.interval = "epoch", .verbose = false})},
          run.options(1000));
  EXPECT_EQ(run.trainer->current_epoch(), 1);
  EXPECT_EQ(run.trainer->batches_done(), 4);
  EXPECT_TRUE(lines.with("Time limit").empty());
}

TEST(Timer, MaxTimeAddsOne) {
  Endless run;
  TrainerOptions options = run.options(1000);
  options.max_epochs = {};
  options.max_time = milliseconds(12);
  const LogLines lines;
  run.fit({Slow()}, options);
  EXPECT_EQ(run.trainer->max_epochs(), -1);
  EXPECT_LE(run.trainer->batches_done(), 3);
  EXPECT_EQ(run.trainer->callbacks_of<Timer>().size(), 1);
  // A timer of one's own is the one that counts.
  options.max_time = hours(1);
  run.fit({Slow(), Timer(milliseconds(2))}, options);
  EXPECT_EQ(run.trainer->callbacks_of<Timer>().size(), 1);
  EXPECT_LE(run.trainer->batches_done(), 1);
}

TEST(Timer, ItsTimeGoesOnInAResumedRun) {
  Endless run;
  const LogLines lines;
  run.fit({Slow(), Timer(milliseconds(12))}, run.writing(1000));
  const std::string last = run.last();
  const int64_t batches = run.trainer->batches_done();
  const auto timer = std::make_shared<Timer>(milliseconds(12));
  run.fit({Slow(), timer}, run.writing(1000), last);  // no time is left
  EXPECT_EQ(run.trainer->batches_done(), batches);
  EXPECT_GE(timer->time_elapsed(), 0.012);
  const auto longer = std::make_shared<Timer>(hours(1));
  run.fit({Slow(), longer}, run.writing(3), last);  // there is now
  EXPECT_EQ(run.trainer->current_epoch(), 3);
  EXPECT_GE(longer->time_elapsed() - (*longer->end_time() - *longer->start_time()), 0.012);
  run.fit({Slow(), longer}, run.writing(0));  // a fit of its own knows nothing of that
  EXPECT_EQ(longer->time_elapsed(), 0);
}

TEST(Timer, MoreTimeIsNoReasonToGoOnAfterEarlyStopping) {
  Endless run;
  const auto stop = EarlyStopping({.monitor = "score", .patience = 1});
  const LogLines lines;
  TrainerOptions options = run.writing(9);
  options.min_epochs = 2;
  run.fit({Timer(seconds(0)), stop}, options);
  EXPECT_EQ(lines.with("Time limit").size(), 1);
  EXPECT_EQ(run.trainer->current_epoch(), 2);  // both wanted it
  run.fit({Timer(hours(1)), stop}, run.writing(9), run.last());
  EXPECT_EQ(run.trainer->current_epoch(), 2);
}

TEST(Timer, OnlyMeasuresWithoutADuration) {
  Endless run;
  const auto timer = std::make_shared<Timer>();
  EXPECT_FALSE(timer->start_time());
  run.fit({timer}, run.options(2));
  EXPECT_EQ(run.trainer->current_epoch(), 2);
  EXPECT_FALSE(timer->time_remaining());
  EXPECT_GT(timer->time_elapsed(), 0);
  const double first = *timer->start_time();
  run.fit({timer}, run.options(1));
  EXPECT_GT(*timer->start_time(), first);
  EXPECT_GT(timer->time_elapsed(), 0);
}

TEST(Timer, WhatMeansNothingIsRefused) {
  EXPECT_EQ(error_of<std::invalid_argument>([] { Timer("x"); }),
            "`Timer(duration='x')` is not a valid duration. Expected a string in the format "
            "DD:HH:MM:SS.");
  EXPECT_EQ(*Timer("01:02:03:04").time_remaining(), 93784);
  EXPECT_THROW(Timer(hours(1), {.interval = "day"}), std::invalid_argument);
  EXPECT_THROW(Timer().time_elapsed("lunch"), std::invalid_argument);
}

}  // namespace
}  // namespace levin

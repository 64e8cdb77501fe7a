// SimpleProfiler. The reports were made by Lightning 2.5.2's own code.
#include <gtest/gtest.h>
#include <levin/tensor/file.h>
#include <levin/train/console/log.h>
#include <levin/train/console/profiler.h>

#include <filesystem>
#include <thread>

#include "scratch.h"

namespace levin {
namespace {

const std::vector<ProfiledAction> kActions = {
    {"run_training_epoch", 2, 1},
    {"never", 0, 0},
    {"[Callback]PlotMetrics.on_train_epoch_start", 1, 1e-5},
    {"x", 1, 12345}};

TEST(ProfilerReport, IsLightnings) {
  const std::string rule(146, '-');
  const auto row = [](std::string action, const char* cells) {
    action.resize(42, ' ');
    return "\n|  " + action + cells;
  };
  EXPECT_EQ(profiler_report("fit", kActions, 12346.5),
            "FIT Profiler Report\n\n" + rule +
                row("Action",
                    "\t|  Mean duration (s)\t|  Num calls      \t|  Total time (s) "
                    "\t|  Percentage %   \t|\n") +
                rule +
                row("Total",
                    "\t|  -              \t|  4              \t|  1.2346e+04     "
                    "\t|  100 %          \t|\n") +
                rule +
                row("x",
                    "\t|  1.2345e+04     \t|  1              \t|  1.2345e+04     "
                    "\t|  99.988         \t|") +
                row("run_training_epoch",
                    "\t|  0.5            \t|  2              \t|  1.0     "
                    "       \t|  0.0080995      \t|") +
                row("[Callback]PlotMetrics.on_train_epoch_start",
                    "\t|  1e-05          \t|  1              \t|  1e-05          "
                    "\t|  8.0995e-08     \t|\n") +
                rule + "\n");
}

TEST(ProfilerReport, MayBeShort) {
  const std::string text = profiler_report("", kActions, 12346.5, false);
  EXPECT_TRUE(text.starts_with("Profiler Report\n\n---")) << text;
  EXPECT_NE(
      text.find("\n|  run_training_epoch                        \t|  0.5            \t|  1.0    "
                "        \t|\n"),
      std::string::npos)
      << text;
  EXPECT_EQ(text.find("calls"), std::string::npos);
  EXPECT_EQ(profiler_report("test", {}, 1), "TEST Profiler Report\n\n");
}

TEST(ProfilerReport, NumbersAreThoseOfPython) {
  const std::pair<double, const char*> cases[] = {
      {1, "1.0"},         {12345, "1.2345e+04"}, {1234.5, "1234.5"}, {9999.96, "1e+04"},
      {99999.6, "1e+05"}, {0.0001, "0.0001"},    {1e-7, "1e-07"},    {123456789, "1.2346e+08"},
      {0.5, "0.5"},       {100, "100.0"},        {0, "0.0"},         {0.123456, "0.12346"}};
  for (const auto& [number, text] : cases) {
    std::string cell = text;
    cell.resize(15, ' ');
    EXPECT_NE(profiler_report("", {{"a", 1, number}}, 1, false).find("|  " + cell + "\t|  "),
              std::string::npos)
        << text;
  }
}

TEST(SimpleProfiler, MeasuresWhatRuns) {
  SimpleProfiler profiler;
  for (int i = 0; i < 3; ++i) {
    const ProfileScope outer(&profiler, "outer"), inner(&profiler, "inner");
    std::this_thread::sleep_for(std::chrono::milliseconds(4));
  }
  const ProfileScope nothing(nullptr, "nothing");
  const std::string text = profiler.summary();
  EXPECT_NE(text.find("|  Total\t|  -              \t|  6 "), std::string::npos) << text;
  EXPECT_NE(text.find("|  inner\t|  0.00"), std::string::npos) << text;
  EXPECT_LT(text.find("outer"), text.find("inner"));  // its time contains the other's
  EXPECT_EQ(text.find("nothing"), std::string::npos);
}

TEST(SimpleProfiler, ActionsRunOnce) {
  SimpleProfiler profiler;
  EXPECT_EQ(error_of<std::invalid_argument>([&] { profiler.stop("a"); }),
            "Attempting to stop recording an action (a) which was never started.");
  profiler.start("a");
  EXPECT_EQ(error_of<std::invalid_argument>([&] { profiler.start("a"); }),
            "Attempted to start a which has already started.");
  profiler.setup("fit", "");  // the run before had failed
  profiler.start("a");
  profiler.stop("a");
  EXPECT_THROW(profiler.stop("a"), std::invalid_argument);
}

TEST(SimpleProfiler, TheReportGoesToAFileOrTheLog) {
  const Scratch folder;
  SimpleProfiler to_file({.dirpath = folder / "a/b", .filename = "perf"});
  for (const char* stage : {"fit", "test", "fit"}) {
    to_file.setup(stage, "ignored");
    to_file.describe();
  }
  EXPECT_EQ(read_whole(folder / "a/b/fit-perf.txt"),
            "FIT Profiler Report\n\nFIT Profiler Report\n\n");
  EXPECT_EQ(read_whole(folder / "a/b/test-perf.txt"), "TEST Profiler Report\n\n");
  SimpleProfiler to_log_dir({.filename = "perf"});
  to_log_dir.setup("fit", folder.path());
  to_log_dir.describe();
  EXPECT_TRUE(std::filesystem::exists(folder / "fit-perf.txt"));
  static std::string line;
  set_log_sink([](LogLevel, std::string_view text) { line = text; });
  SimpleProfiler().describe();
  set_log_sink(nullptr);
  EXPECT_EQ(line, "Profiler Report\n\n");
}

TEST(ProfilerOption, IsANameOrAProfiler) {
  EXPECT_EQ(ProfilerOption().get(), nullptr);
  EXPECT_NE(dynamic_cast<SimpleProfiler*>(ProfilerOption("simple").get()), nullptr);
  const auto mine = std::make_shared<SimpleProfiler>();
  EXPECT_EQ(ProfilerOption(mine).get(), mine.get());
  EXPECT_NE(ProfilerOption(SimpleProfiler()).get(), nullptr);
  EXPECT_EQ(error_of<std::invalid_argument>([] { ProfilerOption("slow"); }),
            "Trainer: the profiler 'slow' is not known: 'simple' is");
}

}  // namespace
}  // namespace levin

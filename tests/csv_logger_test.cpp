// CSVLogger: folders, rows, and how a run goes on. Lines are those of Python's csv module.
#include <gtest/gtest.h>
#include <levin/tensor/file.h>
#include <levin/train/console/log.h>
#include <levin/train/loggers/csv_logger.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <set>
#include <thread>

#include "scratch.h"

namespace levin {
namespace {

namespace fs = std::filesystem;
using Map = Value::Map;

std::string started_in(const Scratch& folder, CSVLoggerOptions options = {}) {
  CSVLogger logger(folder.path(), std::move(options));
  logger.start();
  return fs::relative(logger.log_dir(), folder.path()).string();
}

std::string csv_of(const CSVLogger& logger) {
  return read_whole(logger.log_dir() + "/metrics.csv");
}

TEST(CSVLogger, VersionsAreNumberedFromZero) {
  const Scratch folder;
  EXPECT_EQ(started_in(folder), "lightning_logs/version_0");
  EXPECT_EQ(started_in(folder), "lightning_logs/version_1");
  EXPECT_EQ(started_in(folder, {.name = "x/y"}), "x/y/version_0");
  EXPECT_EQ(started_in(folder, {.name = ""}), "version_0");
}

TEST(CSVLogger, TheNextVersionIsAboveAllFolders) {
  const auto next = [](std::vector<std::string> names) {
    const Scratch folder;
    for (const std::string& name : names)
      fs::create_directories(folder / ("lightning_logs/" + name));
    return started_in(folder);
  };
  EXPECT_EQ(next({"version_0", "version_4"}), "lightning_logs/version_5");  // gaps are not filled
  EXPECT_EQ(next({"version_3_old"}), "lightning_logs/version_4");
  EXPECT_EQ(next({"version_3_4"}), "lightning_logs/version_4");
  EXPECT_EQ(next({"version_007"}), "lightning_logs/version_8");
  EXPECT_EQ(next({"version_9", "version_10"}), "lightning_logs/version_11");
  EXPECT_EQ(next({"version_x", "version_", "version__1", "version_-1", "version_1x", "Version_5",
                  "my_version_5", "version_99999999999999999999"}),
            "lightning_logs/version_0");
}

TEST(CSVLogger, FilesAreNoVersionsButAreNotReplaced) {
  const Scratch folder;
  fs::create_directories(folder / "lightning_logs/version_8");
  write_whole(folder / "lightning_logs/version_20", "x");
  write_whole(folder / "lightning_logs/version_9", "x");
  EXPECT_EQ(started_in(folder), "lightning_logs/version_10");
  EXPECT_EQ(read_whole(folder / "lightning_logs/version_9"), "x");
}

TEST(CSVLogger, ThreadsThatStartTogetherGetFoldersOfTheirOwn) {  // L1
  const Scratch folder;
  std::vector<std::string> versions(8);
  std::vector<std::thread> threads;
  for (std::string& version : versions)
    threads.emplace_back([&] {
      CSVLogger logger(folder.path());
      logger.start();
      version = logger.version();
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<std::string>(versions.begin(), versions.end()).size(), versions.size());
}

TEST(CSVLogger, ProcessesThatStartTogetherGetFoldersOfTheirOwn) {
  const Scratch folder;
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      for (int k = 0; k < 5; ++k) started_in(folder);
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  int count = 0;
  for (const auto& entry : fs::directory_iterator(folder / "lightning_logs"))
    count += entry.is_directory();
  EXPECT_EQ(count, 30);
}

TEST(CSVLogger, ARelativeFolderStaysRelative) {
  const Scratch folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  CSVLogger named(""), bare("", {.name = ""}), text("", {.name = "", .version = "run"});
  named.start(), bare.start(), text.start();
  fs::current_path(before);
  EXPECT_EQ(named.log_dir(), "lightning_logs/version_0");
  EXPECT_EQ(named.version(), "0");
  EXPECT_EQ(bare.log_dir(), "version_0");
  EXPECT_EQ(text.log_dir(), "run");
  EXPECT_EQ(text.version(), "run");
}

TEST(CSVLogger, ColumnsAreSortedAndRowsEndAsPythonsDo) {
  const Scratch folder;
  CSVLogger logger(folder.path());
  logger.start();
  logger.log_metrics({{"val_l1", 0.5}, {"l1", 0.624f}, {"Z", NAN}, {"epoch", 0}, {"step", 9}});
  logger.log_metrics({{"step", 19}, {"epoch", 1}, {"l1", -INFINITY}, {"val_l1", nullptr}});
  EXPECT_EQ(csv_of(logger),
            "Z,epoch,l1,step,val_l1\r\nnan,0,0.6240000128746033,9,0.5\r\n,1,-inf,19,\r\n");
}

TEST(CSVLogger, Quoting) {
  const Scratch folder;
  CSVLogger logger(folder.path());
  logger.start();
  logger.log_metrics({{"a,b", "x\"y"}, {"c\"d", "two\nlines"}, {"e f", " g "}, {"h", "i\rj"}});
  const std::string row = "\"x\"\"y\",\"two\nlines\", g ,\"i\rj\"";
  EXPECT_EQ(csv_of(logger), "\"a,b\",\"c\"\"d\",e f,h,step\r\n" + row + ",0\r\n");
  logger.log_metrics({{"new", 1}});  // what was quoted is read back
  EXPECT_EQ(csv_of(logger), "\"a,b\",\"c\"\"d\",e f,h,new,step\r\n" + row + ",,0\r\n,,,,1,0\r\n");
}

TEST(CSVLogger, ARowHasAStepAndEveryNameOnce) {
  const Scratch folder;
  CSVLogger logger(folder.path());
  logger.start();
  logger.log_metrics({{"lr-SGD", 0.1}});  // as LearningRateMonitor's: no epoch
  logger.log_metrics({{"step", nullptr}, {"on", true}, {"off", false}, {"on", 2}});
  EXPECT_EQ(csv_of(logger), "lr-SGD,off,on,step\r\n0.1,,,0\r\n,False,2,0\r\n");
  EXPECT_EQ(error_of<std::invalid_argument>([&] {
              logger.log_metrics({{"x", Map()}});
            }),
            "CSVLogger: 'x' is a list or a map, a number or text is needed");
}

TEST(CSVLogger, APrefixStandsBeforeAllNamesButTheStep) {
  const Scratch folder;
  CSVLogger logger(folder.path(), {.prefix = "p"});
  logger.start();
  logger.log_metrics({{"loss", 1}, {"epoch", 0}, {"step", 4}});
  EXPECT_EQ(csv_of(logger), "p-epoch,p-loss,step\r\n0,1,4\r\n");
}

TEST(CSVLogger, TestsAndValidationsHaveTablesOfTheirOwn) {  // Q15
  const Scratch folder;
  CSVLogger logger(folder.path());
  logger.start();
  logger.log_metrics({{"loss", 1}, {"step", 4}});
  const Value state = logger.state_dict();
  for (int run = 0; run < 2; ++run) logger.log_metrics({{"loss", run}}, LogTable::test);
  logger.log_metrics({{"val_loss", 3}}, LogTable::validate);
  EXPECT_EQ(logger.state_dict(), state);
  EXPECT_EQ(csv_of(logger), "loss,step\r\n1,4\r\n");
  EXPECT_EQ(read_whole(logger.log_dir() + "/test_metrics.csv"), "loss,step\r\n0,0\r\n1,0\r\n");
  EXPECT_EQ(read_whole(logger.log_dir() + "/validate_metrics.csv"), "step,val_loss\r\n0,3\r\n");
}

TEST(CSVLogger, ATestInAGivenVersionLeavesTheFitsRows) {
  const Scratch folder;
  set_log_sink([](LogLevel, std::string_view) {});
  CSVLogger fit(folder.path(), {.version = 1}), test(folder.path(), {.version = 1});
  fit.start();
  fit.log_metrics({{"loss", 1}});
  test.start();
  test.log_metrics({{"loss", 2}}, LogTable::test);
  set_log_sink(nullptr);
  EXPECT_EQ(csv_of(fit), "loss,step\r\n1,0\r\n");
  EXPECT_FALSE(fs::exists(fit.log_dir() + "/metrics_old1.csv"));
}

TEST(CSVLogger, ANewColumnLeavesOldCellsEmpty) {
  const Scratch folder;
  CSVLogger logger(folder.path());
  logger.start();
  logger.log_metrics({{"b", 1}, {"step", 0}});
  logger.log_metrics({{"b", 2}, {"step", 1}});
  logger.log_metrics({{"a", 3}, {"step", 2}, {"z", 4}});
  logger.log_metrics({{"b", 5}, {"step", 3}});
  EXPECT_EQ(csv_of(logger), "a,b,step,z\r\n,1,0,\r\n,2,1,\r\n3,,2,4\r\n,5,3,\r\n");
}

TEST(CSVLogger, RowsAreInTheFileAtOnce) {
  const Scratch folder;
  CSVLogger logger(folder.path());
  logger.start();
  EXPECT_FALSE(fs::exists(logger.log_dir() + "/metrics.csv"));
  for (int i = 0; i < 3; ++i) {
    logger.log_metrics({{"i", i}});
    EXPECT_EQ(csv_of(logger).size(), 8u + 5 * (i + 1));
    EXPECT_EQ(logger.state_dict().at("csv_rows"), i + 1);
  }
}

TEST(CSVLogger, ASecondFitAppends) {
  const Scratch folder;
  CSVLogger logger(folder.path());
  for (int fit = 0; fit < 2; ++fit) {
    logger.start();
    for (int epoch = 0; epoch < 2; ++epoch) logger.log_metrics({{"epoch", epoch}, {"x", fit}});
    logger.finalize("success");
  }
  EXPECT_EQ(logger.version(), "0");
  EXPECT_EQ(csv_of(logger), "epoch,step,x\r\n0,0,0\r\n1,0,0\r\n0,0,1\r\n1,0,1\r\n");
}

TEST(CSVLogger, AnOldFileOfAGivenVersionIsKept) {  // L3
  const Scratch folder;
  static std::vector<std::string> warnings;
  warnings.clear();
  set_log_sink([](LogLevel, std::string_view line) { warnings.emplace_back(line); });
  for (int run = 0; run < 3; ++run) {
    CSVLogger logger(folder.path(), {.version = 7});
    logger.start();
    logger.log_metrics({{"run", run}});
    EXPECT_EQ(logger.version(), "7");
    EXPECT_EQ(logger.log_dir(), folder / "lightning_logs/version_7");
  }
  set_log_sink(nullptr);
  const std::string dir = folder / "lightning_logs/version_7/";
  EXPECT_EQ(read_whole(dir + "metrics_old1.csv"), "run,step\r\n0,0\r\n");
  EXPECT_EQ(read_whole(dir + "metrics_old2.csv"), "run,step\r\n1,0\r\n");
  EXPECT_EQ(read_whole(dir + "metrics.csv"), "run,step\r\n2,0\r\n");
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_NE(warnings[0].find("version_7 exists and is not empty"), std::string::npos);
  EXPECT_EQ(started_in(folder), "lightning_logs/version_8");
}

TEST(CSVLogger, ATextVersionIsTheFolder) {
  const Scratch folder;
  EXPECT_EQ(started_in(folder, {.version = "best run"}), "lightning_logs/best run");
  EXPECT_EQ(started_in(folder, {.version = "12"}), "lightning_logs/12");
  EXPECT_EQ(error_of<std::invalid_argument>([] { CSVLogger("", {.version = 0.5}); }),
            "CSVLogger: a version is an integer or text");
}

TEST(CSVLogger, HyperParameters) {
  const Scratch folder;
  CSVLogger logger(folder.path());
  logger.start();
  logger.log_hyperparams({});
  EXPECT_EQ(read_whole(logger.log_dir() + "/hparams.yaml"), "{}\n");
  logger.log_hyperparams(Map{{"name", "x"}, {"lr", 0.1}});
  EXPECT_EQ(read_whole(logger.log_dir() + "/hparams.yaml"), "lr: 0.1\nname: x\n");
}

TEST(CSVLogger, AFolderThatCannotBeMadeIsNamed) {
  const Scratch folder;
  write_whole(folder / "file", "x");
  for (const Value& version : {Value(), Value(1)}) {
    CSVLogger logger(folder / "file", {.version = version});
    for (int i = 0; i < 2; ++i) {  // a second attempt says the same
      const std::string error = error_of<std::runtime_error>([&] { logger.start(); });
      EXPECT_TRUE(error.starts_with("CSVLogger: the folder '" + (folder / "file/lightning_logs")))
          << error;
      EXPECT_NE(error.find("cannot be made: Not a directory"), std::string::npos) << error;
    }
  }
}

TEST(CSVLogger, RowsBeforeTheStartAreRefused) {
  CSVLogger logger("");
  EXPECT_THROW(logger.log_metrics({{"a", 1}}), std::logic_error);
  EXPECT_THROW(logger.log_hyperparams({}), std::logic_error);
}

// A run of `epochs` rows in its folder, and the logger's state after two of them.
Value run_of(CSVLogger& logger, int epochs) {
  logger.start();
  Value state;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    logger.log_metrics({{"loss", 0.5}, {"step", epoch}});
    if (epoch == 1) state = logger.state_dict();
  }
  logger.finalize("success");
  return state;
}

TEST(CSVLogger, AResumedRunBeginsWithTheRowsBeforeItsCheckpoint) {
  const Scratch folder;
  CSVLogger old(folder.path()), next(folder.path());
  const Value state = run_of(old, 4);
  const std::string before = csv_of(old);
  next.start();
  next.resume(state, old.log_dir());
  EXPECT_EQ(csv_of(next), "loss,step\r\n0.5,0\r\n0.5,1\r\n");
  EXPECT_EQ(next.state_dict(), state);
  next.log_metrics({{"loss", 0.25}, {"more", 1}, {"step", 2}});
  EXPECT_EQ(csv_of(next), "loss,more,step\r\n0.5,,0\r\n0.5,,1\r\n0.25,1,2\r\n");
  next.log_metrics({{"step", 3}});  // fewer columns than the old run's (Q14)
  EXPECT_TRUE(csv_of(next).ends_with("\r\n,,3\r\n"));
  EXPECT_EQ(csv_of(old), before);
}

TEST(CSVLogger, AResumedRunInTheSameFolderKeepsTheOldRows) {
  const Scratch folder;
  CSVLogger old(folder.path(), {.version = 0}), next(folder.path(), {.version = 0});
  const Value state = run_of(old, 4);
  const std::string before = csv_of(old);
  set_log_sink([](LogLevel, std::string_view) {});
  next.start();
  set_log_sink(nullptr);
  next.resume(state, old.log_dir());
  EXPECT_EQ(csv_of(next), "loss,step\r\n0.5,0\r\n0.5,1\r\n");
  EXPECT_EQ(read_whole(next.log_dir() + "/metrics_old1.csv"), before);
}

TEST(CSVLogger, ALoggerThatGoesBackKeepsWhatItHadWritten) {
  const Scratch folder;
  CSVLogger logger(folder.path());
  const Value state = run_of(logger, 4);
  const std::string before = csv_of(logger);
  logger.resume(state, logger.log_dir());
  EXPECT_EQ(csv_of(logger), "loss,step\r\n0.5,0\r\n0.5,1\r\n");
  EXPECT_EQ(read_whole(logger.log_dir() + "/metrics_old1.csv"), before);
  logger.resume(state, logger.log_dir());  // nothing is lost now
  EXPECT_FALSE(fs::exists(logger.log_dir() + "/metrics_old2.csv"));
  logger.resume(Map{{"csv_rows", 0}}, logger.log_dir());  // before the first row
  logger.log_metrics({{"l1", 2}});
  EXPECT_EQ(csv_of(logger), "l1,step\r\n2,0\r\n");
}

TEST(CSVLogger, ALoggerForExactlyThisFolder) {
  const Scratch folder;
  const CSVLogger logger(folder.path(), {.version = 3, .prefix = "p"});
  const AnyLogger other = logger.in_folder(folder / "lightning_logs/version_3/MultiTrainer/7");
  other->start();
  EXPECT_EQ(other->log_dir(), folder / "lightning_logs/version_3/MultiTrainer/7");
  other->log_metrics({{"loss", 1}});
  EXPECT_EQ(read_whole(other->log_dir() + "/metrics.csv"), "p-loss,step\r\n1,0\r\n");
}

TEST(CSVLogger, ATornRowIsCutOff) {
  const Scratch folder;
  CSVLogger old(folder.path()), next(folder.path());
  run_of(old, 4);
  const std::string whole = csv_of(old);
  Value state;
  state["csv_rows"] = 4;
  write_whole(old.log_dir() + "/metrics.csv", whole.substr(0, whole.size() - 3));
  next.start();
  next.resume(state, old.log_dir());
  EXPECT_EQ(csv_of(next), "loss,step\r\n0.5,0\r\n0.5,1\r\n0.5,2\r\n");
  EXPECT_EQ(next.state_dict().at("csv_rows"), 3);
  next.log_metrics({{"loss", 1}, {"step", 3}});
  EXPECT_TRUE(csv_of(next).ends_with("\r\n0.5,2\r\n1,3\r\n"));
}

TEST(CSVLogger, AColumnThatCameAfterTheCheckpointCostsNoRow) {
  const Scratch folder;
  CSVLogger old(folder.path()), next(folder.path()), by_bytes(folder.path());
  run_of(old, 2);
  const Value state = old.state_dict();
  const Value first = Map{{"csv_offset", static_cast<int64_t>(csv_of(old).size())}};
  by_bytes.start();
  by_bytes.resume(first, old.log_dir());  // as the first checkpoints say it
  EXPECT_EQ(csv_of(by_bytes), csv_of(old));
  old.log_metrics({{"a \"late\"\none", 1}, {"loss", 0.5}, {"step", 2}});
  next.start();
  next.resume(state, old.log_dir());
  EXPECT_EQ(csv_of(next), "\"a \"\"late\"\"\none\",loss,step\r\n,0.5,0\r\n,0.5,1\r\n");
}

TEST(CSVLogger, ThereMayBeNothingToGoOnFrom) {
  const Scratch folder;
  CSVLogger logger(folder.path());
  logger.start();
  logger.resume({}, folder.path());
  logger.resume(Map{{"csv_rows", 0}}, folder.path());
  logger.resume(Map{{"csv_rows", 10}}, folder / "missing");
  EXPECT_FALSE(fs::exists(logger.log_dir() + "/metrics.csv"));
  write_whole(folder / "metrics.csv", "z,a\r\n1,2\r\n");
  EXPECT_THROW(logger.resume(Map{{"csv_rows", 10}}, folder.path()), std::runtime_error);
  write_whole(folder / "metrics.csv", "torn");
  EXPECT_THROW(logger.resume(Map{{"csv_rows", 10}}, folder.path()), std::runtime_error);
}

}  // namespace
}  // namespace levin

// JsonLinesLogger, and how several loggers of one run share a folder.
#include <gtest/gtest.h>
#include <levin/tensor/file.h>
#include <levin/train/console/log.h>
#include <levin/train/loggers/csv_logger.h>
#include <levin/train/loggers/jsonl_logger.h>
#include <levin/train/loggers/tensorboard_logger.h>

#include <cmath>
#include <filesystem>

#include "scratch.h"

namespace levin {
namespace {

namespace fs = std::filesystem;
using Map = Value::Map;

std::string rows_of(const JsonLinesLogger& logger) {
  return read_whole(logger.log_dir() + "/metrics.jsonl");
}

TEST(JsonLinesLogger, ARowIsALine) {
  const Scratch folder;
  JsonLinesLogger logger(folder.path());
  logger.start();
  EXPECT_EQ(fs::relative(logger.log_dir(), folder.path()), "lightning_logs/version_0");
  logger.log_metrics({{"loss", 0.624f}, {"größe", NAN}, {"epoch", 0}, {"step", 9}, {"on", true}});
  const std::string first =
      "{\"loss\": 0.6240000128746033, \"gr\\u00f6\\u00dfe\": null, \"epoch\": 0, \"step\": 9, "
      "\"on\": true}\n";
  EXPECT_EQ(rows_of(logger), first);
  logger.log_metrics({{"b", 1}, {"a", 2}, {"b", 3}});
  EXPECT_EQ(rows_of(logger), first + "{\"b\": 3, \"a\": 2, \"step\": 0}\n");
  const Value state = logger.state_dict();
  EXPECT_EQ(state.at("jsonl_offset"), static_cast<int64_t>(rows_of(logger).size()));
  logger.log_metrics({{"loss", 1}}, LogTable::test);
  logger.log_metrics({{"val_loss", 2}}, LogTable::validate);
  EXPECT_EQ(logger.state_dict(), state);
  EXPECT_EQ(read_whole(logger.log_dir() + "/test_metrics.jsonl"), "{\"loss\": 1, \"step\": 0}\n");
  EXPECT_EQ(read_whole(logger.log_dir() + "/validate_metrics.jsonl"),
            "{\"val_loss\": 2, \"step\": 0}\n");
}

TEST(JsonLinesLogger, HyperParameters) {
  const Scratch folder;
  JsonLinesLogger logger(folder.path());
  logger.start();
  logger.log_hyperparams({});
  EXPECT_EQ(read_whole(logger.log_dir() + "/hparams.json"), "{}\n");
  logger.log_hyperparams(Map{{"name", "x"}, {"lr", 0.1}});
  EXPECT_EQ(read_whole(logger.log_dir() + "/hparams.json"),
            "{\n    \"name\": \"x\",\n    \"lr\": 0.1\n}\n");
}

TEST(JsonLinesLogger, AResumedRunBeginsWithTheRowsBeforeItsCheckpoint) {
  const Scratch folder;
  JsonLinesLogger old(folder.path()), next(folder.path()), torn(folder.path());
  old.start();
  old.log_metrics({{"loss", 1}});
  const Value state = old.state_dict();
  old.log_metrics({{"loss", 2}});
  const std::string before = rows_of(old);
  next.start();
  next.resume(state, old.log_dir());
  next.log_metrics({{"loss", 3}, {"step", 1}});
  EXPECT_EQ(rows_of(next), "{\"loss\": 1, \"step\": 0}\n{\"loss\": 3, \"step\": 1}\n");
  EXPECT_EQ(rows_of(old), before);
  const Value later = old.state_dict();
  write_whole(old.log_dir() + "/metrics.jsonl", before.substr(0, before.size() - 3));
  torn.start();
  torn.resume(later, old.log_dir());
  EXPECT_EQ(rows_of(torn), "{\"loss\": 1, \"step\": 0}\n");
  EXPECT_EQ(torn.state_dict(), state);
  JsonLinesLogger fresh(folder.path());
  fresh.start();
  fresh.resume({}, old.log_dir());
  EXPECT_FALSE(fs::exists(fresh.log_dir() + "/metrics.jsonl"));
}

TEST(JsonLinesLogger, AnOldFileOfAGivenVersionIsKept) {
  const Scratch folder;
  set_log_sink([](LogLevel, std::string_view) {});
  for (int run = 0; run < 2; ++run) {
    JsonLinesLogger logger(folder.path(), {.version = 7});
    logger.start();
    logger.log_metrics({{"run", run}});
  }
  set_log_sink(nullptr);
  const std::string dir = folder / "lightning_logs/version_7/";
  EXPECT_EQ(read_whole(dir + "metrics_old1.jsonl"), "{\"run\": 0, \"step\": 0}\n");
  EXPECT_EQ(read_whole(dir + "metrics.jsonl"), "{\"run\": 1, \"step\": 0}\n");
}

std::string relative_dir(const AnyLogger& logger, const Scratch& folder) {
  return fs::relative(logger->log_dir(), folder.path()).string();
}

TEST(Loggers, OfOneRunShareAFolder) {
  const Scratch folder;
  for (const std::string run : {"lightning_logs/version_0", "lightning_logs/version_1"}) {
    const std::vector<AnyLogger> loggers = {
        CSVLogger(folder.path()), JsonLinesLogger(folder.path()), TensorBoardLogger(folder.path())};
    for (int fit = 0; fit < 2; ++fit) start_loggers(loggers);
    for (const AnyLogger& logger : loggers) EXPECT_EQ(relative_dir(logger, folder), run);
    EXPECT_EQ(loggers[2]->version(), run.substr(run.size() - 1));
  }
}

TEST(Loggers, OfOneTypeOrWithRootsOfTheirOwnDoNot) {
  const Scratch folder;
  const std::vector<AnyLogger> loggers = {CSVLogger(folder.path()), CSVLogger(folder.path()),
                                          JsonLinesLogger(folder.path(), {.name = "json"}),
                                          JsonLinesLogger(folder.path())};
  start_loggers(loggers);
  EXPECT_EQ(relative_dir(loggers[0], folder), "lightning_logs/version_0");
  EXPECT_EQ(relative_dir(loggers[1], folder), "lightning_logs/version_1");
  EXPECT_EQ(relative_dir(loggers[2], folder), "json/version_0");
  EXPECT_EQ(relative_dir(loggers[3], folder), "lightning_logs/version_0");
}

TEST(Loggers, AGivenVersionIsSharedWithoutAWarning) {
  const Scratch folder;
  static int warnings = 0;
  set_log_sink([](LogLevel, std::string_view) { ++warnings; });
  const AnyLogger first = CSVLogger(folder.path(), {.version = 2});
  const AnyLogger second = JsonLinesLogger(folder.path(), {.version = 2});
  first->start();
  first->log_metrics({{"loss", 1}});
  second->start({first->log_dir()});
  EXPECT_EQ(warnings, 0);
  set_log_sink(nullptr);
  EXPECT_EQ(second->log_dir(), first->log_dir());
}

TEST(Loggers, InTheCurrentFolder) {
  const Scratch folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  const std::vector<AnyLogger> loggers = {CSVLogger("", {.name = ""}),
                                          JsonLinesLogger("", {.name = ""})};
  start_loggers(loggers);
  fs::current_path(before);
  EXPECT_EQ(loggers[0]->log_dir(), "version_0");
  EXPECT_EQ(loggers[1]->log_dir(), "version_0");
}

}  // namespace
}  // namespace levin

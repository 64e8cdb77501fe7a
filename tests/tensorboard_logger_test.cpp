// Event files. The golden file was written by TensorBoard's own writer and read by its reader.
#include <gtest/gtest.h>
#include <levin/tensor/file.h>
#include <levin/train/loggers/csv_logger.h>
#include <levin/train/loggers/event_file.h>
#include <levin/train/loggers/tensorboard_logger.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <regex>

#include "scratch.h"

namespace levin {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kTimeAt = 8 + 4 + 1;  // behind length, checksum, tag

TEST(EventFile, Checksums) {  // RFC 3720, B.4
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43u);
}

TEST(EventFile, IsTensorBoards) {
  std::string bytes = version_record(1700000000.25);
  bytes += text_record(1700000001.5, 0, "hparams/text_summary", "    lr: 0.1\n    name: größe");
  const float values[] = {0, -1e-30f, 3e38f, NAN};
  for (int k = 0; k < 4; ++k)
    bytes += scalars_record(1700000002.0 + k, 10 * k + 9,
                            {{"loss", 1 / (k + 1.f)}, {"val_loss", values[k]}, {"epoch", k}});
  bytes += session_start_record(1700000007.125, 30);
  bytes += scalars_record(1700000008.0, 39, {{"loss", INFINITY}});
  bytes += scalars_record(1700000009.0, int64_t{1} << 40, {{"test/loss", 0.5f}});
  EXPECT_EQ(bytes, read_whole(LEVIN_TEST_DIR
                              "/reference/tensorboard/events.out.tfevents.1700000000.host.4711.0"));
}

TEST(EventFile, ATornRecordIsCutOff) {
  const std::string one = version_record(1), two = one + session_start_record(2, 3);
  for (std::size_t size = 0; size <= two.size(); ++size)
    EXPECT_EQ(whole_records(two.substr(0, size)),
              size == two.size() ? two : (size < one.size() ? "" : one));
  EXPECT_EQ(whole_records(std::string(40, '\xff')), "");
}

std::vector<std::string> event_files(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    if (const std::string name = entry.path().filename().string(); name.starts_with("events."))
      names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

// The only event file's records, their times replaced by 0.
std::string timeless(std::string bytes) {
  std::string text;
  while (!bytes.empty()) {
    uint64_t size = 0;
    std::memcpy(&size, bytes.data(), sizeof size);
    std::memset(&bytes[kTimeAt], 0, sizeof(double));
    text += bytes.substr(0, 8 + 4 + size);  // without the checksum
    bytes.erase(0, 8 + 4 + size + 4);
  }
  return text;
}

std::string timeless_file(const TensorBoardLogger& logger) {
  const auto names = event_files(logger.log_dir());
  EXPECT_EQ(names.size(), 1u);
  return timeless(read_whole(logger.log_dir() + "/" + names.at(0)));
}

TEST(TensorBoardLogger, WritesRowsAndHyperParameters) {
  const Scratch folder;
  TensorBoardLogger logger(folder.path());
  logger.start();
  logger.log_hyperparams(Value::Map{{"lr", 0.1}, {"name", "x"}});
  logger.log_metrics({{"loss", 0.5}, {"val_loss", nullptr}, {"on", true}, {"step", 9}});
  logger.log_metrics({{"loss", 0.25}}, LogTable::test);
  logger.log_metrics({{"val_loss", 2}}, LogTable::validate);
  logger.log_metrics({{"loss", nullptr}});
  const std::string expected =
      version_record(1) + text_record(1, 0, "hparams/text_summary", "    lr: 0.1\n    name: x") +
      scalars_record(1, 9, {{"loss", 0.5f}, {"on", 1.f}}) +
      scalars_record(1, 0, {{"test/loss", 0.25f}}) +
      scalars_record(1, 0, {{"validate/val_loss", 2.f}});
  EXPECT_EQ(timeless_file(logger), timeless(expected));
  EXPECT_EQ(read_whole(logger.log_dir() + "/hparams.yaml"), "lr: 0.1\nname: x\n");
  EXPECT_EQ(error_of<std::invalid_argument>([&] {
              logger.log_metrics({{"x", "text"}});
            }),
            "TensorBoardLogger: 'x' is no number: only these are shown");
}

TEST(TensorBoardLogger, NamesItsFileAsTensorBoardLooksForIt) {
  const Scratch folder;
  TensorBoardLogger logger(folder.path()), other(folder.path(), {.version = 0});
  logger.start();
  EXPECT_TRUE(event_files(logger.log_dir()).empty());
  logger.log_metrics({{"loss", 1}});
  const auto names = event_files(logger.log_dir());
  ASSERT_EQ(names.size(), 1u);
  const std::regex pattern("events\\.out\\.tfevents\\.\\d{10}\\..*\\." + std::to_string(getpid()) +
                           "\\.0");
  EXPECT_TRUE(std::regex_match(names[0], pattern)) << names[0];
  const std::string first = read_whole(logger.log_dir() + "/" + names[0]);
  other.start({logger.log_dir()});
  other.log_metrics({{"loss", 2}});
  EXPECT_EQ(event_files(logger.log_dir()).size(), 2u);
  EXPECT_EQ(read_whole(logger.log_dir() + "/" + names[0]), first);
}

// What a run of four rows writes, and its state after two of them.
Value run_of(TensorBoardLogger& logger) {
  logger.start();
  Value state;
  for (int step = 0; step < 4; ++step) {
    logger.log_metrics({{"loss", step}, {"step", 10 * step}});
    if (step == 1) state = logger.state_dict();
  }
  logger.finalize("success");
  return state;
}

std::string rows(int first, int last) {
  std::string text;
  for (int step = first; step < last; ++step)
    text += scalars_record(1, 10 * step, {{"loss", static_cast<float>(step)}});
  return text;
}

TEST(TensorBoardLogger, AResumedRunBeginsWithTheEventsBeforeItsCheckpoint) {
  const Scratch folder;
  TensorBoardLogger old(folder.path()), next(folder.path()), last(folder.path());
  Value state = run_of(old);
  next.start();
  next.resume(state, old.log_dir());
  const std::string begin = version_record(1) + rows(0, 2) + session_start_record(1, 11);
  EXPECT_EQ(timeless_file(next), timeless(begin));
  next.log_metrics({{"loss", 2}, {"step", 20}});
  EXPECT_EQ(timeless_file(next), timeless(begin + rows(2, 3)));
  last.start();
  last.resume(next.state_dict(), next.log_dir());
  EXPECT_EQ(timeless_file(last), timeless(begin + rows(2, 3) + session_start_record(1, 21)));
}

TEST(TensorBoardLogger, InTheSameFolderANewFileStandsBeside) {
  const Scratch folder;
  TensorBoardLogger logger(folder.path()), elsewhere(folder.path());
  const Value state = run_of(logger);
  const std::string first = event_files(logger.log_dir()).at(0);
  const std::string before = read_whole(logger.log_dir() + "/" + first);
  logger.resume(state, logger.log_dir());
  logger.log_metrics({{"loss", 2}, {"step", 20}});
  const auto names = event_files(logger.log_dir());
  ASSERT_EQ(names.size(), 2u);
  const std::string second = names[0] == first ? names[1] : names[0];
  EXPECT_EQ(read_whole(logger.log_dir() + "/" + first), before);
  const std::string resumed = version_record(1) + session_start_record(1, 11) + rows(2, 3);
  EXPECT_EQ(timeless(read_whole(logger.log_dir() + "/" + second)), timeless(resumed));
  elsewhere.start();
  elsewhere.resume(logger.state_dict(), logger.log_dir());  // both files
  EXPECT_EQ(timeless_file(elsewhere),
            timeless(version_record(1) + rows(0, 2) + resumed + session_start_record(1, 21)));
}

TEST(TensorBoardLogger, ThereMayBeNothingToGoOnFrom) {
  const Scratch folder;
  TensorBoardLogger logger(folder.path());
  logger.start();
  logger.resume({}, folder.path());
  EXPECT_TRUE(event_files(logger.log_dir()).empty());
  Value state;
  state["event_files"]["events.out.missing"] = 100;
  state["next_step"] = 5;
  logger.resume(state, folder.path());
  EXPECT_EQ(timeless_file(logger), timeless(version_record(1) + session_start_record(1, 5)));
}

}  // namespace
}  // namespace levin

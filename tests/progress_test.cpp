// The progress bar. Expected texts were made by tqdm 4.70 and Lightning's way of padding numbers.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/train/callbacks/progress_bar.h>
#include <levin/train/files/text.h>
#include <pty.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <regex>
#include <sstream>
#include <thread>

#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

using Lines = std::vector<std::string>;

TEST(ProgressNumber, IsLightnings) {
  const std::pair<double, const char*> cases[] = {
      {0.0, "0.000"},         {-0.0, "-0.00"},           {1.0, "1.000"},
      {1.36, "1.360"},        {1.3612345, "1.360"},      {12.3, "12.30"},
      {12.345678, "12.30"},   {99.96, "100.0"},          {100.0, "100.0"},
      {123.456, "123.0"},     {999.5, "1e+3"},           {1000.0, "1e+3"},
      {1234.0, "1234.0"},     {1234.5, "1234.5"},        {12345.678, "1.23e+4"},
      {100000.0, "1e+5"},     {123456.789, "1.23e+5"},   {0.1, "0.100"},
      {0.01, "0.010"},        {0.001, "0.001"},          {0.0001, "0.0001"},
      {0.000123, "0.000123"}, {0.00012345, "0.000123"},  {1e-05, "1e-5"},
      {1.2e-05, "1.2e-5"},    {1.2345e-10, "1.23e-10"},  {1e+16, "1e+16"},
      {1e+100, "1e+100"},     {1.5e-300, "1.5e-300"},    {-0.5, "-0.50"},
      {-12.345678, "-12.3"},  {-1e-05, "-1e-5"},         {0.6240000128746033, "0.624"},
      {double(NAN), "nan"},   {double(INFINITY), "inf"}, {-double(INFINITY), "-inf"}};
  for (const auto& [number, text] : cases) EXPECT_EQ(progress_number(number), text);
}

TEST(ProgressLine, IsTqdms) {
  EXPECT_EQ(progress_line("Epoch 9", 10, 10, 0.025, "v_num=0, val_loss=1.200", 80),
            "Epoch 9: 100%|███████| 10/10 [00:00<00:00, 400.00it/s, v_num=0, val_loss=1.200]");
  EXPECT_EQ(progress_line("Epoch 0", 0, 10, 0, "", 60),
            "Epoch 0:   0%|                      | 0/10 [00:00<?, ?it/s]");
  EXPECT_EQ(progress_line("Epoch 1", 1, 3, 4, "", 70),
            "Epoch 1:  33%|████████▎                | 1/3 [00:04<00:08,  0.25it/s]");
  EXPECT_EQ(progress_line("Validation DataLoader 0", 5, 8, 7300, "", 80),
            "Validation DataLoader 0:  62%|█████████▍     | 5/8 [2:01:40<1:13:00,  0.00it/s]");
  EXPECT_EQ(progress_line("Epoch 1", 37, 1000, 3.7, "", 100),
            "Epoch 1:   4%|█▉                                                 | 37/1000 "
            "[00:03<01:36, 10.00it/s]");
}

TEST(ProgressLine, WithoutATotal) {
  EXPECT_EQ(progress_line("Epoch 0", 5, -1, 2.5, "v_num=0", 80),
            "Epoch 0: |                              | 5/? [00:02<00:00,  2.00it/s, v_num=0]");
  EXPECT_EQ(progress_line("Predicting DataLoader 0", 0, -1, 0, "", 70),
            "Predicting DataLoader 0: |                     | 0/? [00:00<?, ?it/s]");
  EXPECT_EQ(progress_line("Predicting DataLoader 0", 0, 0, 0, "", 70),
            "Predicting DataLoader 0: |                     | 0/0 [00:00<?, ?it/s]");
}

TEST(ProgressLine, FitsItsColumns) {
  for (int columns = 0; columns < 200; ++columns)
    for (const int64_t done : {0, 3, 7}) {
      const std::string line = progress_line("Épôque", done, 7, 1, "größe=1.000", columns);
      EXPECT_LE(character_count(line), static_cast<std::size_t>(std::max(columns - 1, 0)));
      const bool filled = columns > 70 && columns < 100;
      EXPECT_TRUE(!filled || character_count(line) + 1 == static_cast<std::size_t>(columns));
    }
  EXPECT_EQ(progress_line("ö", 0, 0, 0, "", 3), "ö:");
  const auto line = [](int columns) {
    return progress_line("E", 4, 4, 1, "v_num=0, loss=1.000, l1=2.000", columns);
  };
  EXPECT_EQ(line(71), "E: 100%|█| 4/4 [00:01<00:00,  4.00it/s, v_num=0, loss=1.000, l1=2.000]");
  EXPECT_EQ(line(69), "E: 100%|█████████| 4/4 [00:01<00:00,  4.00it/s, v_num=0, loss=1.000]");
  EXPECT_EQ(line(39), "E: 100%|| 4/4 [00:01<00:00,  4.00it/s]");
  EXPECT_EQ(line(21), "E: 100%|| 4/4 [00:01");
}

// A short fit with a bar; each batch takes `pause`.
Lines fitted_lines(
    const Scratch& folder, std::chrono::milliseconds pause = {},
    std::function<void()> before_batch = [] {}, std::vector<AnyCallback> bars = {}) {
  LME model(nn::Linear(2, 1));
  make_seed(model);
  model.model_algorithm = [&](LME& model, const data::Batch& batch) {
    std::this_thread::sleep_for(pause);
    before_batch();
    return plain_algorithm(model, batch);
  };
  Trainer trainer({.max_epochs = 2,
                   .logger = CSVLogger(folder.path()),
                   .callbacks = bars,
                   .enable_model_summary = false});
  trainer.fit(model, normal_loader(12, 2, 1, {.batch_size = 3}),
              normal_loader(6, 2, 1, {.batch_size = 3}));
  Lines values;
  for (const auto& [name, value] : trainer.callback_metrics())
    values.push_back(name + "=" + progress_number(value));
  return values;
}

Lines split(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST(Defects, Q34_OffATerminalAnEpochIsALineWithItsOwnValues) {
  const Scratch folder;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const Lines values = fitted_lines(folder);
  const Lines lines = split(testing::internal::GetCapturedStderr());
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  ASSERT_EQ(lines.size(), 2u);
  const std::regex line(R"(Epoch [01]: 4/4 \[\d\d:\d\d, v_num=0, loss=.*\])");
  for (const std::string& one : lines) EXPECT_TRUE(std::regex_match(one, line)) << one;
  std::string last = ", v_num=0";
  for (const std::string& value : values) last += ", " + value;
  EXPECT_TRUE(lines[1].starts_with("Epoch 1") && lines[1].ends_with(last + "]")) << lines[1];
}

// While it lives, stderr is a terminal of 180 columns; text() is all that was written.
class Terminal {
 public:
  /// Containers without /dev/pts have none.
  static bool available() {
    int master = -1, slave = -1;
    if (openpty(&master, &slave, nullptr, nullptr, nullptr) != 0) return false;
    close(master);
    close(slave);
    return true;
  }

  Terminal() : stderr_(dup(STDERR_FILENO)) {
    termios raw{};
    cfmakeraw(&raw);
    int slave = -1;
    if (openpty(&master_, &slave, nullptr, &raw, nullptr) != 0)
      throw std::runtime_error("no pseudo-terminal");
    dup2(slave, STDERR_FILENO);
    close(slave);
    setenv("COLUMNS", "180", 1);
    setenv("TERM", "xterm", 1);
    reader_ = std::thread([this] {
      char bytes[4096];
      for (ssize_t n; (n = read(master_, bytes, sizeof bytes)) > 0;) text_.append(bytes, n);
    });
  }
  ~Terminal() {
    if (reader_.joinable()) text();
    close(master_);
    close(stderr_);
  }
  // Gives stderr back.
  std::string text() {
    dup2(stderr_, STDERR_FILENO);  // the last slave is closed: the reader sees the end
    unsetenv("COLUMNS");
    reader_.join();
    return text_;
  }

 private:
  int stderr_, master_ = -1;
  std::string text_;
  std::thread reader_;
};

// What a terminal shows in the end.
Lines shown(const std::string& written) {
  Lines lines(1);
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (written.compare(i, 4, "\r\033[K") == 0)
      lines.back().clear(), i += 3;
    else if (written[i] == '\n')
      lines.emplace_back();
    else if (written[i] == '\r')
      EXPECT_EQ(lines.back(), "");  // nothing shines through
    else
      lines.back() += written[i];
  }
  return lines;
}

TEST(ProgressBar, OnATerminalABarStaysForEachEpoch) {
  if (!Terminal::available()) GTEST_SKIP() << "no pseudo-terminals here";
  const Scratch folder;
  testing::internal::CaptureStdout();
  Terminal terminal;
  const Lines values = fitted_lines(folder, std::chrono::milliseconds(60));
  const std::string written = terminal.text();
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  const Lines lines = shown(written);
  ASSERT_EQ(lines.size(), 3u) << written;
  for (int epoch : {0, 1}) {
    EXPECT_TRUE(lines[epoch].starts_with("Epoch " + std::to_string(epoch) + ": 100%|█")) << written;
    EXPECT_EQ(character_count(lines[epoch]), 179u);
  }
  EXPECT_NE(lines[1].find("| 4/4 ["), std::string::npos) << lines[1];
  std::string facts = "it/s, v_num=0";
  for (const std::string& value : values) facts += ", " + value;
  EXPECT_TRUE(lines[1].ends_with(facts + "]")) << lines[1];
  EXPECT_EQ(lines[2], "");
  EXPECT_NE(written.find("Sanity Checking DataLoader 0:  50%|"), std::string::npos) << written;
  EXPECT_NE(written.find("Validation DataLoader 0: "), std::string::npos) << written;
  // The bar of a running epoch has its loss so far; speeds are of this bar's own time.
  EXPECT_TRUE(std::regex_search(written, std::regex("Epoch 0:  .*/4 .*loss="))) << written;
  EXPECT_EQ(written.find(" 0.00it/s"), std::string::npos) << written;
}

TEST(ProgressBar, IsDrawnTenTimesASecondAtMost) {
  if (!Terminal::available()) GTEST_SKIP() << "no pseudo-terminals here";
  const Scratch folder;
  Terminal terminal;
  const auto start = std::chrono::steady_clock::now();
  fitted_lines(folder, std::chrono::milliseconds(10));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const std::string written = terminal.text();
  const auto drawn = std::count(written.begin(), written.end(), '|') / 2;
  EXPECT_LE(drawn, 2 + 1 + seconds.count() / 0.1) << written;  // 2: the ends of epochs
}

TEST(ProgressBar, LogLinesStandAboveIt) {
  if (!Terminal::available()) GTEST_SKIP() << "no pseudo-terminals here";
  for (const bool coloured : {true, false}) {
    const Scratch folder;
    Terminal terminal;
    if (!coloured) setenv("NO_COLOR", "1", 1);
    int batches = 0;
    fitted_lines(folder, {}, [&] {
      if (++batches == 4) std::this_thread::sleep_for(std::chrono::milliseconds(110));  // drawn
      if (batches == 5) log_info({"two\nlines"});
      if (batches == 6) log_warning({"careful"});
    });
    unsetenv("NO_COLOR");
    const std::string written = terminal.text();
    const Lines lines = shown(written);
    ASSERT_EQ(lines.size(), 6u) << written;
    EXPECT_TRUE(lines[0].starts_with("[")) << written;
    EXPECT_TRUE(lines[0].ends_with(" levin] two")) << written;
    EXPECT_EQ(lines[1], "lines");
    EXPECT_TRUE(lines[2].ends_with(" levin] warning: careful")) << written;
    EXPECT_TRUE(lines[3].starts_with("Epoch 0: 100%|█")) << written;
    EXPECT_EQ(written.find("\033[32m") != std::string::npos, coloured);
    // The bar comes back below the line.
    EXPECT_NE(written.find("careful\nEpoch 0:  "), std::string::npos) << written;
  }
}

TEST(ProgressBar, RefreshRate) {
  if (!Terminal::available()) GTEST_SKIP() << "no pseudo-terminals here";
  const auto written = [](int64_t rate) {
    const Scratch folder;
    Terminal terminal;
    int batches = 0;
    const auto slow_first_epoch = [&] {
      if (++batches > 2 && batches <= 6)
        std::this_thread::sleep_for(std::chrono::milliseconds(105));
    };
    fitted_lines(folder, {}, slow_first_epoch, {ProgressBar({.refresh_rate = rate})});
    return terminal.text();
  };
  const std::string every_third = written(3);
  EXPECT_NE(every_third.find("| 3/4 ["), std::string::npos) << every_third;
  EXPECT_NE(every_third.find("| 4/4 ["), std::string::npos) << every_third;
  EXPECT_EQ(every_third.find("| 1/4 ["), std::string::npos) << every_third;
  EXPECT_EQ(every_third.find("| 2/4 ["), std::string::npos) << every_third;
  setenv("TQDM_MINITERS", "3", 1);
  const std::string by_environment = written(1);
  unsetenv("TQDM_MINITERS");
  EXPECT_NE(by_environment.find("| 3/4 ["), std::string::npos) << by_environment;
  EXPECT_EQ(by_environment.find("| 2/4 ["), std::string::npos) << by_environment;
  EXPECT_EQ(written(0), "");
  EXPECT_EQ(error_of<std::invalid_argument>([] { ProgressBar({.refresh_rate = -1}); }),
            "ProgressBar: refresh_rate is -1, it must be at least 0");
}

TEST(ProgressBar, LeavesNoHalfLineAfterAnException) {
  if (!Terminal::available()) GTEST_SKIP() << "no pseudo-terminals here";
  const Scratch folder;
  Terminal terminal;
  int batches = 0;
  EXPECT_THROW(fitted_lines(folder, std::chrono::milliseconds(1),
                            [&] {
                              if (++batches == 5) throw std::runtime_error("no");
                            }),
               std::runtime_error);
  EXPECT_EQ(shown(terminal.text()), Lines{""});
}

TEST(ProgressBar, ADumbTerminalGetsLines) {
  if (!Terminal::available()) GTEST_SKIP() << "no pseudo-terminals here";
  const Scratch folder;
  Terminal terminal;
  setenv("TERM", "dumb", 1);
  fitted_lines(folder);
  const std::string written = terminal.text();
  setenv("TERM", "xterm", 1);
  EXPECT_EQ(written.find('\r'), std::string::npos);
  EXPECT_EQ(split(written).size(), 2u);
}

TEST(ProgressBar, OffATerminalRefreshRateZeroIsSilent) {
  const Scratch folder;
  testing::internal::CaptureStderr();
  fitted_lines(folder, {}, [] {}, {ProgressBar({.refresh_rate = 0})});
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// Both loaders of an evaluation, of 4 and 2 batches.
template <class Run>
void evaluate(Run run) {
  LME model(nn::Linear(2, 1));
  make_seed(model);
  Trainer trainer({.logger = false});
  run(trainer, model,
      std::vector{normal_loader(12, 2, 1, {.batch_size = 3}),
                  normal_loader(6, 2, 1, {.batch_size = 3})});
}

TEST(ProgressBar, OffATerminalALoaderIsALine) {
  const auto printed = [](auto run) {
    testing::internal::CaptureStderr();
    evaluate(run);
    return split(std::regex_replace(testing::internal::GetCapturedStderr(),
                                    std::regex(R"(\[\d\d:\d\d\])"), "[..]"));
  };
  const auto quiet = EvaluationOptions{.verbose = false};
  EXPECT_EQ(printed([&](Trainer& trainer, LME& model, const auto& loaders) {
              trainer.test(model, loaders, quiet);
            }),
            (Lines{"Testing DataLoader 0: 4/4 [..]", "Testing DataLoader 1: 2/2 [..]"}));
  EXPECT_EQ(printed([&](Trainer& trainer, LME& model, const auto& loaders) {
              trainer.validate(model, loaders, quiet);
            }),
            (Lines{"Validation DataLoader 0: 4/4 [..]", "Validation DataLoader 1: 2/2 [..]"}));
  EXPECT_EQ(printed([&](Trainer& trainer, LME& model, const auto& loaders) {
              trainer.predict_all(model, loaders);
            }),
            (Lines{"Predicting DataLoader 0: 4/4 [..]", "Predicting DataLoader 1: 2/2 [..]"}));
}

TEST(ProgressBar, OnATerminalTheBarOfALoaderStays) {
  if (!Terminal::available()) GTEST_SKIP() << "no pseudo-terminals here";
  Terminal terminal;
  evaluate([](Trainer& trainer, LME& model, const auto& loaders) {
    trainer.test(model, loaders, {.verbose = false});
  });
  const std::string written = terminal.text();
  const Lines lines = shown(written);
  ASSERT_EQ(lines.size(), 3u) << written;
  EXPECT_TRUE(lines[0].starts_with("Testing DataLoader 0: 100%|█")) << written;
  EXPECT_TRUE(lines[1].starts_with("Testing DataLoader 1: 100%|█")) << written;
  EXPECT_EQ(lines[2], "");
}

TEST(ProgressBar, VersionsAreShort) {
  const auto line = [](Value version) {
    const Scratch folder;
    LME model(nn::Linear(2, 1));
    make_seed(model);
    testing::internal::CaptureStderr();
    Trainer({.max_epochs = 1,
             .logger = CSVLogger(folder.path(), {.version = std::move(version)}),
             .enable_checkpointing = false,
             .enable_model_summary = false})
        .fit(model, normal_loader(3, 2, 1, {.batch_size = 3}));
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_NE(line(123456).find(", v_num=123456, loss="), std::string::npos);
  EXPECT_NE(line("my größe").find(", v_num=röße, loss="), std::string::npos);
}

}  // namespace
}  // namespace levin

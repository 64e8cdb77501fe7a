// seed_everything, and the log's level. Worker seeds were computed by Lightning's formula in Python.
#include <gtest/gtest.h>
#include <levin/tensor/generator.h>
#include <levin/train/console/log.h>
#include <levin/train/seed.h>
#include <stdlib.h>

#include <string>

namespace levin {
namespace {

// What the action logs, warnings marked.
template <class Action>
std::string logged(Action action) {
  static std::string text;
  text.clear();
  set_log_sink([](LogLevel level, std::string_view line) {
    text += (level == LogLevel::warning ? "! " : "") + std::string(line) + "\n";
  });
  action();
  set_log_sink(nullptr);
  return text;
}

uint64_t seed() { return default_generator().seed(); }

TEST(SeedEverything, SeedsTheDefaultGenerator) {
  EXPECT_EQ(logged([] { EXPECT_EQ(seed_everything(42), 42u); }), "Seed set to 42\n");
  EXPECT_EQ(seed(), 42u);
  EXPECT_EQ(logged([] { seed_everything(4294967295, true, false); }), "");
  EXPECT_EQ(seed(), 4294967295u);
}

TEST(SeedEverything, OutOfBoundsIsZero) {
  for (const int64_t bad : {int64_t{-1}, int64_t{4294967296}}) {
    manual_seed(7);
    EXPECT_EQ(logged([&] { EXPECT_EQ(seed_everything(bad), 0u); }),
              "! " + std::to_string(bad) +
                  " is not in bounds: a seed lies between 0 and 4294967295. Seed set to 0\n"
                  "Seed set to 0\n");
    EXPECT_EQ(seed(), 0u);
  }
}

TEST(SeedEverything, MayComeFromTheEnvironment) {
  const auto with = [](const char* text) {
    text ? setenv("PL_GLOBAL_SEED", text, 1) : unsetenv("PL_GLOBAL_SEED");
    const std::string lines = logged([] { seed_everything(); });
    unsetenv("PL_GLOBAL_SEED");
    return lines;
  };
  EXPECT_EQ(with("17"), "Seed set to 17\n");
  EXPECT_EQ(seed(), 17u);
  EXPECT_EQ(with(nullptr), "! No seed found, seed set to 0\nSeed set to 0\n");
  EXPECT_EQ(with("1x"), "! Invalid seed found: '1x', seed set to 0\nSeed set to 0\n");
  EXPECT_EQ(with(""), "! Invalid seed found: '', seed set to 0\nSeed set to 0\n");
  EXPECT_EQ(with("99999999999999999999").substr(0, 23), "! 99999999999999999999 ");
  EXPECT_EQ(logged([] { seed_everything(3); }), "Seed set to 3\n");
  EXPECT_EQ(getenv("PL_GLOBAL_SEED"), nullptr);  // a good guest
}

TEST(WorkerSeeds, AreLightnings) {
  using Seeds = std::vector<uint64_t>;
  EXPECT_EQ(worker_seeds(42, 0, 0, 4), (Seeds{10414254601317384193u, 11089124965601345326u,
                                              8847960289831103767u, 15170697571502544396u}));
  EXPECT_EQ(worker_seeds(42, 3, 1, 2), (Seeds{14222569176557190958u, 14711599412298132759u}));
  EXPECT_EQ(worker_seeds(4294967295, 65535, 7, 1), Seeds{8507405969044109884u});
}

std::string stderr_of(const char* level) {
  level ? setenv("LME_LOGLEVEL", level, 1) : unsetenv("LME_LOGLEVEL");
  testing::internal::CaptureStderr();
  log_info({"information"});
  log_warning({"of ", 1});
  unsetenv("LME_LOGLEVEL");
  const std::string text = testing::internal::GetCapturedStderr();
  return text.size() < 20 ? text : text.substr(18, 7) + "|" + text.substr(text.rfind(" levin] "));
}

TEST(Log, HasLmesLevels) {
  const std::string both = " levin]| levin] warning: of 1\n";  // Q52: warnings at the default
  for (const char* level : {(const char*)nullptr, "1", "2.5", "x"})
    EXPECT_EQ(stderr_of(level), both);
  for (const char* level : {"0", "0.5", "-1", "0.99"}) EXPECT_EQ(stderr_of(level), "");
}

}  // namespace
}  // namespace levin

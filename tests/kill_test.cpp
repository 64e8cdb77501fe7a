// kill -9 at any moment: no file is torn, and a run that is killed and resumed again and again ends
// as one that was left alone. LEVIN_KILLS says how many kills, and ten times as many as series.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <random>
#include <set>

#include "scratch.h"
#include "whole_files.h"
#include "whole_run.h"

extern char** environ;

namespace levin {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

int kills_wanted() {
  const char* text = std::getenv("LEVIN_KILLS");
  return text ? std::atoi(text) : 50;
}

// Lets the victim run for at most `time`, then kills it. How long it took where it was done before.
std::optional<Seconds> done_within(Seconds time, const std::string& folder, bool resumes) {
  std::string program = LEVIN_KILL_VICTIM, where = folder, resume = "resume";
  char* const arguments[] = {program.data(), where.data(), resumes ? resume.data() : nullptr,
                             nullptr};
  int ends[2];  // of a pipe that closes when the victim is gone
  if (pipe(ends) != 0) throw std::runtime_error("no pipe");
  const auto start = Clock::now();
  pid_t victim = 0;
  const int error = posix_spawn(&victim, program.c_str(), nullptr, nullptr, arguments, environ);
  close(ends[1]);
  if (error != 0) throw std::runtime_error("no process: " + program);
  pollfd gone = {ends[0], POLLIN, 0};
  const auto nanoseconds = static_cast<int64_t>(time.count() * 1e9);
  const timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  ppoll(&gone, 1, &limit, nullptr);
  kill(victim, SIGKILL);
  int status = 0;
  waitpid(victim, &status, 0);
  close(ends[0]);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return {};
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  return Clock::now() - start;
}

// What a run leaves, but for times and paths.
struct Outcome {
  std::string csv, jsonl, metadata, state;
  std::set<std::string> checkpoints;
};

Outcome outcome_in(const std::string& folder) {
  const std::string run = folder + "/run";
  Outcome outcome{read_whole(run + "/metrics.csv"),
                  read_whole(run + "/metrics.jsonl"),
                  lasting(read_whole(run + "/fit_metadata.json")),
                  state_of(run + "/checkpoints/last.ckpt"),
                  {}};
  for (const auto& entry : fs::directory_iterator(run + "/checkpoints"))
    outcome.checkpoints.insert(entry.path().filename().string());
  outcome.checkpoints.erase("loaded.ckpt");
  return outcome;
}

// What a run leaves that nobody disturbs.
const Outcome& undisturbed() {
  static const Outcome outcome = [] {
    const Scratch folder;
    EXPECT_TRUE(done_within(Seconds(600), folder.path(), false));
    return outcome_in(folder.path());
  }();
  return outcome;
}

// How long an undisturbed run takes: the last one that was seen.
Seconds& run_time() {
  static Seconds time = *done_within(Seconds(600), Scratch().path(), false);
  return time;
}

// A moment within the first `part` of a run's time.
Seconds any_moment(double part, std::mt19937_64& numbers) {
  return run_time() * std::uniform_real_distribution<>(0, part)(numbers);
}

TEST(Defects, Q11_AKillTearsNoFile) {
  const Scratch folder;
  std::mt19937_64 numbers(1);
  int kills = 0, runs = 0, files = 0;
  for (; kills < kills_wanted(); ++runs) {
    if (runs % 10 == 0) fs::remove_all(folder / "run");  // else what killed runs have left is there
    const bool resumes = runs % 3 == 2;
    const auto done = done_within(any_moment(1.1, numbers), folder.path(), resumes);
    if (done && !resumes) run_time() = *done;
    kills += !done;
    ASSERT_EQ(torn_file(folder.path(), &files), "") << "run " << runs;
  }
  std::printf("%d kills of %d runs, %d files: none torn\n", kills, runs, files);
}

TEST(Kill, KilledAndResumedARunEndsAsIfLeftAlone) {
  std::mt19937_64 numbers(2);
  int kills = 0, files = 0;
  const int series = std::max(kills_wanted() / 10, 1);
  for (int i = 0; i < series; ++i) {
    const Scratch folder;
    while (!done_within(any_moment(0.8, numbers), folder.path(), true)) {
      ++kills;
      ASSERT_EQ(torn_file(folder.path(), &files), "");
    }
    const Outcome& expected = undisturbed();
    const Outcome outcome = outcome_in(folder.path());
    EXPECT_EQ(outcome.csv, expected.csv);
    EXPECT_EQ(outcome.jsonl, expected.jsonl);
    EXPECT_EQ(outcome.metadata, expected.metadata);
    EXPECT_EQ(outcome.state, expected.state);
    EXPECT_EQ(outcome.checkpoints, expected.checkpoints);
    for (const auto& entry : fs::recursive_directory_iterator(folder.path()))
      EXPECT_NE(entry.path().extension(), ".draft") << entry.path();
    if (HasFailure()) return;
  }
  std::printf("%d series with %d kills ended as the run that was left alone\n", series, kills);
}

}  // namespace
}  // namespace levin

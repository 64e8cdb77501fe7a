// Profilers: where a run's time goes, by the names of actions.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "../../kernels/handle.h"

namespace levin::inline v0 {

/// What a trainer times its actions with. One thread at a time.
class Profiler {
 public:
  virtual ~Profiler() = default;

  virtual void start(std::string_view action) = 0;
  virtual void stop(std::string_view action) = 0;
  /// Before a run: `stage` is "fit", "validate", "test" or "predict".
  virtual void setup(const std::string& /*stage*/, const std::string& /*log_dir*/) {}
  /// The report as text.
  virtual std::string summary() { return ""; }
  /// After a run: the report goes where it belongs.
  virtual void describe() {}
};

using AnyProfiler = Handle<Profiler>;

struct ProfiledAction {
  std::string name;
  int64_t calls = 0;
  double seconds = 0;
};

/// Lightning's report: the most expensive action first, numbers with five digits. `stage` may be
/// empty, `seconds` is the whole time.
std::string profiler_report(const std::string& stage, std::vector<ProfiledAction> actions,
                            double seconds, bool extended = true);

struct SimpleProfilerOptions {
  std::string dirpath = {};   ///< empty: the run's log_dir
  std::string filename = {};  ///< empty: the report goes to the log
  bool extended = true;       ///< with numbers of calls and percentages
};

/// Lightning's: the mean and total duration of each action. The report goes to the log, or is
/// appended to <dirpath>/<stage>-<filename>.txt. Starting and stopping an action that has run before
/// takes some 150 ns and no memory.
class SimpleProfiler : public Profiler {
 public:
  explicit SimpleProfiler(SimpleProfilerOptions options = {});

  /// Throws std::invalid_argument for an action that runs already.
  void start(std::string_view action) override;
  /// Throws std::invalid_argument for an action that was never started.
  void stop(std::string_view action) override;
  void setup(const std::string& stage, const std::string& log_dir) override;
  /// profiler_report() of the time since this object was made.
  std::string summary() override;
  void describe() override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Action : ProfiledAction {
    bool runs = false;
    Clock::time_point started;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  Action& action(std::string_view name);

  SimpleProfilerOptions options_;
  std::string stage_, log_dir_;
  Clock::time_point made_ = Clock::now();
  std::vector<Action> actions_;  // in the order of their first start
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> numbers_;
};

/// `profiler = "simple"`, a profiler, or none. Throws std::invalid_argument for another text.
class ProfilerOption {
 public:
  ProfilerOption() = default;
  ProfilerOption(const char* name);
  template <class P>
  requires std::is_constructible_v<AnyProfiler, P&&> ProfilerOption(P&& profiler)
      : profiler_(std::forward<P>(profiler)) {}

  /// Null where there is none.
  Profiler* get() const { return profiler_.get(); }

 private:
  AnyProfiler profiler_;
};

/// Times an action for as long as it lives; free where there is no profiler.
class ProfileScope {
 public:
  /// `action` must outlive it.
  ProfileScope(Profiler* profiler, std::string_view action) : profiler_(profiler), action_(action) {
    if (profiler_) profiler_->start(action_);
  }
  ~ProfileScope() {
    if (profiler_) stop();
  }
  ProfileScope(const ProfileScope&) = delete;
  ProfileScope& operator=(const ProfileScope&) = delete;

 private:
  void stop() noexcept;

  Profiler* profiler_;
  std::string_view action_;
};

}  // namespace levin::inline v0

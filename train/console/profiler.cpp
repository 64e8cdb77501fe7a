#include "profiler.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "../../kernels/check.h"
#include "../../tensor/file.h"
#include "../files/text.h"
#include "log.h"

namespace levin::inline v0 {
namespace {

constexpr int kDigits = 5;
constexpr std::size_t kColumn = 15, kTab = 8;

// Python's f"{number:.5}": like %g, but what has no exponent has a decimal point, for which there
// must be room.
std::string five_digits(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*e", kDigits - 1, number);
  std::string digits = text;
  const std::size_t e = digits.find('e');
  if (e == std::string::npos) return python_repr(number);
  const int exponent = std::atoi(digits.c_str() + e + 1);
  if (exponent < -4 || exponent >= kDigits - 1) {
    std::size_t end = digits.find_last_not_of('0', e - 1);
    if (digits[end] == '.') --end;
    return digits.substr(0, end + 1) + digits.substr(e);
  }
  std::snprintf(text, sizeof text, "%.*g", kDigits, number);
  digits = text;
  return digits.find('.') == std::string::npos ? digits + ".0" : digits;
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, text.size()), ' ');
}

// A new line for the cells, of which the first is `width` wide.
std::string row_of(const std::vector<std::string>& cells, std::size_t width) {
  std::string row = "\n|  " + padded(cells[0], width) + "\t|";
  for (std::size_t i = 1; i < cells.size(); ++i) row += "  " + padded(cells[i], kColumn) + "\t|";
  return row;
}

// Python's len(row.expandtabs()), which counts the line break too.
std::size_t expanded(const std::string& row) {
  std::size_t width = 0;
  for (const char c : row.substr(1)) width += c == '\t' ? kTab - width % kTab : 1;
  return width + 1;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

std::string profiler_report(const std::string& stage, std::vector<ProfiledAction> actions,
                            double seconds, bool extended) {
  std::erase_if(actions, [](const ProfiledAction& action) { return action.calls == 0; });
  const std::string title = (stage.empty() ? "" : upper(stage) + " ") + "Profiler Report\n";
  if (actions.empty()) return title + "\n";
  const auto mean_of = [](const ProfiledAction& action) {
    return action.seconds / static_cast<double>(action.calls);
  };
  std::stable_sort(actions.begin(), actions.end(), [&](const auto& a, const auto& b) {
    return extended ? a.seconds > b.seconds : mean_of(a) > mean_of(b);
  });
  std::size_t width = 0;
  int64_t calls = 0;
  for (const ProfiledAction& action : actions) {
    width = std::max(width, action.name.size());
    calls += action.calls;
  }
  using Cells = std::vector<std::string>;
  const std::string head = row_of(
      extended ? Cells{"Action", "Mean duration (s)", "Num calls", "Total time (s)", "Percentage %"}
               : Cells{"Action", "Mean duration (s)", "Total time (s)"},
      width);
  const std::string rule = "\n" + std::string(expanded(head), '-');
  std::string text = title + rule + head + rule;
  if (extended)
    text +=
        row_of({"Total", "-", std::to_string(calls), five_digits(seconds), "100 %"}, width) + rule;
  for (const ProfiledAction& action : actions) {
    const std::string mean = five_digits(mean_of(action)), sum = five_digits(action.seconds);
    const std::string part = five_digits(100 * action.seconds / seconds);
    text += row_of(extended ? Cells{action.name, mean, std::to_string(action.calls), sum, part}
                            : Cells{action.name, mean, sum},
                   width);
  }
  return text + rule + "\n";
}

SimpleProfiler::SimpleProfiler(SimpleProfilerOptions options) : options_(std::move(options)) {}

SimpleProfiler::Action& SimpleProfiler::action(std::string_view name) {
  const auto known = numbers_.find(name);
  if (known != numbers_.end()) return actions_[known->second];
  numbers_.emplace(name, actions_.size());
  actions_.emplace_back().name = name;
  return actions_.back();
}

void SimpleProfiler::start(std::string_view name) {
  Action& started = action(name);
  check(!started.runs, {"Attempted to start ", name, " which has already started."});
  started.runs = true;
  started.started = Clock::now();
}

void SimpleProfiler::stop(std::string_view name) {
  const auto now = Clock::now();
  const auto known = numbers_.find(name);
  check(known != numbers_.end() && actions_[known->second].runs,
        {"Attempting to stop recording an action (", name, ") which was never started."});
  Action& stopped = actions_[known->second];
  stopped.runs = false;
  stopped.seconds += std::chrono::duration<double>(now - stopped.started).count();
  ++stopped.calls;
}

void SimpleProfiler::setup(const std::string& stage, const std::string& log_dir) {
  stage_ = stage;
  log_dir_ = log_dir;
  for (Action& action : actions_) action.runs = false;  // left by a run that failed
}

std::string SimpleProfiler::summary() {
  const double seconds = std::chrono::duration<double>(Clock::now() - made_).count();
  return profiler_report(stage_, {actions_.begin(), actions_.end()}, seconds, options_.extended);
}

void SimpleProfiler::describe() {
  const std::string folder = options_.dirpath.empty() ? log_dir_ : options_.dirpath;
  if (options_.filename.empty() || folder.empty()) return log_info({summary()});
  std::filesystem::create_directories(folder);
  const std::string stage = stage_.empty() ? "" : stage_ + "-";
  AppendFile file(folder + "/" + stage + options_.filename + ".txt");
  file.append(summary());
  file.sync();
}

ProfilerOption::ProfilerOption(const char* name) {
  check(std::string_view(name) == "simple",
        {"Trainer: the profiler '", name, "' is not known: 'simple' is"});
  profiler_ = SimpleProfiler();
}

void ProfileScope::stop() noexcept {
  try {
    profiler_->stop(action_);
  } catch (const std::exception& error) {
    log_warning({"profiler: ", error.what()});
  } catch (...) {
    log_warning({"profiler: ", action_, " cannot be stopped"});
  }
}

}  // namespace levin::inline v0

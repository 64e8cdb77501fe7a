#include "log.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <ctime>

#include "terminal.h"

namespace levin::inline v0 {
namespace {

constinit std::atomic<LogSink> sink{nullptr};

// LME's levels: errors from 0.5, information from 1 on, which is the default; its warnings, which it
// shows from 1.5 on only, come with the information here.
bool is_wanted() {
  const char* text = std::getenv("LME_LOGLEVEL");
  if (!text) return true;
  char* end = nullptr;
  const double level = std::strtod(text, &end);
  return end == text || level >= 1;
}

void to_stderr(LogLevel level, std::string_view message) {
  if (!is_wanted()) return;
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char time[32];
  std::strftime(time, sizeof time, "%y-%m-%dT%H:%M:%S", &local);
  const bool coloured = has_colours(STDERR_FILENO);
  std::string line = coloured ? "[\033[32m" : "[";
  line += time;
  line += coloured ? "\033[0m levin] " : " levin] ";
  if (level == LogLevel::warning) line += "warning: ";
  line += message;
  print_lines(line + "\n");
}

void log(LogLevel level, std::initializer_list<Part> parts) {
  std::string message;
  for (const Part& part : parts) part.append_to(&message);
  const LogSink chosen = sink.load();
  (chosen ? chosen : to_stderr)(level, message);
}

}  // namespace

void set_log_sink(LogSink chosen) { sink = chosen; }
void log_info(std::initializer_list<Part> message) { log(LogLevel::info, message); }
void log_warning(std::initializer_list<Part> message) { log(LogLevel::warning, message); }

}  // namespace levin::inline v0

#include "log.h"

#include <atomic>
#include <cstdio>
#include <ctime>

namespace levin::inline v0 {
namespace {

constinit std::atomic<LogSink> sink{nullptr};

void to_stderr(LogLevel level, std::string_view message) {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char time[32];
  std::strftime(time, sizeof time, "%y-%m-%dT%H:%M:%S", &local);
  std::fprintf(stderr, "[%s levin] %s%.*s\n", time, level == LogLevel::warning ? "warning: " : "",
               static_cast<int>(message.size()), message.data());
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

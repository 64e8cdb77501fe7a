#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace levin::inline v0 {
namespace {

// What stands in stderr's last line: one for the process, as the line is. A fixed array, since
// nothing may be destroyed at exit while threads still log.
constinit std::mutex mutex;
constinit char bar[1024] = "";

void put(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }

void clear() {
  if (bar[0] != '\0') put("\r\033[K");
}

}  // namespace

int terminal_columns(int descriptor, int fallback) {
  if (const char* text = std::getenv("COLUMNS"))
    if (const int columns = std::atoi(text); columns > 0) return columns;
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : fallback;
}

bool can_redraw(int descriptor) {
  const char* kind = std::getenv("TERM");
  return isatty(descriptor) && kind && std::strcmp(kind, "dumb") != 0;
}

bool has_colours(int descriptor) {
  const char* none = std::getenv("NO_COLOR");
  return (!none || none[0] == '\0') && can_redraw(descriptor);
}

void print_lines(std::string_view lines) {
  const std::lock_guard lock(mutex);
  clear();
  put(lines);
  put(bar);
  std::fflush(stderr);
}

void draw_bar(std::string_view line) {
  const std::lock_guard lock(mutex);
  clear();
  const std::size_t size = line.copy(bar, sizeof bar - 1);
  bar[size] = '\0';
  put(bar);
  std::fflush(stderr);
}

void leave_bar() {
  const std::lock_guard lock(mutex);
  if (bar[0] != '\0') put("\n");
  bar[0] = '\0';
  std::fflush(stderr);
}

}  // namespace levin::inline v0

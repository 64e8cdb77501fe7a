#include "progress_bar.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "../files/text.h"
#include "../trainer.h"

namespace levin::inline v0 {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(100);
constexpr int kWidestBar = 60;
constexpr int kDigits = 3;  // of numbers beside the bar
constexpr std::size_t kPaddedWidth = 5;

bool stderr_is_terminal() {
  const char* kind = std::getenv("TERM");
  return isatty(STDERR_FILENO) && kind && std::strcmp(kind, "dumb") != 0;
}

int terminal_columns() {
  if (const char* text = std::getenv("COLUMNS"))
    if (const int columns = std::atoi(text); columns > 0) return columns;
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<int64_t>(std::max(seconds, 0.0));
  char text[32];
  if (whole >= 3600)
    std::snprintf(text, sizeof text, "%lld:%02d:%02d", static_cast<long long>(whole / 3600),
                  static_cast<int>(whole / 60 % 60), static_cast<int>(whole % 60));
  else
    std::snprintf(text, sizeof text, "%02d:%02d", static_cast<int>(whole / 60),
                  static_cast<int>(whole % 60));
  return text;
}

// A number in full, the last four characters of a name.
std::string short_version(std::string_view version) {
  const bool number = version.find_first_not_of("0123456789") == std::string_view::npos;
  while (!number && character_count(version) > 4) next_character(version);
  return std::string(version);
}

std::string postfix_of(const Trainer& trainer, bool with_running_loss) {
  std::string text;
  const auto add = [&](const std::string& name, const std::string& value) {
    text += (text.empty() ? "" : ", ") + name + "=" + value;
  };
  const std::string version = trainer.loggers().empty() ? "" : trainer.loggers()[0]->version();
  if (!version.empty()) add("v_num", short_version(version));
  if (const auto loss = with_running_loss ? trainer.running_loss() : std::nullopt)
    add("loss", progress_number(*loss));
  for (const auto& [name, value] : trainer.callback_metrics())
    if (!with_running_loss || name != "loss") add(name, progress_number(value));
  return text;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

std::string progress_number(double number) {
  if (!std::isfinite(number)) return python_repr(number);
  char digits[32];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number,
                                 std::chars_format::general, kDigits)
                       .ptr;
  std::string text(digits, end);
  const std::size_t e = text.find('e');
  if (e != std::string::npos && text[e + 2] == '0') text.erase(e + 2, 1);
  if (const std::string whole = python_repr(number); whole.size() <= text.size()) text = whole;
  if (text.find('e') != std::string::npos) return text;
  if (text.size() < kPaddedWidth && text.find('.') == std::string::npos) text += '.';
  return text + std::string(kPaddedWidth - std::min(kPaddedWidth, text.size()), '0');
}

namespace {

std::string bar_text(double part, int width) {
  static constexpr const char* kParts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = static_cast<int>(part * width * 8);
  std::string bar;
  for (int i = 0; i < eighths / 8; ++i) bar += "█";
  bar += kParts[eighths % 8];
  return bar + std::string(static_cast<std::size_t>(width - (eighths + 7) / 8), ' ');
}

std::string right_aligned(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

}  // namespace

std::string progress_line(const std::string& title, int64_t done, int64_t total, double seconds,
                          const std::string& postfix, int columns) {
  const double part = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1;
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const std::string head = title + ": " + right_aligned(fixed_text(part * 100, 0), 3) + "%|";
  const std::string left =
      rate > 0 ? clock_text(static_cast<double>(total - done) / rate) : std::string("?");
  const std::string speed = rate > 0 ? right_aligned(fixed_text(rate, 2), 5) : std::string("?");
  const auto tail = [&](const std::string& facts) {
    return "| " + std::to_string(done) + "/" + std::to_string(total) + " [" + clock_text(seconds) +
           "<" + left + ", " + speed + "it/s" + (facts.empty() ? "" : ", ") + facts + "]";
  };
  // A character in the last column would begin a new line on some terminals.
  const int most = std::max(columns - 1, 0);
  const auto room = [&](const std::string& facts) {
    return most - static_cast<int>(character_count(head + tail(facts)));
  };
  std::string facts = postfix;
  while (room(facts) < 0 && !facts.empty()) {
    const std::size_t comma = facts.rfind(", ");
    facts.resize(comma == std::string::npos ? 0 : comma);
  }
  const std::string line =
      head + bar_text(part, std::clamp(room(facts), 0, kWidestBar)) + tail(facts);
  std::string_view rest = line;
  for (int i = 0; i < most && !rest.empty(); ++i) next_character(rest);
  return line.substr(0, line.size() - rest.size());
}

ProgressBar::ProgressBar() : terminal_(stderr_is_terminal()) {}

bool ProgressBar::due() {
  if (!terminal_) return false;
  const auto now = Clock::now();
  if (now - drawn_at_ < kInterval) return false;
  drawn_at_ = now;
  return true;
}

void ProgressBar::draw(const std::string& line) {
  clear();
  std::fprintf(stderr, "\r%s", line.c_str());
  std::fflush(stderr);
  width_ = line.size();
}

void ProgressBar::clear() {
  if (width_ > 0) std::fputs("\r\033[K", stderr);
  width_ = 0;
}

void ProgressBar::on_train_epoch_start(Trainer&, LME&) { epoch_start_ = Clock::now(); }
void ProgressBar::on_validation_start(Trainer&, LME&) { validation_start_ = Clock::now(); }

void ProgressBar::on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*,
                                     const data::Batch&, int64_t batch_idx) {
  if (!due()) return;
  draw(progress_line("Epoch " + std::to_string(trainer.current_epoch()), batch_idx + 1,
                     trainer.num_training_batches(), seconds_since(epoch_start_),
                     postfix_of(trainer, true), terminal_columns()));
}

void ProgressBar::on_validation_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*,
                                          const data::Batch&, int64_t batch_idx,
                                          int64_t /*dataloader_idx*/) {
  if (!due()) return;
  const bool sanity = trainer.stage() == Stage::sanity_check;
  draw(progress_line(sanity ? "Sanity Checking DataLoader 0" : "Validation DataLoader 0",
                     batch_idx + 1, trainer.num_val_batches(), seconds_since(validation_start_), "",
                     terminal_columns()));
}

void ProgressBar::on_sanity_check_end(Trainer&, LME&) { clear(); }

void ProgressBar::on_epoch_logged(Trainer& trainer, LME&) {
  const int64_t total = trainer.num_training_batches();
  const double seconds = seconds_since(epoch_start_);
  const std::string title = "Epoch " + std::to_string(trainer.current_epoch());
  const std::string postfix = postfix_of(trainer, false);
  if (terminal_) {
    draw(progress_line(title, total, total, seconds, postfix, terminal_columns()));
    std::fputc('\n', stderr);
    width_ = 0;
    return;
  }
  const std::string count = std::to_string(total) + "/" + std::to_string(total);
  const std::string line = title + ": " + count + " [" + clock_text(seconds) +
                           (postfix.empty() ? "" : ", ") + postfix + "]\n";
  std::fputs(line.c_str(), stderr);
}

void ProgressBar::on_exception(Trainer&, LME&, const std::exception&) { clear(); }

}  // namespace levin::inline v0

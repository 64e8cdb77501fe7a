#include "progress_bar.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../files/text.h"
#include "../trainer.h"

namespace levin::inline v0 {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(100);

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

std::string postfix_of(const Trainer& trainer, bool with_running_loss) {
  std::string text;
  const auto add = [&](const std::string& name, const std::string& value) {
    text += (text.empty() ? "" : ", ") + name + "=" + value;
  };
  if (!trainer.loggers().empty()) add("v_num", trainer.loggers()[0]->version());
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
  char text[64];
  std::snprintf(text, sizeof text, "%.3g", number);
  std::string result = text;
  for (char& c : result)
    if (c == ',') c = '.';  // a host program may have set another locale
  const bool padded = std::isfinite(number) && result.find('e') == std::string::npos;
  if (padded && result.size() < 5 && result.find('.') == std::string::npos) result += '.';
  while (padded && result.size() < 5) result += '0';
  return result;
}

std::string progress_line(const std::string& title, int64_t done, int64_t total, double seconds,
                          const std::string& postfix, int columns) {
  const double part = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1;
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const double left = rate > 0 ? static_cast<double>(total - done) / rate : 0;
  char percent[16];
  std::snprintf(percent, sizeof percent, "%3d%%", static_cast<int>(part * 100));
  const std::string head = title + ": " + percent + "|";
  const std::string tail = "| " + std::to_string(done) + "/" + std::to_string(total) + " [" +
                           clock_text(seconds) + "<" + clock_text(left) + ", " +
                           fixed_text(rate, 2) + "it/s" + (postfix.empty() ? "" : ", ") + postfix +
                           "]";
  const int room = columns - static_cast<int>(head.size() + tail.size()) - 1;
  const int width = std::clamp(room, 0, 60);
  const int eighths = static_cast<int>(part * width * 8);
  std::string bar;
  for (int i = 0; i < eighths / 8; ++i) bar += "█";
  int filled = eighths / 8;
  if (eighths % 8 != 0) {
    static constexpr const char* kParts[] = {"▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    bar += kParts[eighths % 8 - 1];
    ++filled;
  }
  return head + bar + std::string(static_cast<std::size_t>(width - filled), ' ') + tail;
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

void ProgressBar::on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*,
                                     const data::Batch&, int64_t batch_idx) {
  if (!due()) return;
  draw(progress_line("Epoch " + std::to_string(trainer.current_epoch()), batch_idx + 1,
                     trainer.num_training_batches(), seconds_since(epoch_start_),
                     postfix_of(trainer, true), terminal_columns()));
}

void ProgressBar::on_validation_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*,
                                          const data::Batch&, int64_t batch_idx) {
  if (!due()) return;
  const bool sanity = trainer.stage() == Stage::sanity_check;
  draw(progress_line(sanity ? "Sanity Checking DataLoader 0" : "Validation DataLoader 0",
                     batch_idx + 1, trainer.num_val_batches(), seconds_since(epoch_start_), "",
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
  std::fprintf(stderr, "%s: %lld/%lld [%s, %s]\n", title.c_str(), static_cast<long long>(total),
               static_cast<long long>(total), clock_text(seconds).c_str(), postfix.c_str());
}

void ProgressBar::on_exception(Trainer&, LME&, const std::exception&) { clear(); }

}  // namespace levin::inline v0

#include "progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "../../kernels/check.h"
#include "../console/terminal.h"
#include "../files/text.h"
#include "../trainer.h"

namespace levin::inline v0 {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(100);
constexpr int kWidestBar = 60;
constexpr int kDigits = 3;  // of numbers beside the bar
constexpr std::size_t kPaddedWidth = 5;

constexpr int kUnknownWidth = 80;

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
  const std::vector<std::string>& own = trainer.metric_names();
  const auto is_own = [&](const std::string& name) {
    return std::find(own.begin(), own.end(), name) != own.end();
  };
  for (const auto& [name, value] : trainer.callback_metrics())
    if (is_own(name) && !(with_running_loss && name == "loss")) add(name, progress_number(value));
  for (const auto& [name, value] : trainer.progress_bar_metrics())
    if (!is_own(name)) add(name, progress_number(value));
  return text;
}

// TQDM_MINITERS counts where it asks for less.
int64_t resolved(int64_t refresh_rate) {
  const char* text = std::getenv("TQDM_MINITERS");
  return std::max<int64_t>(refresh_rate, text ? std::atoll(text) : 0);
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

std::string count_text(int64_t done, int64_t total) {
  return std::to_string(done) + "/" + (total < 0 ? "?" : std::to_string(total));
}

std::string right_aligned(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

}  // namespace

std::string progress_line(const std::string& title, int64_t done, int64_t total, double seconds,
                          const std::string& postfix, int columns) {
  const bool known = total > 0;
  const double part = known ? static_cast<double>(done) / static_cast<double>(total) : 0;
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const std::string percent = known ? right_aligned(fixed_text(part * 100, 0), 3) + "%" : "";
  const std::string head = title + ": " + percent + "|";
  const double rest_of_it = known && rate > 0 ? static_cast<double>(total - done) / rate : 0;
  const std::string left = rate > 0 ? clock_text(rest_of_it) : "?";
  const std::string speed = rate > 0 ? right_aligned(fixed_text(rate, 2), 5) : "?";
  const auto tail = [&](const std::string& facts) {
    return "| " + count_text(done, total) + " [" + clock_text(seconds) + "<" + left + ", " + speed +
           "it/s" + (facts.empty() ? "" : ", ") + facts + "]";
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
  const int width = std::clamp(room(facts), 0, kWidestBar);
  const std::string line = head + bar_text(part, width) + tail(facts);
  std::string_view rest = line;
  for (int i = 0; i < most && !rest.empty(); ++i) next_character(rest);
  return line.substr(0, line.size() - rest.size());
}

ProgressBar::ProgressBar(ProgressBarOptions options)
    : refresh_rate_(resolved(options.refresh_rate)), redraws_(can_redraw(STDERR_FILENO)) {
  check(options.refresh_rate >= 0,
        {"ProgressBar: refresh_rate is ", options.refresh_rate, ", it must be at least 0"});
}

bool ProgressBar::due(const Count& count) {
  if (!redraws_ || refresh_rate_ == 0) return false;
  if (count.done % refresh_rate_ != 0 && count.done != count.total) return false;
  const auto now = Clock::now();
  if (now - drawn_at_ < kInterval) return false;
  drawn_at_ = now;
  return true;
}

void ProgressBar::draw(const Count& count, const std::string& postfix) {
  draw_bar(progress_line(count.title, count.done, count.total, seconds_since(count.start), postfix,
                         terminal_columns(STDERR_FILENO, kUnknownWidth)));
}

// The last of a count: its bar stays, or it is one line.
void ProgressBar::leave(const Count& count, const std::string& postfix) {
  if (refresh_rate_ == 0) return;
  if (redraws_) {
    draw(count, postfix);
    leave_bar();
    return;
  }
  print_lines(count.title + ": " + count_text(count.done, count.total) + " [" +
              clock_text(seconds_since(count.start)) + (postfix.empty() ? "" : ", ") + postfix +
              "]\n");
}

void ProgressBar::clear() {
  if (redraws_) draw_bar("");
  evaluation_ = {};
}

void ProgressBar::on_train_epoch_start(Trainer&, LME&) {
  epoch_ = {};
  epoch_.start = Clock::now();
}

void ProgressBar::on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*,
                                     const data::Batch&, int64_t batch_idx) {
  set_epoch(trainer, batch_idx + 1);
  if (due(epoch_)) draw(epoch_, postfix_of(trainer, true));
}

void ProgressBar::set_epoch(const Trainer& trainer, int64_t done) {
  epoch_.title = "Epoch " + std::to_string(trainer.current_epoch());
  epoch_.done = done;
  epoch_.total = trainer.num_training_batches();
  // A run that goes on within an epoch does not start it.
  if (epoch_.start == Clock::time_point()) epoch_.start = Clock::now();
}

// Each loader has a bar of its own.
void ProgressBar::begin_batch(const Trainer& trainer, const char* title, int64_t batch_idx,
                              int64_t dataloader_idx) {
  if (batch_idx > 0 && evaluation_.start != Clock::time_point()) return;
  end_loader(trainer);
  evaluation_ = {title + (" DataLoader " + std::to_string(dataloader_idx)), 0,
                 trainer.num_evaluation_batches(dataloader_idx), Clock::now()};
}

void ProgressBar::end_batch(int64_t batch_idx) {
  evaluation_.done = batch_idx + 1;
  if (due(evaluation_)) draw(evaluation_, "");
}

// Within a fit the bar of a validation goes away.
void ProgressBar::end_loader(const Trainer& trainer) {
  if (trainer.function() == TrainerFn::fit) return clear();
  if (evaluation_.start != Clock::time_point()) leave(evaluation_, "");
  evaluation_ = {};
}

void ProgressBar::on_validation_batch_start(Trainer& trainer, LME&, const data::Batch&,
                                            int64_t batch_idx, int64_t dataloader_idx) {
  begin_batch(trainer, trainer.sanity_checking() ? "Sanity Checking" : "Validation", batch_idx,
              dataloader_idx);
}
void ProgressBar::on_validation_batch_end(Trainer&, LME&, const AlgorithmOutput*,
                                          const data::Batch&, int64_t batch_idx, int64_t) {
  end_batch(batch_idx);
}
void ProgressBar::on_validation_end(Trainer& trainer, LME&) { end_loader(trainer); }

void ProgressBar::on_test_batch_start(Trainer& trainer, LME&, const data::Batch&, int64_t batch_idx,
                                      int64_t dataloader_idx) {
  begin_batch(trainer, "Testing", batch_idx, dataloader_idx);
}
void ProgressBar::on_test_batch_end(Trainer&, LME&, const AlgorithmOutput*, const data::Batch&,
                                    int64_t batch_idx, int64_t) {
  end_batch(batch_idx);
}
void ProgressBar::on_test_end(Trainer& trainer, LME&) { end_loader(trainer); }

void ProgressBar::on_predict_batch_start(Trainer& trainer, LME&, const data::Batch&,
                                         int64_t batch_idx, int64_t dataloader_idx) {
  begin_batch(trainer, "Predicting", batch_idx, dataloader_idx);
}
void ProgressBar::on_predict_batch_end(Trainer&, LME&, const AlgorithmOutput*, const data::Batch&,
                                       int64_t batch_idx, int64_t) {
  end_batch(batch_idx);
}
void ProgressBar::on_predict_end(Trainer& trainer, LME&) { end_loader(trainer); }

void ProgressBar::on_epoch_logged(Trainer& trainer, LME&) {
  set_epoch(trainer, epoch_.done > 0 ? epoch_.done : trainer.num_training_batches());
  leave(epoch_, postfix_of(trainer, false));
  epoch_ = {};
}

void ProgressBar::on_exception(Trainer&, LME&, const std::exception&) {
  clear();
  epoch_ = {};
}

}  // namespace levin::inline v0

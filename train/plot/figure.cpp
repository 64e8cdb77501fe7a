#include "figure.h"

#include <algorithm>
#include <cmath>

#include "../files/text.h"
#include "text.h"
#include "ticks.h"

namespace levin::inline v0 {
namespace {

constexpr double kTitleSize = 16.67, kTickLength = 5, kLegendEdge = 634;
constexpr double kDigitHeight = 10;  // at kTextSize
constexpr Colour kPale{204, 204, 204}, kWhite{255, 255, 255};

void draw_frame(Canvas& canvas) {
  const Box& f = kFrame;
  canvas.fill_box({f.left, f.top, f.right, f.top + 1}, 0, kBlack);
  canvas.fill_box({f.left, f.bottom - 1, f.right, f.bottom}, 0, kBlack);
  canvas.fill_box({f.left, f.top, f.left + 1, f.bottom}, 0, kBlack);
  canvas.fill_box({f.right - 1, f.top, f.right, f.bottom}, 0, kBlack);
}

void draw_epoch_ticks(Canvas& canvas, const Scale& scale, std::size_t epochs) {
  const Ticks ticks = epoch_ticks(std::int64_t(epochs));
  for (std::size_t i = 0; i < ticks.labels.size(); ++i) {
    const double x = scale.x(ticks.positions[i]), column = std::floor(x);
    canvas.fill_box({column, kFrame.bottom, column + 1, kFrame.bottom + kTickLength}, 0, kBlack);
    const double width = text_width(ticks.labels[i], kTextSize);
    draw_text(canvas, ticks.labels[i], {x - width / 2, kFrame.bottom + 20}, kTextSize, kBlack);
  }
  const double middle = (kFrame.left + kFrame.right - text_width("Epoch", kTextSize)) / 2;
  draw_text(canvas, "Epoch", {middle, kFrame.bottom + 39}, kTextSize, kBlack);
}

// Returns where the text that belongs to the labels ends, above the frame.
double draw_value_ticks(Canvas& canvas, const Scale& scale) {
  const Ticks ticks = value_ticks(scale.values.low, scale.values.high, 9);
  for (std::size_t i = 0; i < ticks.labels.size(); ++i) {
    const double y = scale.y(ticks.positions[i]), row = std::floor(y);
    canvas.fill_box({kFrame.left - kTickLength, row, kFrame.left, row + 1}, 0, kBlack);
    const double end = kFrame.left - 2 * kTickLength;
    draw_text(canvas, ticks.labels[i],
              {end - text_width(ticks.labels[i], kTextSize), row + kDigitHeight / 2}, kTextSize,
              kBlack);
  }
  draw_text(canvas, ticks.scale, {kFrame.left, kFrame.top - 6}, kTextSize, kBlack);
  return kFrame.left + text_width(ticks.scale, kTextSize);
}

// Returns where the legend begins.
double draw_legend(Canvas& canvas, const std::vector<LegendEntry>& legend) {
  constexpr double kTop = 7, kPad = 6, kHandle = 28, kGap = 11, kRow = 21;
  double widest = 0;
  for (const LegendEntry& entry : legend)
    widest = std::max(widest, text_width(entry.name, kTextSize));
  const double left = std::floor(kLegendEdge - kPad - kHandle - kGap - widest - kPad);
  const double bottom = kTop + 5 + kRow * double(legend.size());
  canvas.fill_box({left, kTop, kLegendEdge, bottom}, 3, kPale);
  canvas.fill_box({left + 1, kTop + 1, kLegendEdge - 1, bottom - 1}, 2, kWhite);
  for (std::size_t i = 0; i < legend.size(); ++i) {
    const double y = kTop + 12 + kRow * double(i), x = left + kPad;
    const Point line[] = {{x, y}, {x + kHandle, y}};
    canvas.stroke(line, kLineWidth, legend[i].colour, {x, 0, x + kHandle, kHeight});
    draw_text(canvas, legend[i].name, {x + kHandle + kGap, y + kDigitHeight / 2}, kTextSize,
              kBlack);
  }
  return left;
}

// In the middle of the frame if there is room between left and right, else between these.
void draw_title(Canvas& canvas, std::string_view title, double left, double right) {
  const double size = kTitleSize * std::min(1.0, (right - left) / text_width(title, kTitleSize));
  const double width = text_width(title, size);
  const double middle = (kFrame.left + kFrame.right - width) / 2;
  draw_text(canvas, title, {std::max(std::min(middle, right - width), left), kFrame.top - 8}, size,
            kBlack);
}

}  // namespace

double Scale::x(double epoch) const {
  const double share = (epoch - epochs.low) / (epochs.high - epochs.low);
  return kFrame.left + 0.5 + share * (kFrame.right - kFrame.left - 1);
}

double Scale::y(double value) const {
  const double share = (value - values.low) / (values.high - values.low);
  return kFrame.bottom - 0.5 - std::clamp(share, -1e4, 1e4) * (kFrame.bottom - kFrame.top - 1);
}

std::string title_of(const MetricHistory& history) {
  const std::string& name = history.name;
  std::vector<std::size_t> starts;  // of the characters
  for (std::string_view rest = name; !rest.empty(); next_character(rest))
    starts.push_back(name.size() - rest.size());
  const std::string title = starts.size() < 35 ? name
                                               : name.substr(0, starts[25]) + "..." +
                                                     name.substr(starts[starts.size() - 7]);
  return title + (history.higher_is_better ? "(↑)" : "(↓)");
}

void draw_figure(Canvas& canvas, const Scale& scale, std::size_t epochs, std::string_view title,
                 const std::vector<LegendEntry>& legend) {
  constexpr double kSpace = 12;
  draw_frame(canvas);
  draw_epoch_ticks(canvas, scale, epochs);
  const double left = draw_value_ticks(canvas, scale);
  const double right = legend.empty() ? kLegendEdge : draw_legend(canvas, legend);
  draw_title(canvas, title, left + kSpace, right - kSpace);
}

}

#include "metric_plot.h"

#include <algorithm>
#include <cmath>

#include "canvas.h"
#include "figure.h"
#include "history.h"
#include "note.h"
#include "png.h"
#include "ticks.h"

namespace levin::inline v0 {
namespace {

constexpr double kMargin = 0.05, kDotRadius = 4.2, kLonePointRadius = 2.5;
constexpr Colour kTrain{0x1f, 0x77, 0xb4}, kValidation{0xff, 0x7f, 0x0e}, kBest{0x2c, 0xa0, 0x2c};

std::size_t count_epochs(const MetricHistory& history) {
  return std::max(history.train.size(), history.validation.size());
}

// note_room: leaves space for the note on the side of better values.
Scale scale_of(const MetricHistory& history, bool note_room) {
  const double last = double(std::max<std::size_t>(count_epochs(history), 1));
  const double beside = std::max(kMargin * (last - 1), last > 1 ? 0.0 : 0.5);
  const Range values = value_range(history);
  const double range = values.high - values.low;
  double below = kMargin * range, above = below;
  if (note_room) (history.higher_is_better ? above : below) = 0.2 * range;
  return {{1 - beside, last + beside}, {values.low - below, values.high + above}};
}

Point point_at(const Scale& scale, std::size_t epoch, double value) {
  return {scale.x(double(epoch) + 1), scale.y(value)};
}

// The runs of finite values, as lines or, where of one value only, as points.
std::vector<std::vector<Point>> runs_of(const Scale& scale, const std::vector<double>& series) {
  std::vector<std::vector<Point>> runs(1);
  for (std::size_t i = 0; i < series.size(); ++i)
    if (std::isfinite(series[i]))
      runs.back().push_back(point_at(scale, i, series[i]));
    else if (!runs.back().empty())
      runs.emplace_back();
  return runs;
}

void draw_lines(Canvas& canvas, const std::vector<std::vector<Point>>& runs, Colour colour) {
  for (const std::vector<Point>& run : runs)
    if (run.size() > 1) canvas.stroke(run, kLineWidth, colour, kInside);
}

void draw_lone_points(Canvas& canvas, const std::vector<std::vector<Point>>& runs, Colour colour) {
  for (const std::vector<Point>& run : runs)
    if (run.size() == 1) canvas.fill_disk(run[0], kLonePointRadius, colour);
}

// Where a value leaves the frame: -1 at the top, 1 at the bottom, 0 nowhere.
int side_left(const Scale& scale, const std::vector<double>& series, std::size_t epoch) {
  if (epoch >= series.size() || !std::isfinite(series[epoch])) return 0;
  const double y = scale.y(series[epoch]);
  return y < kFrame.top ? -1 : y > kFrame.bottom ? 1 : 0;
}

// A triangle at the border, or below another one that is there; returns the middle of its base.
Point draw_outlier(Canvas& canvas, double x, int side, bool second, Colour colour) {
  constexpr double kSide = 9, kHeightOfMark = 7;
  const double border = side < 0 ? kInside.top : kInside.bottom;
  const Point base{x, border - side * (kHeightOfMark + 1 + (second ? kHeightOfMark + 2 : 0))};
  canvas.fill_triangle(base, kSide, side * kHeightOfMark, colour);
  return base;
}

void draw_outliers(Canvas& canvas, const Scale& scale, const MetricHistory& history) {
  for (std::size_t i = 0; i < count_epochs(history); ++i) {
    const int train = side_left(scale, history.train, i);
    const int validation = side_left(scale, history.validation, i);
    const double x = scale.x(double(i) + 1);
    if (train != 0) draw_outlier(canvas, x, train, false, kTrain);
    if (validation != 0) draw_outlier(canvas, x, validation, train == validation, kValidation);
  }
}

// Returns where the dot is.
Point draw_best(Canvas& canvas, const Scale& scale, const MetricHistory& history,
                std::size_t best) {
  const Point dot = point_at(scale, best, scores(history)[best]);
  const int side = side_left(scale, scores(history), best);
  if (side == 0) {
    canvas.fill_disk(dot, kDotRadius, kBest);
    return dot;
  }
  const bool second = !history.validation.empty() && side_left(scale, history.train, best) == side;
  return draw_outlier(canvas, dot.x, side, second, kBest);
}

// All that lies in the frame, but for the note, of which only the place is known.
struct Curves {
  Canvas canvas{kWidth, kHeight};
  Scale scale;
  Point dot{};
  NotePlace place{};
};

Curves draw_curves(const MetricHistory& history, const Note& note, bool note_room) {
  Curves curves{.scale = scale_of(history, note_room)};
  const auto train = runs_of(curves.scale, history.train);
  const auto validation = runs_of(curves.scale, history.validation);
  draw_lines(curves.canvas, train, kTrain);
  draw_lines(curves.canvas, validation, kValidation);
  draw_outliers(curves.canvas, curves.scale, history);
  const auto best = best_epoch(history);
  if (best) curves.dot = draw_best(curves.canvas, curves.scale, history, *best);
  // Above the dot, which would hide a curve of one epoch.
  draw_lone_points(curves.canvas, train, kTrain);
  draw_lone_points(curves.canvas, validation, kValidation);
  constexpr double kReach = 24;
  if (best) curves.place = place_for(note, curves.dot, note_room ? kWidth : kReach, curves.canvas);
  return curves;
}

}  // namespace

std::string metric_plot_png(const MetricHistory& history) {
  Note note;
  const auto best = best_epoch(history);
  if (best)
    note = {"Epoch " + std::to_string(*best + 1), "Best " + value_text(scores(history)[*best])};
  Curves curves = draw_curves(history, note, false);
  if (curves.place.ink > 0) curves = draw_curves(history, note, true);
  if (best) draw_note(curves.canvas, note, curves.place.box, curves.dot);

  std::vector<LegendEntry> legend;
  if (!history.train.empty()) legend.push_back({"train", kTrain});
  if (!history.validation.empty()) legend.push_back({"validation", kValidation});
  draw_figure(curves.canvas, curves.scale, count_epochs(history), title_of(history), legend);
  return png_bytes(curves.canvas);
}

}

// What stands around the curves: the frame with its ticks, the title and the legend, in the measures
// of matplotlib's default figure (at 100 pixels an inch).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "canvas.h"
#include "history.h"

namespace levin::inline v0 {

constexpr int kWidth = 640, kHeight = 480;
constexpr Box kFrame{80, 57, 577, 428};  // its outer edge; its lines are a pixel wide
constexpr Box kInside{kFrame.left + 1, kFrame.top + 1, kFrame.right - 1, kFrame.bottom - 1};
constexpr double kTextSize = 13.89, kLineWidth = 2.08;
constexpr Colour kBlack{0, 0, 0};

/// Where data lies in the frame.
struct Scale {
  Range epochs, values;

  double x(double epoch) const;
  /// Values far outside are moved nearer, so that squares of distances remain finite.
  double y(double value) const;
};

struct LegendEntry {
  std::string name;
  Colour colour;
};

/// `<name>(↑)` or `<name>(↓)`; of a name of 35 characters or more the first 25, "..." and the last 7.
std::string title_of(const MetricHistory& history);

/// Draws all of it. epochs: how many there are.
void draw_figure(Canvas& canvas, const Scale& scale, std::size_t epochs, std::string_view title,
                 const std::vector<LegendEntry>& legend);

}

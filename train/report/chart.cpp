#include "chart.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "../files/text.h"
#include "../plot/history.h"
#include "../plot/ticks.h"
#include "curve.h"
#include "html.h"

namespace levin::inline v0 {
namespace {

constexpr std::size_t kColours = 6;  // that the page has

// Everything that the parts of one figure need to know.
struct Drawing {
  const ReportChart& chart;
  std::size_t first_column;
  CurveScale scale;
  bool logarithmic;
  NumberFormat format;
  std::optional<std::size_t> best;
  std::vector<std::vector<double>> curves;  // logarithms on a logarithmic axis
};

MetricHistory history_of(const ReportChart& chart) {
  MetricHistory history{chart.title, chart.best == BestValue::highest, {}, {}};
  if (!chart.series.empty()) history.train = numbers_of(chart.series.front());
  if (chart.series.size() > 1) history.validation = numbers_of(chart.series.back());
  return history;
}

// The finite values of all series as one.
std::vector<double> finite_values(const std::vector<std::vector<double>>& curves) {
  std::vector<double> all;
  for (const std::vector<double>& curve : curves)
    std::copy_if(curve.begin(), curve.end(), std::back_inserter(all),
                 [](double value) { return std::isfinite(value); });
  return all;
}

bool spans_powers_of_ten(const std::vector<double>& values) {
  if (values.empty()) return false;
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  return *least > 0 && *greatest / *least > 50;
}

Drawing drawing_of(const ReportChart& chart, std::size_t first_column, std::size_t epochs) {
  Drawing drawing{
      chart, first_column, {.epochs = epochs}, false, format_of(chart), best_epoch(chart), {}};
  for (const ReportSeries& series : chart.series) drawing.curves.push_back(numbers_of(series));
  std::vector<double> values = finite_values(drawing.curves);
  drawing.logarithmic = chart.axis == ChartAxis::logarithmic && spans_powers_of_ten(values);
  if (drawing.logarithmic) {
    for (std::vector<double>& curve : drawing.curves)
      for (double& value : curve) value = std::log10(value);
    values = finite_values(drawing.curves);
  }
  if (chart.axis == ChartAxis::from_zero) values.push_back(0);
  Range range = value_range({"", chart.best == BestValue::highest, values, {}});
  if (chart.axis == ChartAxis::from_zero) range.low = std::min(range.low, 0.0);
  if (chart.axis == ChartAxis::logarithmic && !values.empty()) {
    const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
    range = {std::min(range.low, *least), std::max(range.high, *greatest)};  // no outliers here
  }
  drawing.scale.low = range.low;
  drawing.scale.high = range.high;
  return drawing;
}

std::string colour_class(std::size_t series) { return "c" + std::to_string(series % kColours); }

std::string percent(double thousandths) { return fixed_text(thousandths / 10, 2) + "%"; }

std::string cell_text(const Drawing& drawing, std::size_t series, std::size_t epoch) {
  const auto& values = drawing.chart.series[series].values;
  return epoch < values.size() && values[epoch] ? drawing.format.text(*values[epoch]) : "–";
}

std::size_t last_epoch(const Drawing& drawing) {
  return std::max<std::size_t>(drawing.scale.epochs, 1) - 1;
}

std::string number_text(std::size_t number) { return std::to_string(number); }

std::string caption(const Drawing& drawing) {
  const bool higher = drawing.chart.best == BestValue::highest;
  std::string html = "<figcaption><h3>" + escaped(drawing.chart.title);
  if (drawing.chart.best != BestValue::none)
    html += higher ? " <abbr title=\"higher is better\">↑</abbr>"
                   : " <abbr title=\"lower is better\">↓</abbr>";
  return html + "</h3><p class=\"epoch\">epoch <b>" + number_text(last_epoch(drawing)) +
         "</b></p></figcaption>\n";
}

// What the curves are at the last epoch, or where the pointer is; and the best value.
std::string read_out(const Drawing& drawing) {
  const ReportChart& chart = drawing.chart;
  std::string html = "<dl class=\"values\">";
  for (std::size_t i = 0; i < chart.series.size(); ++i)
    html += "<div><dt class=\"" + colour_class(i) + "\">" + escaped(chart.series[i].label) +
            "</dt><dd data-column=\"" + number_text(drawing.first_column + i) + "\">" +
            cell_text(drawing, i, last_epoch(drawing)) + "</dd></div>";
  if (drawing.best)
    html += "<div><dt class=\"best\">best at " + number_text(*drawing.best) + "</dt><dd>" +
            cell_text(drawing, chart.series.size() - 1, *drawing.best) + "</dd></div>";
  return html + "</dl>\n";
}

// In words, for those who do not see it.
std::string description(const Drawing& drawing) {
  std::string text = drawing.chart.title + " over " + number_text(drawing.scale.epochs) + " epochs";
  for (std::size_t i = 0; i < drawing.chart.series.size(); ++i)
    text += ", " + drawing.chart.series[i].label + " from " + cell_text(drawing, i, 0) + " to " +
            cell_text(drawing, i, last_epoch(drawing));
  if (drawing.best)
    text += "; best " + cell_text(drawing, drawing.chart.series.size() - 1, *drawing.best) +
            " at epoch " + number_text(*drawing.best);
  return text;
}

std::string path(const std::string& classes, const std::string& data) {
  return data.empty() ? "" : "<path class=\"" + classes + "\" d=\"" + data + "\"/>";
}

// Triangles at the border, where a curve leaves the frame; one in half a hundredth of its width.
std::string outliers(const Drawing& drawing) {
  std::string html;
  std::set<std::tuple<std::size_t, int, bool>> taken;
  for (std::size_t i = 0; i < drawing.curves.size(); ++i)
    for (std::size_t epoch = 0; epoch < drawing.curves[i].size(); ++epoch) {
      const double value = drawing.curves[i][epoch], y = drawing.scale.y(value);
      if (!std::isfinite(value) || (y >= 0 && y <= 1000)) continue;
      const double x = drawing.scale.x(epoch);
      if (!taken.emplace(i, static_cast<int>(x / 5), y < 0).second) continue;
      html += "<i class=\"off " + std::string(y < 0 ? "above " : "below ") + colour_class(i) +
              "\" style=\"left:" + percent(x) + "\"></i>";
    }
  return html;
}

std::string best_mark(const Drawing& drawing) {
  if (!drawing.best) return "";
  const double y = std::clamp(drawing.scale.y(drawing.curves.back()[*drawing.best]), 0.0, 1000.0);
  return path("mark",
              "M" + coordinate(drawing.scale.x(*drawing.best)) + " " + coordinate(y) + "h0");
}

struct AxisLabels {
  std::string grid, html;  // a path; the labels beside it
};

std::string label(const char* axis, double place, const std::string& text) {
  const char* side = *axis == 'x' ? "left:" : "top:";
  return "<span class=\"" + std::string(axis) + "\" style=\"" + side + percent(place) + "\">" +
         text + "</span>";
}

// Powers of ten, at most about five of them.
Ticks decade_ticks(double low, double high) {
  Ticks ticks;
  const int first = static_cast<int>(std::ceil(low)), last = static_cast<int>(std::floor(high));
  for (int power = first; power <= last; power += 1 + (last - first) / 5) {
    ticks.positions.push_back(power);
    ticks.labels.push_back((power < 0 ? "10<sup>−" : "10<sup>") + std::to_string(std::abs(power)) +
                           "</sup>");
  }
  return ticks;
}

AxisLabels value_axis(const Drawing& drawing) {
  constexpr int kIntervals = 5;
  const double room = (drawing.scale.high - drawing.scale.low) / 18;  // above and below
  const double low = drawing.scale.low - room, high = drawing.scale.high + room;
  const Ticks ticks =
      drawing.logarithmic ? decade_ticks(low, high) : value_ticks(low, high, kIntervals);
  AxisLabels axis;
  for (std::size_t i = 0; i < ticks.positions.size(); ++i) {
    const double y = drawing.scale.y(ticks.positions[i]);
    axis.grid += "M0 " + coordinate(y) + "H1000";
    axis.html += label("y", y, ticks.labels[i]);
  }
  if (!ticks.scale.empty()) axis.html += "<span class=\"unit\">" + ticks.scale + "</span>";
  return axis;
}

std::string epoch_axis(const CurveScale& scale) {
  std::string html = label("x", scale.x(0), "0");
  if (scale.epochs < 2) return html;
  const Ticks ticks = epoch_ticks(static_cast<int64_t>(scale.epochs) - 1);
  for (std::size_t i = 0; i < ticks.positions.size(); ++i)
    html += label("x", scale.x(static_cast<std::size_t>(ticks.positions[i])), ticks.labels[i]);
  return html;
}

std::string plot(const Drawing& drawing) {
  const bool empty = finite_values(drawing.curves).empty();
  std::string html =
      "<div class=\"plot\" role=\"img\" aria-label=\"" + escaped(description(drawing)) + "\">";
  if (empty) return html + "<p class=\"nothing\">no finite value</p></div>\n";
  const AxisLabels axis = value_axis(drawing);
  html += "<svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\">" + path("grid", axis.grid);
  for (std::size_t i = 0; i < drawing.curves.size(); ++i)
    html += path("curve " + colour_class(i), curve_path(drawing.scale, drawing.curves[i]));
  html += best_mark(drawing);
  for (std::size_t i = 0; i < drawing.curves.size(); ++i)
    html += path("lone " + colour_class(i), lone_points(drawing.scale, drawing.curves[i]));
  return html + "</svg>" + axis.html + epoch_axis(drawing.scale) + outliers(drawing) + "</div>\n";
}

}  // namespace

std::vector<double> numbers_of(const ReportSeries& series) {
  std::vector<double> numbers;
  for (const std::optional<double>& value : series.values) numbers.push_back(value.value_or(NAN));
  return numbers;
}

NumberFormat format_of(const ReportChart& chart) {
  std::vector<double> all;
  for (const ReportSeries& series : chart.series)
    for (const std::optional<double>& value : series.values) all.push_back(value.value_or(NAN));
  return NumberFormat(all);
}

std::optional<std::size_t> best_epoch(const ReportChart& chart) {
  if (chart.best == BestValue::none) return {};
  return best_epoch(history_of(chart));
}

std::string chart_html(const ReportChart& chart, std::size_t first_column, std::size_t epochs) {
  const Drawing drawing = drawing_of(chart, first_column, epochs);
  return "<figure data-low=\"" + python_repr(drawing.scale.low) + "\" data-high=\"" +
         python_repr(drawing.scale.high) + "\"" + (drawing.logarithmic ? " data-log" : "") + ">\n" +
         caption(drawing) + read_out(drawing) + plot(drawing) + "</figure>\n";
}

}  // namespace levin::inline v0

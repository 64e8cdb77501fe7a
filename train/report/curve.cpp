#include "curve.h"

#include <algorithm>
#include <cmath>

#include "../files/text.h"

namespace levin::inline v0 {
namespace {

constexpr std::size_t kDrawnInFull = 2000;

std::string point(const CurveScale& scale, const std::vector<double>& values, std::size_t epoch) {
  return coordinate(scale.x(epoch)) + " " + coordinate(scale.y(values[epoch]));
}

// Calls action(begin, end) for each run of finite values.
template <class Action>
void for_each_run(const std::vector<double>& values, Action action) {
  for (std::size_t begin = 0; begin < values.size();) {
    std::size_t end = begin;
    while (end < values.size() && std::isfinite(values[end])) ++end;
    if (end > begin) action(begin, end);
    begin = end + 1;
  }
}

// The epochs of [begin, end), which lie in one column, that are drawn: ascending, each once.
std::vector<std::size_t> drawn(const std::vector<double>& values, std::size_t begin,
                               std::size_t end) {
  const auto first = values.begin();
  const auto [least, greatest] = std::minmax_element(first + begin, first + end);
  std::vector<std::size_t> epochs = {begin, static_cast<std::size_t>(least - first),
                                     static_cast<std::size_t>(greatest - first), end - 1};
  std::sort(epochs.begin(), epochs.end());
  epochs.erase(std::unique(epochs.begin(), epochs.end()), epochs.end());
  return epochs;
}

}  // namespace

double CurveScale::x(std::size_t epoch) const {
  if (epochs < 2) return 500;
  return 20 + 960 * static_cast<double>(epoch) / static_cast<double>(epochs - 1);
}

double CurveScale::y(double value) const {
  return std::clamp(950 - 900 * ((value - low) / (high - low)), -20000.0, 20000.0);
}

std::string coordinate(double value) {
  std::string text = fixed_text(value, 1);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

std::string curve_path(const CurveScale& scale, const std::vector<double>& values) {
  std::string path;
  for_each_run(values, [&](std::size_t begin, std::size_t end) {
    if (end - begin < 2) return;
    path += "M";
    for (std::size_t at = begin; at < end;) {
      std::size_t next = at + 1;
      if (values.size() > kDrawnInFull)
        while (next < end && std::floor(scale.x(next)) == std::floor(scale.x(at))) ++next;
      for (const std::size_t epoch : drawn(values, at, next))
        path += (path.back() == 'M' ? "" : "L") + point(scale, values, epoch);
      at = next;
    }
  });
  return path;
}

std::string lone_points(const CurveScale& scale, const std::vector<double>& values) {
  std::string path;
  for_each_run(values, [&](std::size_t begin, std::size_t end) {
    if (end - begin == 1) path += "M" + point(scale, values, begin) + "h0";
  });
  return path;
}

}  // namespace levin::inline v0

#include "note.h"

#include <algorithm>
#include <cmath>

#include "figure.h"
#include "text.h"

namespace levin::inline v0 {
namespace {

constexpr double kRow = 17, kAscent = 12, kNear = 8;
constexpr Colour kGray{128, 128, 128};

}  // namespace

NotePlace place_for(const Note& note, Point dot, double reach, const Canvas& canvas) {
  const double width =
      std::max(text_width(note.epoch, kTextSize), text_width(note.value, kTextSize));
  const double height = 2 * kRow;
  constexpr Point kSides[] = {{1, -1}, {-1, -1}, {1, 1}, {-1, 1}, {0, -1}, {0, 1}, {1, 0}, {-1, 0}};
  NotePlace best{{}, kWidth * kHeight};
  for (double distance = kNear; distance <= reach; distance += 8)
    for (const Point& side : kSides) {
      const double x = dot.x + side.x * (distance + width / 2);
      const double y = dot.y + side.y * (distance + height / 2);
      const Box box{x - width / 2, y - height / 2, x + width / 2, y + height / 2};
      if (box.left < kInside.left + 4 || box.right > kInside.right - 4 ||
          box.top < kInside.top + 2 || box.bottom > kInside.bottom - 2)
        continue;
      const int ink = canvas.ink({box.left - 2, box.top, box.right + 2, box.bottom});
      if (ink < best.ink) best = {box, ink};
      if (ink == 0) return best;
    }
  return best;
}

void draw_note(Canvas& canvas, const Note& note, const Box& place, Point dot) {
  const Point nearest{std::clamp(dot.x, place.left, place.right),
                      std::clamp(dot.y, place.top, place.bottom)};
  const double x = nearest.x - dot.x, y = nearest.y - dot.y, distance = std::hypot(x, y);
  if (distance > 3 * kNear) {
    const double start = kNear / distance, end = 1 - 2 / distance;
    const Point line[] = {{dot.x + start * x, dot.y + start * y},
                          {dot.x + end * x, dot.y + end * y}};
    canvas.stroke(line, 1, kGray, kInside);
  }
  draw_text(canvas, note.epoch, {place.left, place.top + kAscent}, kTextSize, kBlack);
  draw_text(canvas, note.value, {place.left, place.top + kRow + kAscent}, kTextSize, kBlack);
}

}

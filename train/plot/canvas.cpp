#include "canvas.h"

#include <algorithm>
#include <cmath>

namespace levin::inline v0 {
namespace {

struct PixelBox {
  int left, top, right, bottom;  // right and bottom are one past the last pixel

  int width() const { return std::max(right - left, 0); }
  int height() const { return std::max(bottom - top, 0); }
};

PixelBox pixels_of(Box box, int width, int height) {
  const auto whole = [](double at, int end) { return int(std::clamp(at, 0.0, double(end))); };
  return {whole(std::floor(box.left), width), whole(std::floor(box.top), height),
          whole(std::ceil(box.right), width), whole(std::ceil(box.bottom), height)};
}

// How much of a pixel lies inside an edge at this distance from its middle (< 0: inside).
double cover_at(double distance) { return std::clamp(0.5 - distance, 0.0, 1.0); }

// The union of strokes: where two meet, a pixel gets the larger cover and is inked once.
class Mask {
 public:
  explicit Mask(PixelBox box) : box_(box), cover_(std::size_t(box.width()) * box.height()) {}

  void add_segment(Point a, Point b, double radius) {
    const double reach = radius + 1, dx = b.x - a.x, dy = b.y - a.y;
    const double length2 = dx * dx + dy * dy;
    const auto [top, bottom] = std::minmax(a.y, b.y);
    const int first = int(std::max(std::floor(top - reach), double(box_.top)));
    const int last = int(std::min(std::ceil(bottom + reach), double(box_.bottom)));
    for (int y = first; y < last; ++y) {
      // The part of the segment that comes near this row.
      double from = 0, to = 1;
      if (dy != 0) {
        const auto [near, far] =
            std::minmax({(y + 0.5 - reach - a.y) / dy, (y + 0.5 + reach - a.y) / dy});
        from = std::clamp(near, 0.0, 1.0);
        to = std::clamp(far, 0.0, 1.0);
      }
      const auto [left, right] = std::minmax({a.x + from * dx, a.x + to * dx});
      const int begin = int(std::max(std::floor(left - reach), double(box_.left)));
      const int end = int(std::min(std::ceil(right + reach), double(box_.right)));
      for (int x = begin; x < end; ++x) {
        const double px = x + 0.5 - a.x, py = y + 0.5 - a.y;
        const double t = length2 > 0 ? std::clamp((px * dx + py * dy) / length2, 0.0, 1.0) : 0;
        const double ex = px - t * dx, ey = py - t * dy;
        const double cover = cover_at(std::sqrt(ex * ex + ey * ey) - radius);
        auto& here = cover_[std::size_t(y - box_.top) * box_.width() + (x - box_.left)];
        here = std::max(here, std::uint8_t(std::lround(cover * 255)));
      }
    }
  }

  void ink(Canvas& canvas, Colour colour) const {
    const std::uint8_t* cover = cover_.data();
    for (int y = box_.top; y < box_.bottom; ++y)
      for (int x = box_.left; x < box_.right; ++x, ++cover)
        if (*cover > 0) canvas.blend(x, y, *cover / 255.0, colour);
  }

 private:
  PixelBox box_;
  std::vector<std::uint8_t> cover_;
};

}  // namespace

Canvas::Canvas(int width, int height)
    : width_(width), height_(height), pixels_(std::size_t(width) * height * 3, 255) {}

void Canvas::blend(int x, int y, double cover, Colour colour) {
  if (x < 0 || x >= width_ || y < 0 || y >= height_) return;
  std::uint8_t* pixel = &pixels_[(std::size_t(y) * width_ + x) * 3];
  const auto mix = [cover](std::uint8_t& old, std::uint8_t ink) {
    old = std::uint8_t(std::lround(old + cover * (ink - old)));
  };
  mix(pixel[0], colour.red);
  mix(pixel[1], colour.green);
  mix(pixel[2], colour.blue);
}

// Fills the shape to whose edge distance(x, y) is the signed distance, negative inside.
template <class Distance>
void Canvas::fill(Box bounds, Distance distance, Colour colour) {
  const PixelBox box = pixels_of(bounds, width_, height_);
  for (int y = box.top; y < box.bottom; ++y)
    for (int x = box.left; x < box.right; ++x) {
      const double cover = cover_at(distance(x + 0.5, y + 0.5));
      if (cover > 0) blend(x, y, cover, colour);
    }
}

void Canvas::fill_box(Box box, double corner_radius, Colour colour) {
  const double middle_x = (box.left + box.right) / 2, middle_y = (box.top + box.bottom) / 2;
  const double half_width = (box.right - box.left) / 2 - corner_radius;
  const double half_height = (box.bottom - box.top) / 2 - corner_radius;
  const auto distance = [=](double x, double y) {
    const double dx = std::abs(x - middle_x) - half_width;
    const double dy = std::abs(y - middle_y) - half_height;
    return std::hypot(std::max(dx, 0.0), std::max(dy, 0.0)) + std::min(std::max(dx, dy), 0.0) -
           corner_radius;
  };
  fill(box, distance, colour);
}

void Canvas::fill_disk(Point centre, double radius, Colour colour) {
  const double reach = radius + 1;
  fill(
      {centre.x - reach, centre.y - reach, centre.x + reach, centre.y + reach},
      [=](double x, double y) { return std::hypot(x - centre.x, y - centre.y) - radius; }, colour);
}

void Canvas::fill_triangle(Point base_centre, double base, double height, Colour colour) {
  const double side = std::hypot(base / 2, height);
  const double tip = base_centre.y + height;
  const auto distance = [=](double x, double y) {
    const double up = (y - base_centre.y) * (height < 0 ? -1 : 1);  // from the base to the tip
    const double across = std::abs(x - base_centre.x) - base / 2;
    return std::max(-up, (across * std::abs(height) + up * base / 2) / side);
  };
  fill({base_centre.x - base / 2 - 1, std::min(base_centre.y, tip) - 1,
        base_centre.x + base / 2 + 1, std::max(base_centre.y, tip) + 1},
       distance, colour);
}

void Canvas::stroke(std::span<const Point> points, double width, Colour colour, Box clip) {
  if (points.empty()) return;
  Box bounds{points[0].x, points[0].y, points[0].x, points[0].y};
  for (const Point& point : points)
    bounds = {std::min(bounds.left, point.x), std::min(bounds.top, point.y),
              std::max(bounds.right, point.x), std::max(bounds.bottom, point.y)};
  const double radius = width / 2, reach = radius + 1;
  Mask mask(pixels_of(
      {std::max(bounds.left - reach, clip.left), std::max(bounds.top - reach, clip.top),
       std::min(bounds.right + reach, clip.right), std::min(bounds.bottom + reach, clip.bottom)},
      width_, height_));
  for (std::size_t i = 1; i < points.size(); ++i)
    mask.add_segment(points[i - 1], points[i], radius);
  if (points.size() == 1) mask.add_segment(points[0], points[0], radius);
  mask.ink(*this, colour);
}

int Canvas::ink(Box box) const {
  const PixelBox area = pixels_of(box, width_, height_);
  int count = 0;
  for (int y = area.top; y < area.bottom; ++y) {
    const std::uint8_t* pixel = &pixels_[(std::size_t(y) * width_ + area.left) * 3];
    for (int x = area.left; x < area.right; ++x, pixel += 3)
      count += (pixel[0] & pixel[1] & pixel[2]) != 255;
  }
  return count;
}

}

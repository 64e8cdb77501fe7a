// A white picture to draw on: filled shapes and strokes with smooth edges, by how much of each pixel
// a shape covers. x runs right, y down, both in pixels; pixel (0, 0) covers [0, 1] x [0, 1].
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace levin::inline v0 {

struct Point {
  double x, y;
};

struct Box {
  double left, top, right, bottom;
};

struct Colour {
  std::uint8_t red, green, blue;
};

class Canvas {
 public:
  Canvas(int width, int height);

  int width() const { return width_; }
  int height() const { return height_; }
  /// [height, width, 3] bytes: red, green, blue.
  const std::vector<std::uint8_t>& pixels() const { return pixels_; }

  /// Mixes colour into one pixel; cover: the share of the pixel, 0 to 1. Outside: nothing.
  void blend(int x, int y, double cover, Colour colour);

  void fill_box(Box box, double corner_radius, Colour colour);
  void fill_disk(Point centre, double radius, Colour colour);
  /// A triangle with a horizontal base; height < 0: it points up from its base, > 0: down.
  void fill_triangle(Point base_centre, double base, double height, Colour colour);
  /// A line through the points with round ends and joins, where clip (whole pixels) lets it be seen.
  void stroke(std::span<const Point> points, double width, Colour colour, Box clip);

  /// The number of pixels of box, rounded outwards, that are not white.
  int ink(Box box) const;

 private:
  template <class Distance>
  void fill(Box bounds, Distance distance, Colour colour);

  int width_, height_;
  std::vector<std::uint8_t> pixels_;
};

}

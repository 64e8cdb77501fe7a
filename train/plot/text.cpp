#include "text.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "../files/text.h"

#define STB_TRUETYPE_IMPLEMENTATION
#define STBTT_STATIC
#include <stb/stb_truetype.h>

namespace levin::inline v0 {
namespace {

constexpr unsigned char kFont[] = {
#include "dejavu_sans.inc"
};

const stbtt_fontinfo& font() {
  static const stbtt_fontinfo info = [] {
    stbtt_fontinfo made{};
    stbtt_InitFont(&made, kFont, 0);
    return made;
  }();
  return info;
}

// Calls visit(glyph, x) for each glyph, x from the start of the text; returns its width.
template <class Visit>
double lay_out(std::string_view text, double size, Visit visit) {
  const double scale = stbtt_ScaleForMappingEmToPixels(&font(), float(size));
  double x = 0;
  int previous = 0;
  while (!text.empty()) {
    const int glyph = stbtt_FindGlyphIndex(&font(), int(next_character(text)));
    int advance, bearing;
    stbtt_GetGlyphHMetrics(&font(), glyph, &advance, &bearing);
    x += scale * stbtt_GetGlyphKernAdvance(&font(), previous, glyph);
    visit(glyph, x);
    x += scale * advance;
    previous = glyph;
  }
  return x;
}

// Small letters are crisp where their tops and feet lie on whole pixels: moves those heights of
// DejaVu Sans, and what lies between in proportion. y and the result in units of the font, up.
double snapped(double y, double scale) {
  // Descender; base line, flat and round; the same of small letters, capitals; ascender.
  static constexpr double kHeights[] = {-426, -29, 0, 1120, 1147, 1493, 1520, 1556};
  static constexpr double kTargets[] = {-426, 0, 0, 1120, 1120, 1493, 1493, 1556};
  const auto target = [scale](std::size_t i) { return std::round(kTargets[i] * scale) / scale; };
  constexpr std::size_t kLast = std::size(kHeights) - 1;
  if (y <= kHeights[0]) return y - kHeights[0] + target(0);
  for (std::size_t i = 1; i <= kLast; ++i)
    if (y <= kHeights[i]) {
      const double share = (y - kHeights[i - 1]) / (kHeights[i] - kHeights[i - 1]);
      return target(i - 1) + share * (target(i) - target(i - 1));
    }
  return y - kHeights[kLast] + target(kLast);
}

void draw_glyph(Canvas& canvas, int glyph, double size, double x, int y, Colour colour) {
  int left, top, right, bottom;
  if (!stbtt_GetGlyphBox(&font(), glyph, &left, &bottom, &right, &top)) return;  // a space
  const float scale = stbtt_ScaleForMappingEmToPixels(&font(), float(size));
  stbtt_vertex* shape = nullptr;
  const int corners = stbtt_GetGlyphShape(&font(), glyph, &shape);
  const auto release = [](stbtt_vertex* vertices) { stbtt_FreeShape(&font(), vertices); };
  const std::unique_ptr<stbtt_vertex, decltype(release)> owner(shape, release);
  for (int i = 0; i < corners; ++i) {
    shape[i].y = short(std::lround(snapped(shape[i].y, scale)));
    shape[i].cy = short(std::lround(snapped(shape[i].cy, scale)));
  }
  const int first_x = int(std::floor(x + left * scale)) - 1;
  const int first_y = -int(std::ceil(top * scale)) - 1;
  const int width = int(std::ceil(x + right * scale)) + 1 - first_x;
  const int height = -int(std::floor(bottom * scale)) + 1 - first_y;
  std::vector<unsigned char> cover(std::size_t(width) * height);
  stbtt__bitmap bitmap{width, height, width, cover.data()};
  const int whole_x = int(std::floor(x));
  stbtt_Rasterize(&bitmap, 0.35f, shape, corners, scale, scale, float(x - whole_x), 0,
                  first_x - whole_x, first_y, 1, nullptr);
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column)
      if (const int part = cover[std::size_t(row) * width + column]; part > 0)
        canvas.blend(first_x + column, y + first_y + row, part / 255.0, colour);
}

}  // namespace

double text_width(std::string_view text, double size) {
  return lay_out(text, size, [](int, double) {});
}

void draw_text(Canvas& canvas, std::string_view text, Point start, double size, Colour colour) {
  const int base = int(std::lround(start.y));
  lay_out(text, size,
          [&](int glyph, double x) { draw_glyph(canvas, glyph, size, start.x + x, base, colour); });
}

}

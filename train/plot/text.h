// Writing on a canvas in DejaVu Sans, of which the library carries ASCII, arrows, minus, times and
// superscript digits; any other character is an empty box. Texts are UTF-8, sizes pixels per em.
#pragma once

#include <string_view>

#include "canvas.h"

namespace levin::inline v0 {

double text_width(std::string_view text, double size);

/// Writes text from start, the left end of its base line, which is moved to a whole pixel.
void draw_text(Canvas& canvas, std::string_view text, Point start, double size, Colour colour);

}

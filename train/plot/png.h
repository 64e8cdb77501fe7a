// A picture as the bytes of a PNG file.
#pragma once

#include <string>

#include "canvas.h"

namespace levin::inline v0 {

std::string png_bytes(const Canvas& canvas);

}

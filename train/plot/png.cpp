#include "png.h"

#include <cstdlib>
#include <memory>
#include <new>

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>

namespace levin::inline v0 {

std::string png_bytes(const Canvas& canvas) {
  // Once, since these are variables of stb that every thread sees: flat colours pack smallest
  // without a filter, and trying fewer matches takes half the time for 1 % more bytes.
  static const bool ready = [] {
    stbi_write_force_png_filter = 0;
    stbi_write_png_compression_level = 5;
    return true;
  }();
  int length = ready;
  const std::unique_ptr<unsigned char, decltype(&std::free)> bytes(
      stbi_write_png_to_mem(canvas.pixels().data(), canvas.width() * 3, canvas.width(),
                            canvas.height(), 3, &length),
      &std::free);
  if (!bytes) throw std::bad_alloc();
  return {reinterpret_cast<const char*>(bytes.get()), std::size_t(length)};
}

}

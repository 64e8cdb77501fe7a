// What the fuzzing programs share.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace levin {

/// An invented file's bytes.
inline std::string_view text_of(const unsigned char* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Ends the program, which keeps the input, where what must hold does not.
inline void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace levin

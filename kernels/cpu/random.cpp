// Philox numbers as floats and integers, in element order. Four words a block: a float or integer
// takes one (integers over a range of 2^32 or more, and doubles, two).
#include <cmath>

#include "../philox.h"
#include "cpu_backend.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

constexpr double kTwoPi = 6.283185307179586476925286766559;

// [0, 1): 24 bits for a float, 53 for a double, exact on every device.
double unit(uint32_t word) { return (word >> 8) * 0x1p-24; }
double unit(uint32_t low, uint32_t high) { return ((uint64_t{high} << 32 | low) >> 11) * 0x1p-53; }

// Box-Muller: two uniform numbers to two normal ones; u is turned to (0, 1] so that its logarithm
// is finite.
void normal_pair(double u, double v, double* first, double* second) {
  const double radius = std::sqrt(-2 * std::log(1 - u));
  *first = radius * std::cos(kTwoPi * v);
  *second = radius * std::sin(kTwoPi * v);
}

// The numbers of one block of words, for 4 or (wide) 2 elements.
int make_numbers(const RandomCall& call, const std::array<uint32_t, 4>& w, bool wide, double* x) {
  double u[4];
  const int count = wide ? 2 : 4;
  for (int i = 0; i < count; ++i) u[i] = wide ? unit(w[2 * i], w[2 * i + 1]) : unit(w[i]);
  for (int i = 0; i < count; i += 2) {
    if (call.kind == Distribution::normal)
      normal_pair(u[i], u[i + 1], &x[i], &x[i + 1]);
    else
      x[i] = u[i], x[i + 1] = u[i + 1];
  }
  for (int i = 0; i < count; ++i) {
    if (call.kind == Distribution::normal) {
      x[i] = call.a + call.b * x[i];
    } else if (call.kind == Distribution::uniform) {
      x[i] = call.a + (call.b - call.a) * x[i];
    } else {
      // The high word of word * range: no bias worth 2^-32, and no loop that a GPU would have to
      // repeat.
      const auto range = static_cast<uint64_t>(call.b - call.a);
      const uint64_t wide_word = uint64_t{w[2 * i % 4 + 1]} << 32 | w[2 * i % 4];
      const auto high =
          wide ? static_cast<uint64_t>((static_cast<unsigned __int128>(wide_word) * range) >> 64)
               : uint64_t{w[i]} * range >> 32;
      x[i] = call.a + static_cast<double>(high);
    }
  }
  return count;
}

}  // namespace

const char* random(const RandomCall& call) {
  const Layout& layout = *call.out.layout;
  const int64_t n = layout.numel();
  const bool wide =
      call.kind == Distribution::integers ? call.b - call.a > 0x1p32 : layout.dtype == kFloat64;
  const Walk walk(layout);
  const float last_below = std::nextafter(static_cast<float>(call.b), -INFINITY);
  double x[4];
  uint32_t block = 0;
  for (int64_t i = 0; i < n;) {
    const int count =
        make_numbers(call, philox_block(call.seed, call.stream, *call.counter, block++), wide, x);
    // Rounding to float32 must not reach the open end of the interval.
    if (call.kind == Distribution::uniform && layout.dtype != kFloat64)
      for (double& value : x)
        if (static_cast<float>(value) >= static_cast<float>(call.b) && call.a < call.b)
          value = last_below;
    const int64_t here = n - i < count ? n - i : count;
    scatter_tile(walk, layout.dtype, call.out.block->data, i, here, x);
    i += here;
  }
  ++*call.counter;
  return nullptr;
}

}  // namespace levin::inline v0::cpu

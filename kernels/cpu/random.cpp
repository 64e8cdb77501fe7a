// Philox numbers as floats and integers, in element order. Four words a block: a float or integer
// takes one (integers over a range of 2^32 or more, and doubles, two).
#include <cmath>

#include "../philox.h"
#include "../pool.h"
#include "cpu_backend.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

// Numbers at a time, and for one thread at a time: whole blocks.
constexpr int64_t kTile = 512, kGrain = 8192;

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
void make_numbers(const RandomCall& call, const std::array<uint32_t, 4>& w, bool wide, double* x) {
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
}

// The largest number below `end`, or one near it, that an element of this type holds.
double last_below(double end, DType dtype) {
  const auto held = [&](double x) {
    return with_type(dtype, [&](auto element) {
      return convert_from<double>(convert_to<decltype(element)>(x));
    });
  };
  double step = std::abs(end) * (dtype == kFloat64 ? 0x1p-54 : 0x1p-26) + 0x1p-149;
  while (held(end - step) >= end) step *= 2;
  return held(end - step);
}

}  // namespace

const char* random(const RandomCall& call) {
  const Layout& layout = *call.out.layout;
  const bool wide =
      call.kind == Distribution::integers ? call.b - call.a > 0x1p32 : layout.dtype == kFloat64;
  const int per_block = wide ? 2 : 4;
  // Rounding must not reach the open end of the interval.
  const bool bounded = call.kind == Distribution::uniform && call.a < call.b;
  const double most = bounded ? last_below(call.b, layout.dtype) : INFINITY;
  const Walk walk(layout);
  parallel_for(layout.numel(), kGrain, [&](int64_t begin, int64_t stop) {
    double x[kTile];
    for (int64_t i = begin; i < stop; i += kTile) {
      const int64_t count = stop - i < kTile ? stop - i : kTile;
      for (int64_t j = 0; j < count; j += per_block)
        make_numbers(call,
                     philox_block(call.seed, call.stream, *call.counter,
                                  static_cast<uint32_t>((i + j) / per_block)),
                     wide, x + j);
      for (int64_t j = 0; bounded && j < count; ++j) x[j] = x[j] > most ? most : x[j];
      scatter_tile(walk, layout.dtype, call.out.block->data, i, count, x);
    }
  });
  ++*call.counter;
  return nullptr;
}

}  // namespace levin::inline v0::cpu

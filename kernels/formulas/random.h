// Philox words as random numbers. Four words a block: a float or integer takes one; integers over a
// range of 2^32 or more, and doubles, are wide: two.
#pragma once

#include <math.h>

#include "../backend.h"
#include "../convert.h"
#include "../philox.h"

namespace levin::inline v0::formula {

struct Random {
  Distribution kind;
  bool wide;
  double a, b;
  double most;  // rounding must not reach the open end of a uniform number's interval

  explicit Random(const RandomCall& call)
      : kind(call.kind),
        wide(kind == Distribution::integers ? call.b - call.a > 0x1p32
                                            : call.out.layout->dtype == kFloat64),
        a(call.a),
        b(call.b),
        most(kind == Distribution::uniform && a < b ? last_below(b, call.out.layout->dtype)
                                                    : INFINITY) {}

  int per_block() const { return wide ? 2 : 4; }

  // The numbers of one block of words.
  template <bool is_wide>
  LEVIN_HD void make(const std::array<uint32_t, 4>& words, double* x) const {
    constexpr int count = is_wide ? 2 : 4;
    if (kind == Distribution::integers) {
      for (int i = 0; i < count; ++i)
        x[i] = a + static_cast<double>(below_range<is_wide>(words, i));
      return;
    }
    for (int i = 0; i < count; ++i) x[i] = unit<is_wide>(words, i);
    if (kind == Distribution::normal) {
      for (int i = 0; i < count; i += 2) make_normal(&x[i], &x[i + 1]);
      for (int i = 0; i < count; ++i) x[i] = a + b * x[i];
      return;
    }
    for (int i = 0; i < count; ++i) {
      x[i] = a + (b - a) * x[i];
      x[i] = x[i] > most ? most : x[i];
    }
  }

 private:
  // [0, 1): 24 bits for a float, 53 for a double, exact on every device.
  template <bool is_wide>
  LEVIN_HD static double unit(const std::array<uint32_t, 4>& words, int i) {
    if constexpr (is_wide)
      return (two_words(words, i) >> 11) * 0x1p-53;
    else
      return (words[i] >> 8) * 0x1p-24;
  }
  LEVIN_HD static uint64_t two_words(const std::array<uint32_t, 4>& words, int i) {
    return uint64_t{words[2 * i + 1]} << 32 | words[2 * i];
  }

  // The high word of word * range: no bias worth 2^-32, and no loop that a GPU would have to repeat.
  template <bool is_wide>
  LEVIN_HD uint64_t below_range(const std::array<uint32_t, 4>& words, int i) const {
    const auto range = static_cast<uint64_t>(b - a);
    if constexpr (is_wide)
      return static_cast<uint64_t>((static_cast<unsigned __int128>(two_words(words, i)) * range) >>
                                   64);
    else
      return uint64_t{words[i]} * range >> 32;
  }

  // Box-Muller: two uniform numbers to two normal ones; u is turned to (0, 1] so that its logarithm
  // is finite.
  LEVIN_HD static void make_normal(double* u, double* v) {
    constexpr double kTwoPi = 6.283185307179586476925286766559;
    const double radius = ::sqrt(-2 * ::log(1 - *u)), angle = kTwoPi * *v;
    *u = radius * ::cos(angle);
    *v = radius * ::sin(angle);
  }

  // The largest number below `end`, or one near it, that an element of this type holds.
  static double last_below(double end, DType dtype) {
    const auto held = [&](double x) {
      return with_type(dtype, [&](auto element) {
        return convert_from<double>(convert_to<decltype(element)>(x));
      });
    };
    double step = ::fabs(end) * (dtype == kFloat64 ? 0x1p-54 : 0x1p-26) + 0x1p-149;
    while (held(end - step) >= end) step *= 2;
    return held(end - step);
  }
};

}  // namespace levin::inline v0::formula

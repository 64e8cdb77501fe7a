#include "chain_by_hand.h"

#include <levin/kernels/pool.h>

#include <array>

#include "widest.h"

namespace {

constexpr int64_t kParts = 64, kLeastPart = 16384;

// The sum of part(begin, end) over [0, n), cut by n alone.
template <class Part>
float sum_of_parts(int64_t n, Part part) {
  if (n <= kLeastPart) return part(int64_t{0}, n);
  std::array<float, kParts> sums{};
  const int64_t grain = (n + kParts - 1) / kParts;
  levin::parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    sums[static_cast<std::size_t>(begin / grain)] = part(begin, end);
  });
  float total = 0;
  for (const float sum : sums) total += sum;
  return total;
}

}  // namespace

float ChainByHand::forward() const {
  return sum_of_parts(n, [x = *this](int64_t begin, int64_t end) {
    float sum = 0;
    widest([=, &sum]() LEVIN_INLINED {
      float part = 0;
      for (int64_t i = begin; i < end; ++i) {
        const float h = x.a[i] * x.b[i] + x.c[i];
        part += (h > 0 ? h : 0) * x.d[i];
      }
      sum = part;
    });
    return sum;
  });
}

float ChainByHand::forward_backward() const {
  return sum_of_parts(n, [x = *this](int64_t begin, int64_t end) {
    float sum = 0;
    widest([=, &sum]() LEVIN_INLINED {
      float part = 0;
#pragma GCC ivdep
      for (int64_t i = begin; i < end; ++i) {
        const float h = x.a[i] * x.b[i] + x.c[i], r = h > 0 ? h : 0;
        const float slope = h > 0 ? x.d[i] : 0;
        part += r * x.d[i];
        x.dd[i] = r;
        x.dc[i] = slope;
        x.da[i] = slope * x.b[i];
        x.db[i] = slope * x.a[i];
      }
      sum = part;
    });
    return sum;
  });
}

// Running sums of metrics: small, so one thread.
#include <cmath>

#include "cpu_backend.h"
#include "walk.h"

namespace levin::inline v0::cpu {

const char* accumulate(const AccumulateCall& call) {
  const Layout& layout = *call.value.layout;
  double* sums = data_of<double>(call.sums);
  double* counts = data_of<double>(call.counts);
  bool finite = true;
  const auto add = [&](double value) {
    finite &= std::isfinite(value);
    *sums++ += call.weight * value;
  };
  with_type(layout.dtype, [&](auto element) {
    const auto* from = static_cast<const decltype(element)*>(call.value.block->data);
    if (layout.dim() == 0) return add(convert_from<double>(from[layout.offset]));
    Walk(layout).runs(0, layout.numel(), [&](int64_t at, int64_t stride, int64_t count) {
      for (int64_t i = 0; i < count; ++i) add(convert_from<double>(from[at + i * stride]));
    });
  });
  if (!finite && counts[2] < 0) counts[2] = counts[1];
  counts[0] += call.weight;
  counts[1] += 1;
  return nullptr;
}

}  // namespace levin::inline v0::cpu

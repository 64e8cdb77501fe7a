// One pass of SGD over the spans.
#include "../pool.h"
#include "cpu_backend.h"
#include "isa.h"
#include "walk.h"

namespace levin::inline v0::cpu {

const char* sgd(const SgdCall& call) {
  for (int64_t i = 0; i < call.count; ++i) {
    const Span& span = call.spans[i];
    const auto run = [&](auto zero) {
      using T = decltype(zero);
      T* p = data_of<T>(span.p);
      const T* g = data_of<T>(span.g);
      T* state = span.state.block ? data_of<T>(span.state) : nullptr;
      parallel_for(span.count, 32768, [&](int64_t begin, int64_t end) {
        row_loops<T>().sgd(p + begin, g + begin, state ? state + begin : nullptr, end - begin,
                           *call.numbers, span.first);
      });
    };
    if (span.p.layout->dtype == kFloat32)
      run(float{});
    else if (span.p.layout->dtype == kFloat64)
      run(double{});
    else
      return "needs float32 or float64";
  }
  return nullptr;
}

}  // namespace levin::inline v0::cpu

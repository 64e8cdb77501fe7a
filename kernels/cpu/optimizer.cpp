// One pass of an optimizer over its spans.
#include <cstring>

#include "../formulas/optimizers.h"
#include "blocks.h"
#include "cpu_backend.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

template <class T>
void update(const Span& span, Rule rule, const void* numbers, const void* factors) {
  const UpdateFunction<T> loop = row_loops<T>().update[static_cast<int>(rule)];
  UpdateRow<T> whole{data_of<T>(span.p), data_of<T>(span.g), {}, span.count};
  for (int s = 0; s < kMaxStates; ++s)
    if (span.state[s].block) whole.state[s] = data_of<T>(span.state[s]);
  if (span.count <= kGrain) return loop(whole, numbers, factors);
  parallel_for(span.count, kGrain, [&](int64_t begin, int64_t end) {
    UpdateRow<T> row = whole;
    row.p += begin, row.g += begin, row.n = end - begin;
    for (T*& state : row.state)
      if (state) state += begin;
    loop(row, numbers, factors);
  });
}

template <class Rule>
const char* run(const OptimizerCall& call) {
  Rule rule;
  static_assert(sizeof(rule) % sizeof(double) == 0);
  std::memcpy(&rule, call.numbers, sizeof(rule));
  for (int64_t i = 0; i < call.count; ++i) {
    const Span& span = call.spans[i];
    const auto factors = rule.advance(span.counters);
    if (span.p.layout->dtype == kFloat32)
      update<float>(span, call.rule, &rule, &factors);
    else if (span.p.layout->dtype == kFloat64)
      update<double>(span, call.rule, &rule, &factors);
    else
      return "needs float32 or float64";
  }
  return nullptr;
}

using Run = const char* (*)(const OptimizerCall&);

template <class... Rules>
Run run_of(Rule rule, formula::RuleList<Rules...>) {
  Run found = nullptr;
  ((rule == Rules::kRule ? void(found = run<Rules>) : void()), ...);
  return found;
}

}  // namespace

const char* optimizer(const OptimizerCall& call) {
  return run_of(call.rule, formula::Rules())(call);
}

}  // namespace levin::inline v0::cpu

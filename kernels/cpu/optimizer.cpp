// One pass of an optimizer over its spans.
#include <cstring>
#include <type_traits>
#include <vector>

#include "../formulas/optimizers.h"
#include "blocks.h"
#include "command.h"
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

// A span whose blocks may move.
template <class T>
struct Rows {
  Place<T> p, g, state[kMaxStates];
  int64_t count;
  double* counters;

  explicit Rows(const Span& span)
      : p(span.p),
        g(span.g),
        state{Place<T>(span.state[0]), Place<T>(span.state[1]), Place<T>(span.state[2])},
        count(span.count),
        counters(span.counters) {}
};

template <class Rule, class T>
std::unique_ptr<Command> prepare_rule(const OptimizerStep& step) {
  std::vector<Rows<T>> spans;
  for (const Span& span : step.spans) {
    if (span.p.layout->dtype != DTypeOf<T>::value || span.count > kGrain) return nullptr;
    spans.emplace_back(span);
  }
  return command([spans = std::move(spans), numbers = step.numbers,
                  loop = row_loops<T>().update[static_cast<int>(Rule::kRule)]] {
    Rule rule;
    std::memcpy(&rule, numbers, sizeof(rule));
    for (const Rows<T>& rows : spans) {
      const auto factors = rule.advance(rows.counters);
      loop({rows.p.get(),
            rows.g.get(),
            {rows.state[0].get(), rows.state[1].get(), rows.state[2].get()},
            rows.count},
           &rule, &factors);
    }
    return nullptr;
  });
}

// f(type) with the struct of a rule.
template <class Result, class F, class... Rules>
Result with_rule(Rule rule, formula::RuleList<Rules...>, F f) {
  Result result{};
  ((rule == Rules::kRule ? void(result = f(std::type_identity<Rules>())) : void()), ...);
  return result;
}

}  // namespace

std::unique_ptr<Command> prepare(const OptimizerStep& step) {
  const bool wide = !step.spans.empty() && step.spans[0].p.layout->dtype == kFloat64;
  return with_rule<std::unique_ptr<Command>>(step.rule, formula::Rules(), [&](auto type) {
    using Of = typename decltype(type)::type;
    return wide ? prepare_rule<Of, double>(step) : prepare_rule<Of, float>(step);
  });
}

const char* optimizer(const OptimizerCall& call) {
  return with_rule<const char*>(call.rule, formula::Rules(), [&](auto type) {
    return run<typename decltype(type)::type>(call);
  });
}

}  // namespace levin::inline v0::cpu

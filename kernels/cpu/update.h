// The pass of an optimizer over a row.
#pragma once

#include "../formulas/math.h"
#include "../formulas/optimizers.h"
#include "isa.h"
#include "simd.h"

namespace levin::inline v0 {
namespace {

template <class Rule, class T>
void update_row(const UpdateRow<T>& given, const void* rule_bytes, const void* factor_bytes) {
  using V = Vec<T>;
  // Copies, which no store to the row can change.
  const UpdateRow<T> row = given;
  const Rule rule = *static_cast<const Rule*>(rule_bytes);
  const auto factors = *static_cast<const typename Rule::Factors*>(factor_bytes);
  const auto part = [&](int64_t i, int64_t count) {
    V p = V::load_first(row.p + i, count), state[kMaxStates];
    for (int s = 0; s < Rule::kStates; ++s)
      state[s] = row.state[s] ? V::load_first(row.state[s] + i, count) : V(0);
    rule.update(factors, V::load_first(row.g + i, count), p, state);
    p.store_first(row.p + i, count);
    for (int s = 0; s < Rule::kStates; ++s)
      if (row.state[s]) state[s].store_first(row.state[s] + i, count);
  };
  int64_t i = 0;
  for (; i + V::kWidth <= row.n; i += V::kWidth) part(i, V::kWidth);
  if (i < row.n) part(i, row.n - i);
}

template <class T, class... Rules>
void fill_updates(formula::RuleList<Rules...>, UpdateFunction<T>* update) {
  ((update[static_cast<int>(Rules::kRule)] = update_row<Rules, T>), ...);
}

}  // namespace
}  // namespace levin::inline v0

// Rows of the operations that draw random numbers, where the result is certain: p is 0 or 1, the
// deviation 0. What they draw is tested in random_ops_test.cpp.
#include "op_cases.h"

namespace levin {
namespace {

Array same(const Arrays& x) { return x[0]; }
Array zero(const Arrays& x) {
  return map(x[0], [](double) { return 0.0; });
}

const std::vector<Sample> kSamples = {{{{3, 4}}}, {{{}}}, {{{5}}}, {{{0, 3}}}};

std::vector<OpCase> dropouts() {
  return {{.name = "dropout of nothing",
           .samples = kSamples,
           .call = [](const Tensors& x) { return dropout(x[0], 0); },
           .reference = same,
           .wrong = {{"dropout: p is 1.5: it must lie in [0, 1]", [] { dropout(zeros({3}), 1.5); }},
                     {"dropout: p is -0.5", [] { dropout(zeros({3}), -0.5, false); }},
                     {"dropout: a int64 tensor", [] { dropout(zeros({3}, kInt64)); }}},
           .types = kFloats},
          {.name = "dropout of all",
           .samples = kSamples,
           .call = [](const Tensors& x) { return dropout(x[0], 1); },
           .reference = zero,
           .large = {{{211, 173}}},
           .types = kFloats},
          {.name = "dropout without training",
           .samples = kSamples,
           .call = [](const Tensors& x) { return dropout(x[0], 0.5, false); },
           .reference = same,
           .types = kFloats}};
}

}  // namespace

std::vector<OpCase> random_cases() {
  std::vector<OpCase> rows = dropouts();
  rows.push_back({.name = "bernoulli",
                  .samples = {{{{3, 4}, 0, 1, Input::whole}}, {{{}, 0, 1, Input::whole}}},
                  .call = [](const Tensors& x) { return bernoulli(x[0]); },
                  .reference = same,
                  .wrong = {{"bernoulli: a int64 tensor", [] { bernoulli(zeros({3}, kInt64)); }},
                            {"bernoulli: a bool tensor", [] { zeros({3}, kBool).bernoulli(); }}},
                  .spellings = {[](const Tensors& x) { return x[0].bernoulli(); }},
                  .types = kFloats,
                  .differentiable = false});
  rows.push_back({.name = "normal",
                  .samples = {{{{3, 4}}, {{3, 4}, 0, 0}}, {{{3, 1}}, {{4}, 0, 0}}},
                  .call = [](const Tensors& x) { return normal(x[0], x[1]); },
                  .reference =
                      [](const Arrays& x) {
                        return zip(x[0], x[1], [](double mean, double) { return mean; });
                      },
                  .wrong = {{"normal: [3] and [2]: shapes do not broadcast",
                             [] { normal(zeros({3}), zeros({2})); }},
                            {"normal: int64 and bool: a floating type is needed",
                             [] { normal(zeros({3}, kInt64), zeros({3}, kBool)); }}},
                  .types = kFloats,
                  .differentiable = false});
  return rows;
}

}  // namespace levin

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

OpCase in_place(const char* name, const Call& call, double result, unsigned types,
                const std::vector<WrongCall>& wrong) {
  return {.name = name,
          .samples = kSamples,
          .call = call,
          .reference = [=](const Arrays& x) { return map(x[0], [=](double) { return result; }); },
          .wrong = wrong,
          .types = types,
          .in_place = true};
}

std::vector<OpCase> in_places() {
  const auto leaf = [] { return zeros({3}).requires_grad_(); };
  const auto all_bernoulli = [](double p) {
    return [=](const Tensors& x) { return x[0].bernoulli_(p); };
  };
  return {
      in_place("uniform_", [](const Tensors& x) { return x[0].uniform_(2, 2); }, 2, kFloats,
               {{"uniform_: from 1 to 0: the range is empty", [] { zeros({3}).uniform_(1, 0); }},
                {"uniform_: several elements", [] { zeros({1}).expand({3}).uniform_(); }},
                {"uniform_: a leaf of shape [3]", [=] { leaf().uniform_(); }, Fault::order}}),
      in_place("normal_", [](const Tensors& x) { return x[0].normal_(-3, 0); }, -3, kFloats,
               {{"normal_: std -1: must not be negative", [] { zeros({3}).normal_(0, -1); }},
                {"normal_: a leaf of shape [3]", [=] { leaf().normal_(); }, Fault::order}}),
      in_place("bernoulli_", all_bernoulli(1), 1, kAllTypes,
               {{"bernoulli_: p is 2", [] { zeros({3}).bernoulli_(2); }},
                {"bernoulli_: a leaf of shape [3]", [=] { leaf().bernoulli_(); }, Fault::order}}),
      in_place("bernoulli_ of nothing", all_bernoulli(0), 0, kAllTypes, {})};
}

}  // namespace

std::vector<OpCase> random_cases() {
  std::vector<OpCase> rows = dropouts();
  for (const OpCase& row : in_places()) rows.push_back(row);
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

// Rows of bounds and choices, and of the other formulas of three operands.
#include <algorithm>
#include <cmath>

#include "op_cases_binary.h"

namespace levin {
namespace {

OpCase clamp_row(const char* name, double low, double high, Call call) {
  OpCase made = with_number(
      name, [=](double x) { return std::min(std::max(x, low), high); }, call, -3, 3);
  made.result = Result::number;
  made.wrong = {{"undefined", [=] { call.run({Tensor()}); }},
                {"changed in place by fill_",
                 [=] {
                   const Tensor x = ones({2}).requires_grad_() * 1;
                   const Tensor y = call.run({x})[0];
                   x.detach().zero_();
                   y.sum().backward();
                 },
                 Fault::order}};
  return made;
}

std::vector<OpCase> bounds() {
  const auto larger = [](double a, double b) { return std::max(a, b); };
  const auto smaller = [](double a, double b) { return std::min(a, b); };
  std::vector<OpCase> rows = {
      row("maximum", larger, [](const Tensors& x) { return x[0].maximum(x[1]); }),
      row("minimum", smaller, [](const Tensors& x) { return x[0].minimum(x[1]); }),
      row("fmax", larger, [](const Tensors& x) { return x[0].fmax(x[1]); }),
      row("fmin", smaller, [](const Tensors& x) { return x[0].fmin(x[1]); }),
      row("clamp_min tensor", larger, [](const Tensors& x) { return x[0].clamp_min(x[1]); }),
      row("clamp_max tensor", smaller, [](const Tensors& x) { return x[0].clamp_max(x[1]); }),
      clamp_row("clamp", -1, 1, [](const Tensors& x) { return x[0].clamp(-1, 1); }),
      clamp_row("clamp real", -0.5, 1.5, [](const Tensors& x) { return clamp(x[0], -0.5, 1.5); }),
      clamp_row("clamp_min", -1, INFINITY, [](const Tensors& x) { return x[0].clamp_min(-1); }),
      clamp_row("clamp_max", -INFINITY, 1, [](const Tensors& x) { return x[0].clamp_max(1); }),
  };
  rows[0].spellings = {[](const Tensors& x) { return maximum(x[0], x[1]); }};
  rows[1].spellings = {[](const Tensors& x) { return minimum(x[0], x[1]); }};
  rows[2].spellings = {[](const Tensors& x) { return fmax(x[0], x[1]); }};
  rows[3].spellings = {[](const Tensors& x) { return fmin(x[0], x[1]); }};
  for (OpCase& made : rows)
    if (made.name == "clamp real") made.result = Result::floating;
  return rows;
}

// A row of three tensors.
OpCase three(const char* name, double (*f)(double, double, double), Call call, double low = -2,
             double high = 2) {
  return {.name = name,
          .samples = {{{{3, 4}}, {{3, 4}}, {{3, 4}, low, high}},
                      {{{4}}, {{3, 1}}, {{}, low, high}},
                      {{{}}, {{2}}, {{2, 1}, low, high}},
                      {{{0, 3}}, {{3}}, {{1}, low, high}}},
          .call = call,
          .reference = [=](const Arrays& x) { return zip(x[0], x[1], x[2], f); },
          .wrong = {{"[2], [3] and [4]: shapes do not broadcast",
                     [=] {
                       call.run({ones({2}), ones({3}), ones({4})});
                     }},
                    {"undefined",
                     [=] {
                       call.run({ones({2}), ones({2}), Tensor()});
                     }}},
          .large = {{{211, 173}}, {{173}}, {{211, 1}, low, high}},
          .slack = 2};
}

std::vector<OpCase> of_three() {
  std::vector<OpCase> rows = {
      three(
          "addcmul", [](double x, double a, double b) { return x + a * b; },
          [](const Tensors& x) { return x[0].addcmul(x[1], x[2]); }),
      three(
          "addcmul value", [](double x, double a, double b) { return x - 2 * a * b; },
          [](const Tensors& x) { return x[0].addcmul(x[1], x[2], -2); }),
      three(
          "addcdiv", [](double x, double a, double b) { return x + a / b; },
          [](const Tensors& x) { return x[0].addcdiv(x[1], x[2]); }, 0.5, 2),
      three(
          "addcdiv value", [](double x, double a, double b) { return x + 1.5 * a / b; },
          [](const Tensors& x) { return x[0].addcdiv(x[1], x[2], 1.5); }, 0.5, 2),
      three(
          "lerp", [](double x, double a, double b) { return x + b * (a - x); },
          [](const Tensors& x) { return x[0].lerp(x[1], x[2]); }),
      row(
          "lerp number", [](double x, double a) { return x + 0.25 * (a - x); },
          [](const Tensors& x) { return x[0].lerp(x[1], 0.25); }),
  };
  for (OpCase& made : rows)
    if (!made.name.starts_with("addcmul")) made.result = Result::floating;
  rows[5].wrong = {};  // lerp's first row has them
  rows[0].types = kNumbers;
  rows[1].types = kNumbers;
  for (const char* name : {"addcmul_", "addcdiv_", "lerp_"}) {
    OpCase made = rows[name == std::string("addcmul_")   ? 0
                       : name == std::string("addcdiv_") ? 2
                                                         : 5];
    made.name = name;
    made.samples.resize(1);
    made.call = [name = std::string(name)](const Tensors& x) {
      return name == "addcmul_"   ? x[0].addcmul_(x[1], x[2])
             : name == "addcdiv_" ? x[0].addcdiv_(x[1], x[2])
                                  : x[0].lerp_(x[1], 0.25);
    };
    const auto call = made.call;
    made.wrong = {{"a leaf of shape [2]",
                   [=] {
                     call.run({ones({2}).requires_grad_(), ones({2}), ones({2})});
                   },
                   Fault::order},
                  {"overlap", [=] {
                     const Tensor x = ones({4});
                     call.run({x.slice(0, 1, 4), x.slice(0, 0, 3), ones({3})});
                   }}};
    made.large = {};
    made.in_place = true;
    made.result = Result::same;
    made.types = made.name == "addcmul_" ? unsigned{kNumbers} : unsigned{kFloats};
    rows.push_back(made);
  }
  return rows;
}

std::vector<OpCase> conditions() {
  const auto choose = [](double c, double a, double b) { return c != 0 ? a : b; };
  std::vector<OpCase> rows = {
      {.name = "where",
       .samples = {{mask_input({3, 4}), {{3, 4}}, {{3, 4}}},
                   {mask_input({4}), {{3, 1}}, {{}}},
                   {mask_input({}), {{2}}, {{2}}},
                   {mask_input({0, 3}), {{3}}, {{1}}}},
       .call = [](const Tensors& x) { return where(x[0], x[1], x[2]); },
       .reference = [=](const Arrays& x) { return zip(x[0], x[1], x[2], choose); },
       .wrong = {{"where: a float32 condition", [] { where(ones({2}), ones({2}), 0); }},
                 {"where: [2], [3] and [4]: shapes do not broadcast",
                  [] { where(ones({2}, kBool), ones({3}), ones({4})); }}},
       .large = {mask_input({211, 173}), {{173}}, {{211, 1}}}},
      {.name = "where tensor number",
       .samples = {{mask_input({3, 4}), {{4}}}, {mask_input({2}), {{}}}},
       .call = [](const Tensors& x) { return where(x[0], x[1], 1); },
       .reference =
           [](const Arrays& x) {
             return zip(x[0], x[1], [](double c, double a) { return c != 0 ? a : 1; });
           },
       .result = Result::number},
      {.name = "where number tensor",
       .samples = {{mask_input({3, 4}), {{4}}}, {mask_input({2}), {{}}}},
       .call = [](const Tensors& x) { return where(x[0], -1, x[1]); },
       .reference =
           [](const Arrays& x) {
             return zip(x[0], x[1], [](double c, double a) { return c != 0 ? -1 : a; });
           },
       .result = Result::number},
  };
  return rows;
}

std::vector<OpCase> numbers_for_nan() {
  const auto call = [](const Tensors& x) {
    return where(x[0] > 1, INFINITY, where(x[0] < -1, NAN, x[0])).nan_to_num(0.5, 3, -3);
  };
  OpCase made = with_number(
      "nan_to_num", [](double x) { return x > 1    ? 3
                                          : x < -1 ? 0.5
                                                   : x; }, call);
  made.result = Result::floating;
  made.wrong = {{"undefined", [=] { Tensor().nan_to_num(); }},
                {"undefined", [=] { call({Tensor()}); }}};
  return {made};
}

}  // namespace

std::vector<OpCase> choice_cases() {
  std::vector<OpCase> rows;
  for (const auto& part : {bounds(), of_three(), conditions(), numbers_for_nan()})
    rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

}  // namespace levin

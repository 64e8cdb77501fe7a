// Rows of the elementwise operations on two or three operands, tensors and numbers mixed.
#include <algorithm>
#include <cmath>

#include "op_cases.h"

namespace levin {
namespace {

using F = double (*)(double, double);

// Equal shapes, broadcasting in every way, 0-d, empty.
std::vector<Sample> pairs(double low, double high, double low2, double high2) {
  std::vector<Sample> samples;
  const std::pair<Shape, Shape> shapes[] = {{{3, 4}, {3, 4}}, {{3, 1}, {1, 4}}, {{2, 3, 4}, {4}},
                                            {{}, {3, 2}},     {{3}, {2, 1, 1}}, {{}, {}},
                                            {{0, 3}, {3}},    {{1}, {0}},       {{19}, {19}}};
  for (const auto& [a, b] : shapes) samples.push_back({{a, low, high}, {b, low2, high2}});
  return samples;
}

Sample large_pair(double low, double high, double low2, double high2) {
  return {{{3, 131, 97}, low, high}, {{131, 1}, low2, high2}};
}

OpCase row(const char* name, F f, Call call, double low = -2, double high = 2, double low2 = -2,
           double high2 = 2) {
  const WrongCall shapes = {"[2, 3] and [2, 4]: shapes do not broadcast", [=] {
                              call.run({zeros({2, 3}), zeros({2, 4})});
                            }};
  const WrongCall undefined = {"undefined", [=] { call.run({ones({2}), Tensor()}); }};
  return {.name = name,
          .samples = pairs(low, high, low2, high2),
          .call = call,
          .reference = [=](const Arrays& x) { return zip(x[0], x[1], f); },
          .wrong = {shapes, undefined},
          .large = large_pair(low, high, low2, high2)};
}

// One tensor; the number stands in the call.
OpCase with_number(const char* name, double (*f)(double), Call call, double low = -2,
                   double high = 2) {
  return {.name = name,
          .samples = {{{{3, 4}, low, high}}, {{{}, low, high}}, {{{0}, low, high}}},
          .call = std::move(call),
          .reference = [=](const Arrays& x) { return map(x[0], f); },
          .large = {{{211, 173}, low, high}}};
}

OpCase comparison(const char* name, F f, Call call, Call spelling) {
  OpCase made = row(name, f, std::move(call));
  // Whole numbers in a small range: some are equal.
  for (Sample& sample : made.samples)
    for (Input& input : sample) input = {input.shape, -2, 2, Input::whole};
  made.spellings = {std::move(spelling)};
  made.result = Result::boolean;
  made.differentiable = false;
  return made;
}

std::vector<OpCase> arithmetic() {
  std::vector<OpCase> rows = {
      row(
          "add", [](double a, double b) { return a + b; },
          [](const Tensors& x) { return x[0].add(x[1]); }),
      row(
          "add alpha", [](double a, double b) { return a + 3 * b; },
          [](const Tensors& x) { return x[0].add(x[1], 3); }),
      with_number(
          "add number", [](double a) { return a + 3; }, [](const Tensors& x) { return x[0] + 3; }),
      with_number(
          "add real number", [](double a) { return a + 0.5; },
          [](const Tensors& x) { return 0.5 + x[0]; }),
      row(
          "sub", [](double a, double b) { return a - b; },
          [](const Tensors& x) { return x[0].sub(x[1]); }),
      row(
          "sub alpha", [](double a, double b) { return a - 2 * b; },
          [](const Tensors& x) { return x[0].sub(x[1], 2); }),
      with_number(
          "sub number", [](double a) { return a - 3; }, [](const Tensors& x) { return x[0] - 3; }),
      with_number(
          "sub from a number", [](double a) { return 1.5 - a; },
          [](const Tensors& x) { return 1.5 - x[0]; }),
      row(
          "mul", [](double a, double b) { return a * b; },
          [](const Tensors& x) { return x[0].mul(x[1]); }),
      with_number(
          "mul number", [](double a) { return a * -2; },
          [](const Tensors& x) { return x[0] * -2; }),
      row(
          "div", [](double a, double b) { return a / b; },
          [](const Tensors& x) { return x[0].div(x[1]); }, -2, 2, 0.5, 2),
      with_number(
          "div number", [](double a) { return a / 4; }, [](const Tensors& x) { return x[0] / 4; }),
      with_number(
          "div of a number", [](double a) { return 1 / a; },
          [](const Tensors& x) { return 1 / x[0]; }, 0.5, 2),
  };
  for (OpCase& made : rows) {
    const std::string operation = operation_of(made);
    if (made.name == "add") made.spellings = {[](const Tensors& x) { return x[0] + x[1]; }};
    if (made.name == "sub") made.spellings = {[](const Tensors& x) { return x[0] - x[1]; }};
    if (made.name == "mul") made.spellings = {[](const Tensors& x) { return x[0] * x[1]; }};
    if (made.name == "div") made.spellings = {[](const Tensors& x) { return x[0] / x[1]; }};
    if (made.name == "add number") made.spellings = {[](const Tensors& x) { return 3 + x[0]; }};
    if (made.name == "mul number") made.spellings = {[](const Tensors& x) { return -2 * x[0]; }};
    if (made.name == "sub") made.types = kNumbers;
    if (made.name.ends_with("number") || made.name.ends_with("alpha")) made.result = Result::number;
    if (operation == "div" || made.name == "add real number" || made.name == "sub from a number")
      made.result = Result::floating;
  }
  return rows;
}

std::vector<OpCase> powers() {
  const auto power = [](double a, double b) { return std::pow(a, b); };
  const Call call = [](const Tensors& x) { return x[0].pow(x[1]); };
  std::vector<OpCase> rows = {
      row("pow", power, call, 0.3, 2, -2, 3),
      row("pow whole", power, call, -2, 2, 0, 3),
      with_number(
          "pow 3", [](double a) { return a * a * a; },
          [](const Tensors& x) { return pow(x[0], 3); }),
      with_number(
          "pow 2", [](double a) { return a * a; }, [](const Tensors& x) { return x[0].pow(2); }),
      with_number(
          "pow 1", [](double a) { return a; }, [](const Tensors& x) { return x[0].pow(1); }),
      with_number(
          "pow 0", [](double) { return 1.0; }, [](const Tensors& x) { return x[0].pow(0); }),
      with_number(
          "pow 0.5", [](double a) { return std::sqrt(a); },
          [](const Tensors& x) { return x[0].pow(0.5); }, 0.2, 3),
      with_number(
          "pow -1.5", [](double a) { return std::pow(a, -1.5); },
          [](const Tensors& x) { return x[0].pow(-1.5); }, 0.5, 3),
      with_number(
          "pow of a number", [](double a) { return std::pow(2, a); },
          [](const Tensors& x) { return pow(2, x[0]); }, 0, 3),
  };
  for (OpCase& made : rows) made.result = Result::number;
  rows[0].types = rows[1].types = kNumbers;
  rows[0].spellings = {[](const Tensors& x) { return pow(x[0], x[1]); }};
  rows[0].wrong.push_back({"pow: a bool", [] { ones({2}, kBool).pow(ones({2}, kBool)); }});
  rows[0].wrong.push_back({"negative powers", [] { ones({2}, kInt64).pow(-1); }});
  // Exponents are whole: their own derivative is the first row's.
  for (Sample& sample : rows[1].samples) sample[1].kind = Input::whole;
  rows[1].large = {};
  rows[6].result = rows[7].result = Result::floating;
  return rows;
}

std::vector<OpCase> choices() {
  std::vector<OpCase> rows = {
      row(
          "maximum", [](double a, double b) { return std::max(a, b); },
          [](const Tensors& x) { return x[0].maximum(x[1]); }),
      row(
          "minimum", [](double a, double b) { return std::min(a, b); },
          [](const Tensors& x) { return x[0].minimum(x[1]); }),
      comparison(
          "eq", [](double a, double b) { return double(a == b); },
          [](const Tensors& x) { return x[0].eq(x[1]); },
          [](const Tensors& x) { return x[0] == x[1]; }),
      comparison(
          "ne", [](double a, double b) { return double(a != b); },
          [](const Tensors& x) { return x[0].ne(x[1]); },
          [](const Tensors& x) { return x[0] != x[1]; }),
      comparison(
          "lt", [](double a, double b) { return double(a < b); },
          [](const Tensors& x) { return x[0].lt(x[1]); },
          [](const Tensors& x) { return x[0] < x[1]; }),
      comparison(
          "le", [](double a, double b) { return double(a <= b); },
          [](const Tensors& x) { return x[0].le(x[1]); },
          [](const Tensors& x) { return x[0] <= x[1]; }),
      comparison(
          "gt", [](double a, double b) { return double(a > b); },
          [](const Tensors& x) { return x[0].gt(x[1]); },
          [](const Tensors& x) { return x[0] > x[1]; }),
      comparison(
          "ge", [](double a, double b) { return double(a >= b); },
          [](const Tensors& x) { return x[0].ge(x[1]); },
          [](const Tensors& x) { return x[0] >= x[1]; }),
      with_number(
          "gt number", [](double a) { return double(a > 0.5); },
          [](const Tensors& x) { return x[0] > 0.5; }),
      with_number(
          "le number", [](double a) { return double(a <= 1); },
          [](const Tensors& x) { return x[0].le(1); }),
  };
  rows[0].spellings = {[](const Tensors& x) { return maximum(x[0], x[1]); }};
  rows[1].spellings = {[](const Tensors& x) { return minimum(x[0], x[1]); }};
  for (OpCase& made : rows) {
    if (!made.name.ends_with("number")) continue;
    made.result = Result::boolean;
    made.differentiable = false;
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

}  // namespace

std::vector<OpCase> binary_cases() {
  std::vector<OpCase> rows;
  for (const auto& part : {arithmetic(), powers(), choices(), conditions()})
    rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

}  // namespace levin

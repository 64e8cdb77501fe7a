// Rows of the elementwise operations on two or three operands, tensors and numbers mixed.
#include "op_cases_binary.h"

#include <cmath>

namespace levin {
namespace {

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

}  // namespace

OpCase row(const char* name, F2 f, Call call, double low, double high, double low2, double high2) {
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

OpCase with_number(const char* name, F1 f, Call call, double low, double high) {
  return {.name = name,
          .samples = {{{{3, 4}, low, high}}, {{{}, low, high}}, {{{0}, low, high}}},
          .call = std::move(call),
          .reference = [=](const Arrays& x) { return map(x[0], f); },
          .large = {{{211, 173}, low, high}}};
}

namespace {

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

std::vector<OpCase> divisions() {
  const auto rest = [](double a, double b) { return a - b * std::floor(a / b); };
  const auto quotient = [](double a, double b) { return std::floor(a / b); };
  std::vector<OpCase> rows = {
      row(
          "fmod", [](double a, double b) { return std::fmod(a, b); },
          [](const Tensors& x) { return x[0].fmod(x[1]); }, -4, 4, 1, 3),
      row(
          "remainder", rest, [](const Tensors& x) { return x[0].remainder(x[1]); }, -4, 4, 1, 3),
      row(
          "remainder of reals", [=](double a, double b) { return rest(a, -b); },
          [](const Tensors& x) { return (x[0] * 1.0).remainder(x[1] * -1.0); }, -4, 4, 1, 3),
      row(
          "floor_divide", quotient, [](const Tensors& x) { return x[0].floor_divide(x[1]); }, -4, 4,
          1, 3),
      with_number(
          "fmod number", [](double a) { return std::fmod(a, 3); },
          [](const Tensors& x) { return x[0].fmod(3); }, -8, 8),
      with_number(
          "remainder number", [=](double a) { return rest(a, -3); },
          [](const Tensors& x) { return x[0].remainder(-3.0); }, -8, 8),
      with_number(
          "floor_divide number", [=](double a) { return quotient(a, 3); },
          [](const Tensors& x) { return x[0].floor_divide(3); }, -8, 8),
      row(
          "div trunc", [](double a, double b) { return std::trunc(a / b); },
          [](const Tensors& x) { return x[0].div(x[1], "trunc"); }, -4, 4, 1, 3),
      row(
          "div floor", quotient, [](const Tensors& x) { return x[0].div(x[1], "floor"); }, -4, 4, 1,
          3),
  };
  for (OpCase& made : rows) {
    made.types = kNumbers;
    const auto call = made.call;
    if (made.name.find(' ') == std::string::npos)
      made.wrong.push_back({"cannot be divided by 0", [=] {
                              call.run({ones({2}, kInt64), zeros({2}, kInt32)});
                            }});
    if (made.name.ends_with("number")) made.types = kAllTypes, made.result = Result::number;
    if (made.name == "remainder of reals") made.types = kAllTypes, made.result = Result::floating;
    if (made.name == "remainder number") made.result = Result::floating;
  }
  return rows;
}

std::vector<OpCase> angles() {
  std::vector<OpCase> rows = {
      row(
          "atan2", [](double a, double b) { return std::atan2(a, b); },
          [](const Tensors& x) { return x[0].atan2(x[1]); }, 0.2, 2, 0.3, 2),
      row(
          "hypot", [](double a, double b) { return std::hypot(a, b); },
          [](const Tensors& x) { return x[0].hypot(x[1]); }, 0.2, 2, 0.3, 2),
  };
  rows[0].spellings = {[](const Tensors& x) { return atan2(x[0], x[1]); }};
  rows[1].spellings = {[](const Tensors& x) { return hypot(x[0], x[1]); }};
  for (OpCase& made : rows) made.result = Result::floating;
  return rows;
}

}  // namespace

std::vector<OpCase> binary_cases() {
  std::vector<OpCase> rows;
  for (const auto& part : {arithmetic(), powers(), divisions(), angles()})
    rows.insert(rows.end(), part.begin(), part.end());
  return rows;
}

}  // namespace levin

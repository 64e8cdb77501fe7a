// Rows of comparisons, predicates and logic.
#include <cmath>

#include "op_cases_binary.h"

namespace levin {
namespace {

OpCase comparison(const char* name, F2 f, Call call, Call spelling) {
  OpCase made = row(name, f, std::move(call));
  // Whole numbers in a small range: some are equal.
  for (Sample& sample : made.samples)
    for (Input& input : sample) input = {input.shape, -2, 2, Input::whole};
  made.spellings = {std::move(spelling)};
  made.result = Result::boolean;
  made.differentiable = false;
  return made;
}

std::vector<OpCase> comparisons() {
  std::vector<OpCase> rows = {
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
  for (OpCase& made : rows) {
    made.result = Result::boolean;
    made.differentiable = false;
  }
  return rows;
}

// Numbers, NaN and both infinities.
Tensor unusual(const Tensor& x) {
  return where(x > 1, INFINITY, where(x < -1, -INFINITY, where((x > -0.5) * (x < 0), NAN, x)));
}
double unusual(double x) {
  return x > 1 ? INFINITY : x < -1 ? -INFINITY : x > -0.5 && x < 0 ? NAN : x;
}

OpCase predicate(const char* name, bool (*f)(double), Tensor (Tensor::*member)() const) {
  OpCase made = with_number(
      name, [=](double x) { return f(unusual(x)) ? 1 : 0; },
      [=](const Tensors& x) { return (unusual(x[0]).*member)(); });
  made.wrong = {{"undefined", [=] { (Tensor().*member)(); }},
                {"undefined", [=] { made.call.run({Tensor()}); }}};
  return made;
}

std::vector<OpCase> predicates() {
  std::vector<OpCase> rows = {
      predicate(
          "isnan", [](double x) { return std::isnan(x); }, &Tensor::isnan),
      predicate(
          "isinf", [](double x) { return std::isinf(x); }, &Tensor::isinf),
      predicate(
          "isfinite", [](double x) { return std::isfinite(x); }, &Tensor::isfinite),
      predicate(
          "logical_not", [](double x) { return x == 0; }, &Tensor::logical_not),
  };
  // Of integers as they come.
  for (const auto& [name, value, member] : {std::tuple{"isnan whole", 0.0, &Tensor::isnan},
                                            {"isinf whole", 0.0, &Tensor::isinf},
                                            {"isfinite whole", 1.0, &Tensor::isfinite}})
    rows.push_back(with_number(
        name, [value = value](double) { return value; },
        [member = member](const Tensors& x) { return (x[0].*member)(); }));
  rows.push_back(with_number(
      "logical_not whole", [](double x) -> double { return x == 0; },
      [](const Tensors& x) { return x[0].logical_not(); }));
  return rows;
}

std::vector<OpCase> logic() {
  return {
      row(
          "logical_and", [](double a, double b) -> double { return a != 0 && b != 0; },
          [](const Tensors& x) { return x[0].logical_and(x[1]); }),
      row(
          "logical_or", [](double a, double b) -> double { return a != 0 || b != 0; },
          [](const Tensors& x) { return x[0].logical_or(x[1]); }),
      row(
          "logical_xor", [](double a, double b) -> double { return (a != 0) != (b != 0); },
          [](const Tensors& x) { return x[0].logical_xor(x[1]); }),
  };
}

int64_t whole(double x) { return static_cast<int64_t>(x); }

std::vector<OpCase> bits() {
  std::vector<OpCase> rows = {
      row(
          "bitwise_and", [](double a, double b) -> double { return whole(a) & whole(b); },
          [](const Tensors& x) { return x[0].bitwise_and(x[1]); }, -15, 15, -15, 15),
      row(
          "bitwise_or", [](double a, double b) -> double { return whole(a) | whole(b); },
          [](const Tensors& x) { return x[0].bitwise_or(x[1]); }, -15, 15, -15, 15),
      row(
          "bitwise_xor", [](double a, double b) -> double { return whole(a) ^ whole(b); },
          [](const Tensors& x) { return x[0].bitwise_xor(x[1]); }, -15, 15, -15, 15),
      with_number(
          "bitwise_not", [](double a) -> double { return ~whole(a); },
          [](const Tensors& x) {
            return (x[0].dtype() == kBool ? x[0].to(kInt64) : x[0]).bitwise_not();
          },
          -15, 15),
      with_number(
          "bitwise_not bool", [](double a) -> double { return a == 0; },
          [](const Tensors& x) { return x[0].ne(0).bitwise_not(); }),
  };
  for (OpCase& made : rows) {
    made.types = kIntegers | kBooleans;
    const auto call = made.call;
    made.wrong.push_back({"integers or bool are needed", [=] {
                            call.run({ones({2}), ones({2})});
                          }});
    if (made.name == "bitwise_not") {
      made.result = Result::number;
      made.wrong.push_back({"undefined", [=] { Tensor().bitwise_not(); }});
    }
    if (made.name == "bitwise_not bool") {
      made.types = kAllTypes;
      made.result = Result::boolean;
      made.wrong = {};
    }
    made.differentiable = false;
  }
  return rows;
}

}  // namespace

std::vector<OpCase> logic_cases() {
  std::vector<OpCase> rows = comparisons();
  for (const auto& part : {predicates(), logic()})
    for (OpCase made : part) {
      made.result = Result::boolean;
      made.differentiable = false;
      rows.push_back(made);
    }
  for (const OpCase& made : bits()) rows.push_back(made);
  return rows;
}

}  // namespace levin

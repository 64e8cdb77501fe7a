// Rows of the elementwise functions of one tensor, each with its form in place.
#include "op_cases_unary.h"

#include <algorithm>
#include <cmath>

namespace levin {
namespace {

std::vector<Sample> samples_in(double low, double high) {
  std::vector<Sample> samples;
  for (const Shape& shape : {Shape{3, 4}, Shape{}, Shape{0, 3}, Shape{2, 1, 3, 2}, Shape{37}})
    samples.push_back({{shape, low, high}});
  return samples;
}

// The derivative needs what `saves` says: it must notice that it was overwritten.
WrongCall overwritten(Saves saves, const Call& call) {
  const auto backward = [=] {
    const Tensor x = ones({2}).requires_grad_() * 1;
    const Tensor y = call.run({x})[0];
    (saves == Saves::input ? x : y).detach().zero_();
    y.sum().backward();
  };
  return {"changed in place by fill_", backward, Fault::order};
}

OpCase row(const Unary& op) {
  const Call call = [=](const Tensors& x) { return op.member(x[0]); };
  OpCase made = {.name = op.name,
                 .samples = samples_in(op.low, op.high),
                 .call = call,
                 .reference = [=](const Arrays& x) { return map(x[0], op.f); },
                 .wrong = {{"undefined", [=] { op.member(Tensor()); }}},
                 .large = {{{211, 173}, op.low, op.high}},
                 .types = op.types,
                 .result = op.result,
                 .slack = op.slack};
  if (op.function) made.spellings = {[=](const Tensors& x) { return op.function(x[0]); }};
  if (op.saves != Saves::nothing) made.wrong.push_back(overwritten(op.saves, call));
  if (!(op.types & kBooleans))
    made.wrong.push_back({"a bool tensor", [=] { op.member(ones({2}, kBool)); }});
  if (made.wrong.size() < 2) made.wrong.push_back({"undefined", [=] { op.function(Tensor()); }});
  return made;
}

OpCase row_in_place(const Unary& op) {
  const auto in_place = op.in_place;
  const std::size_t end = std::min(op.name.find(' '), op.name.size());
  const std::string name = op.name.substr(0, end) + "_" + op.name.substr(end);
  return {.name = name,
          .samples = {{{{3, 4}, op.low, op.high}}, {{{}, op.low, op.high}}, {{{0, 3}}}},
          .call = [=](const Tensors& x) { return in_place(x[0]); },
          .reference = [=](const Arrays& x) { return map(x[0], op.f); },
          .wrong = {{"was expanded", [=] { in_place(zeros({1}).expand({3})); }},
                    {"a leaf of shape [2]", [=] { in_place(ones({2}).requires_grad_()); },
                     Fault::order}},
          .types = op.result == Result::floating ? unsigned{kFloats} : op.types,
          .in_place = true,
          .slack = op.slack};
}

}  // namespace

std::vector<OpCase> rows_of(const std::vector<Unary>& operations) {
  std::vector<OpCase> rows;
  for (const Unary& op : operations) {
    rows.push_back(row(op));
    if (op.in_place) rows.push_back(row_in_place(op));
  }
  return rows;
}

// Named as the formula is, with the formula in plain numbers.
#define LEVIN_ROW(name, ...) UNARY(name, [](double x) -> double { return __VA_ARGS__; })

std::vector<OpCase> unary_cases() {
  std::vector<OpCase> rows = rows_of({
      LEVIN_ROW(neg, -x).numbers(),
      LEVIN_ROW(abs, std::abs(x)).numbers(),
      LEVIN_ROW(sign, (x > 0) - (x < 0)),
      LEVIN_ROW(floor, std::floor(x)).numbers(),
      LEVIN_ROW(ceil, std::ceil(x)).numbers(),
      LEVIN_ROW(round, std::nearbyint(x)).numbers(),
      LEVIN_ROW(trunc, std::trunc(x)).numbers(),
      LEVIN_ROW(frac, x - std::trunc(x)).floats(),
      LEVIN_ROW(square, x * x).saving(Saves::input),
      LEVIN_ROW(reciprocal, 1 / x).in(0.5, 2).floating(Saves::output),
      LEVIN_ROW(sqrt, std::sqrt(x)).in(0.1, 3).floating(Saves::output),
      LEVIN_ROW(rsqrt, 1 / std::sqrt(x)).in(0.3, 3).floating(Saves::output),
      LEVIN_ROW(exp, std::exp(x)).floating(Saves::output),
      LEVIN_ROW(expm1, std::expm1(x)).floating(Saves::output),
      LEVIN_ROW(log, std::log(x)).in(0.1, 3).floating(Saves::input),
      LEVIN_ROW(log1p, std::log1p(x)).in(-0.8, 3).floating(Saves::input),
      LEVIN_ROW(log2, std::log2(x)).in(0.1, 3).floating(Saves::input),
      LEVIN_ROW(log10, std::log10(x)).in(0.1, 3).floating(Saves::input),
      LEVIN_ROW(sin, std::sin(x)).in(-8, 8).floating(Saves::input),
      LEVIN_ROW(cos, std::cos(x)).in(-8, 8).floating(Saves::input),
      LEVIN_ROW(tan, std::tan(x)).in(-1.2, 1.2).floating(Saves::output),
      LEVIN_ROW(asin, std::asin(x)).in(-0.9, 0.9).floating(Saves::input),
      LEVIN_ROW(acos, std::acos(x)).in(-0.9, 0.9).floating(Saves::input),
      LEVIN_ROW(atan, std::atan(x)).floating(Saves::input),
      LEVIN_ROW(sinh, std::sinh(x)).floating(Saves::input),
      LEVIN_ROW(cosh, std::cosh(x)).floating(Saves::input),
      LEVIN_ROW(tanh, std::tanh(x)).floating(Saves::output),
      LEVIN_ROW(asinh, std::asinh(x)).floating(Saves::input),
      LEVIN_ROW(acosh, std::acosh(x)).in(1, 3).floating(Saves::input),
      LEVIN_ROW(atanh, std::atanh(x)).in(-0.9, 0.9).floating(Saves::input),
      LEVIN_ROW(erf, std::erf(x)).floating(Saves::input),
      LEVIN_ROW(erfc, std::erfc(x)).floating(Saves::input),
  });
  for (OpCase& made : rows)
    if (made.name == "neg") made.spellings.push_back([](const Tensors& x) { return -x[0]; });
  return rows;
}

std::vector<OpCase> activation_cases() {
  const auto sigmoid_of = [](double x) { return 1 / (1 + std::exp(-x)); };
  const auto phi = [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2)); };
  const auto elu_of = [](double x, double alpha) { return x > 0 ? x : alpha * std::expm1(x); };
  const auto clip = [](double x, double low, double high) {
    return std::min(std::max(x, low), high);
  };
  const auto gelu_tanh = [](double x) {
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  };
  return rows_of({
      UNARY(sigmoid, sigmoid_of).floating(Saves::output),
      LEVIN_ROW(logsigmoid, -std::log1p(std::exp(-x))).floating(Saves::input),
      LEVIN_ROW(softplus, std::log1p(std::exp(x))).floating(Saves::input),
      LEVIN_ROW(softplus, x > 3 ? x : std::log1p(std::exp(2 * x)) / 2)
          .floating(Saves::input)
          .in(-4, 8)
          .with(
              "beta threshold", [](const Tensor& x) { return x.softplus(2, 6); },
              [](const Tensor& x) { return softplus(x, 2, 6); }),
      LEVIN_ROW(softsign, x / (1 + std::abs(x))).floating(Saves::input),
      LEVIN_ROW(relu, std::max(x, 0.0)).numbers(),
      LEVIN_ROW(leaky_relu, x > 0 ? x : 0.01 * x).floating(Saves::input),
      LEVIN_ROW(leaky_relu, x > 0 ? x : 0.5 * x)
          .floating(Saves::input)
          .with(
              "slope", [](const Tensor& x) { return x.leaky_relu(0.5); },
              [](const Tensor& x) { return leaky_relu(x, 0.5); }),
      UNARY(elu, [=](double x) { return elu_of(x, 1); }).floating(Saves::input),
      UNARY(elu, [=](double x) { return elu_of(x, 1.5); })
          .floating(Saves::input)
          .with(
              "alpha", [](const Tensor& x) { return x.elu(1.5); },
              [](const Tensor& x) { return elu(x, 1.5); }),
      LEVIN_ROW(celu, x > 0 ? x : std::expm1(x)).floating(Saves::input),
      LEVIN_ROW(celu, x > 0 ? x : 2 * std::expm1(x / 2))
          .floating(Saves::input)
          .with(
              "alpha", [](const Tensor& x) { return x.celu(2); },
              [](const Tensor& x) { return celu(x, 2); }),
      UNARY(selu, [=](double x) { return 1.0507009873554805 * elu_of(x, 1.6732632423543772); })
          .floating(Saves::input),
      UNARY(silu, [=](double x) { return x * sigmoid_of(x); }).floating(Saves::input),
      LEVIN_ROW(mish, x * std::tanh(std::log1p(std::exp(x)))).floating(Saves::input),
      UNARY(hardtanh, [=](double x) { return clip(x, -1, 1); }).numbers().saving(Saves::input),
      UNARY(hardtanh, [=](double x) { return clip(x, -2, 1); })
          .numbers()
          .saving(Saves::input)
          .in(-4, 4)
          .with(
              "bounds", [](const Tensor& x) { return x.hardtanh(-2, 1); },
              [](const Tensor& x) { return hardtanh(x, -2, 1); }),
      UNARY(hardsigmoid, [=](double x) { return clip(x + 3, 0, 6) / 6; })
          .floating(Saves::input)
          .in(-5, 5),
      UNARY(hardswish, [=](double x) { return x * clip(x + 3, 0, 6) / 6; })
          .floating(Saves::input)
          .in(-5, 5),
      Unary(
          "gelu", [](const Tensor& x) { return x.gelu(); }, [](const Tensor& x) { return gelu(x); },
          [=](double x) { return x * phi(x); })
          .floating(Saves::input),
      Unary(
          "gelu tanh", [](const Tensor& x) { return x.gelu("tanh"); },
          [](const Tensor& x) { return gelu(x, "tanh"); }, gelu_tanh)
          .floating(Saves::input),
  });
}

}  // namespace levin

// Rows of the operations that write to their first argument.
#include <algorithm>
#include <cmath>

#include "op_cases.h"

namespace levin {
namespace {

using F = double (*)(double, double);

// The second argument broadcasts to the first.
OpCase row(const char* name, F f, Call call, double low = -2, double high = 2) {
  const WrongCall shape = {"does not fit the tensor of shape [3]", [=] {
                             call.run({zeros({3}), zeros({2, 3})});
                           }};
  const WrongCall overlap = {"overlap", [=] {
                               const Tensor x = ones({4});
                               call.run({x.slice(0, 1, 4), x.slice(0, 0, 3)});
                             }};
  const WrongCall expanded = {"was expanded", [=] {
                                call.run({zeros({1}).expand({3}), zeros({3})});
                              }};
  const WrongCall leaf = {"a leaf of shape [2]",
                          [=] {
                            call.run({ones({2}).requires_grad_(), ones({2})});
                          },
                          Fault::order};
  std::vector<Sample> samples;
  const std::pair<Shape, Shape> shapes[] = {{{3, 4}, {3, 4}}, {{3, 4}, {4}}, {{2, 3}, {2, 1}},
                                            {{}, {}},         {{0, 2}, {2}}, {{5}, {1}}};
  for (const auto& [a, b] : shapes) samples.push_back({{a}, {b, low, high}});
  return {.name = name,
          .samples = samples,
          .call = call,
          .reference = [=](const Arrays& x) { return zip(x[0], x[1], f); },
          .wrong = {shape, overlap, expanded, leaf},
          .large = {{{211, 173}}, {{173}, low, high}},
          .in_place = true};
}

OpCase alone(const char* name, double (*f)(double), Call call) {
  const WrongCall expanded = {"was expanded", [=] { call.run({zeros({1}).expand({3})}); }};
  const WrongCall leaf = {"a leaf of shape [2]", [=] { call.run({ones({2}).requires_grad_()}); },
                          Fault::order};
  return {.name = name,
          .samples = {{{{3, 4}}}, {{{}}}, {{{0, 3}}}},
          .call = call,
          .reference = [=](const Arrays& x) { return map(x[0], f); },
          .wrong = {expanded, leaf},
          .large = {{{211, 173}}},
          .in_place = true};
}

}  // namespace

std::vector<OpCase> in_place_cases() {
  std::vector<OpCase> rows = {
      row(
          "add_", [](double a, double b) { return a + b; },
          [](const Tensors& x) { return x[0].add_(x[1]); }),
      row(
          "add_ alpha", [](double a, double b) { return a + 2 * b; },
          [](const Tensors& x) { return x[0].add_(x[1], 2); }),
      row(
          "sub_", [](double a, double b) { return a - b; },
          [](const Tensors& x) { return x[0].sub_(x[1]); }),
      row(
          "sub_ alpha", [](double a, double b) { return a - 2 * b; },
          [](const Tensors& x) { return x[0].sub_(x[1], 2); }),
      row(
          "mul_", [](double a, double b) { return a * b; },
          [](const Tensors& x) { return x[0].mul_(x[1]); }),
      row(
          "div_", [](double a, double b) { return a / b; },
          [](const Tensors& x) { return x[0].div_(x[1]); }, 0.5, 2),
      row(
          "copy_", [](double, double b) { return b; },
          [](const Tensors& x) { return x[0].copy_(x[1]); }),
      alone(
          "add_ number", [](double a) { return a + 3; },
          [](const Tensors& x) { return x[0].add_(3); }),
      alone(
          "sub_ number", [](double a) { return a - 2; },
          [](const Tensors& x) { return x[0].sub_(2); }),
      alone(
          "mul_ number", [](double a) { return a * 3; },
          [](const Tensors& x) { return x[0].mul_(3); }),
      alone(
          "div_ number", [](double a) { return a / 4; },
          [](const Tensors& x) { return x[0].div_(4); }),
      row(
          "atan2_", [](double a, double b) { return std::atan2(a, b); },
          [](const Tensors& x) { return x[0].atan2_(x[1]); }, 0.5, 2),
      row(
          "hypot_", [](double a, double b) { return std::hypot(a, b); },
          [](const Tensors& x) { return x[0].hypot_(x[1]); }, 0.5, 2),
      row(
          "fmax_", [](double a, double b) { return std::max(a, b); },
          [](const Tensors& x) { return x[0].fmax_(x[1]); }),
      row(
          "fmin_", [](double a, double b) { return std::min(a, b); },
          [](const Tensors& x) { return x[0].fmin_(x[1]); }),
      row(
          "pow_ whole", [](double a, double b) { return std::pow(a, b); },
          [](const Tensors& x) { return x[0].pow_(x[1].detach()); }, 0, 3),
      alone(
          "pow_", [](double a) { return a * a * a; },
          [](const Tensors& x) { return x[0].pow_(3); }),
      alone(
          "clamp_", [](double a) { return std::min(std::max(a, -1.0), 1.0); },
          [](const Tensors& x) { return x[0].clamp_(-1, 1); }),
      alone(
          "fill_", [](double) { return 3.0; }, [](const Tensors& x) { return x[0].fill_(3); }),
      alone(
          "zero_", [](double) { return 0.0; }, [](const Tensors& x) { return x[0].zero_(); }),
  };
  for (OpCase& made : rows) {
    const std::string operation = operation_of(made);
    if (made.name == "add_") {
      made.spellings = {[](const Tensors& x) { return x[0] += x[1]; }};
      made.wrong.push_back({"add_: a float32 result cannot be put into a int64 tensor",
                            [] { ones({2}, kInt64).add_(ones({2})); }});
    }
    // With a factor the second argument is a product of its own, which overlaps nothing.
    if (made.name.ends_with("alpha")) made.wrong = {};
    if (made.name == "sub_") made.spellings = {[](const Tensors& x) { return x[0] -= x[1]; }};
    if (made.name == "mul_") made.spellings = {[](const Tensors& x) { return x[0] *= x[1]; }};
    if (made.name == "div_") made.spellings = {[](const Tensors& x) { return x[0] /= x[1]; }};
    // A bool tensor cannot take the int64 that numbers or an alpha make of it.
    if (operation == "sub_" || operation == "pow_" || operation == "clamp_" ||
        made.name.find(' ') != std::string::npos)
      made.types = kNumbers;
    if (operation == "div_" || operation == "atan2_" || operation == "hypot_") made.types = kFloats;
    if (made.name == "pow_ whole")
      for (Sample& sample : made.samples) sample[1].kind = Input::whole;
  }
  return rows;
}

}  // namespace levin

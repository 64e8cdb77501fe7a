// Rows of the elementwise operations on one tensor.
#include <algorithm>
#include <cmath>

#include "op_cases.h"

namespace levin {
namespace {

using Member = Tensor (Tensor::*)() const;
using Free = Tensor (*)(const Tensor&);

struct Unary {
  const char* name;
  Member member;
  Free function;
  double (*f)(double);
  double low = -2, high = 2;
};

std::vector<Sample> samples_in(double low, double high) {
  std::vector<Sample> samples;
  for (const Shape& shape : {Shape{3, 4}, Shape{}, Shape{0, 3}, Shape{2, 1, 3, 2}, Shape{37}})
    samples.push_back({{shape, low, high}});
  return samples;
}

OpCase row(const Unary& op) {
  return {.name = op.name,
          .samples = samples_in(op.low, op.high),
          .call = [=](const Tensors& x) { return (x[0].*op.member)(); },
          .reference = [=](const Arrays& x) { return map(x[0], op.f); },
          .wrong = {{"undefined", [=] { (Tensor().*op.member)(); }}},
          .spellings = {[=](const Tensors& x) { return op.function(x[0]); }},
          .large = {{{211, 173}, op.low, op.high}}};
}

// Refuses bool, as PyTorch does.
OpCase of_numbers(const Unary& op) {
  OpCase made = row(op);
  made.types = kNumbers;
  made.wrong.push_back({"a bool tensor", [=] { (ones({2}, kBool).*op.member)(); }});
  return made;
}

enum class Saves { input, output };

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

OpCase saving(Saves saves, const Unary& op) {
  OpCase made = row(op);
  made.wrong.push_back(overwritten(saves, made.call));
  return made;
}

OpCase floating(Saves saves, const Unary& op) {
  OpCase made = saving(saves, op);
  made.result = Result::floating;
  return made;
}

OpCase clamp_row(const char* name, double low, double high, Call call) {
  const auto f = [=](double x) { return std::min(std::max(x, low), high); };
  return {.name = name,
          .samples = samples_in(-3, 3),
          .call = std::move(call),
          .reference = [=](const Arrays& x) { return map(x[0], f); },
          .large = {{{211, 173}}},
          .result = Result::number};
}

double neg_of(double x) { return -x; }
double abs_of(double x) { return std::abs(x); }
double relu_of(double x) { return std::max(x, 0.0); }
double square_of(double x) { return x * x; }
double exp_of(double x) { return std::exp(x); }
double log_of(double x) { return std::log(x); }
double sqrt_of(double x) { return std::sqrt(x); }
double tanh_of(double x) { return std::tanh(x); }
double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

std::vector<OpCase> unary_cases() {
  std::vector<OpCase> rows = {
      of_numbers({"neg", &Tensor::neg, neg, neg_of}),
      of_numbers({"abs", &Tensor::abs, abs, abs_of}),
      of_numbers({"relu", &Tensor::relu, relu, relu_of}),
      saving(Saves::input, {"square", &Tensor::square, square, square_of}),
      floating(Saves::output, {"exp", &Tensor::exp, exp, exp_of}),
      floating(Saves::input, {"log", &Tensor::log, log, log_of, 0.1, 3}),
      floating(Saves::output, {"sqrt", &Tensor::sqrt, sqrt, sqrt_of, 0.1, 3}),
      floating(Saves::output, {"tanh", &Tensor::tanh, tanh, tanh_of}),
      floating(Saves::output, {"sigmoid", &Tensor::sigmoid, sigmoid, sigmoid_of}),
      clamp_row("clamp", -1, 1, [](const Tensors& x) { return x[0].clamp(-1, 1); }),
      clamp_row("clamp real", -0.5, 1.5, [](const Tensors& x) { return clamp(x[0], -0.5, 1.5); }),
      clamp_row("clamp_min", -1, INFINITY, [](const Tensors& x) { return x[0].clamp_min(-1); }),
      clamp_row("clamp_max", -INFINITY, 1, [](const Tensors& x) { return x[0].clamp_max(1); }),
  };
  for (OpCase& made : rows) {
    if (made.name == "neg") made.spellings.push_back([](const Tensors& x) { return -x[0]; });
    if (made.name == "clamp real") made.result = Result::floating;
    if (operation_of(made).starts_with("clamp"))
      made.wrong = {overwritten(Saves::input, made.call),
                    {"undefined", [=] { made.call.run({Tensor()}); }}};
  }
  return rows;
}

}  // namespace levin

// How a row of an elementwise function of one tensor is written down: UNARY(sin, std::sin).in(-8, 8).
#pragma once

#include <functional>
#include <string>

#include "op_cases.h"

namespace levin {

/// What a derivative keeps.
enum class Saves { nothing, input, output };

/// A function with its member, its free function, and its form in place.
struct Unary {
  using Function = std::function<Tensor(const Tensor&)>;
  using InPlace = std::function<const Tensor&(const Tensor&)>;

  Unary(std::string its_name, Function its_member, Function its_function,
        std::function<double(double)> its_f, InPlace its_in_place = {})
      : name(std::move(its_name)),
        member(std::move(its_member)),
        function(std::move(its_function)),
        f(std::move(its_f)),
        in_place(std::move(its_in_place)) {}

  /// The range that its arguments are drawn from.
  Unary& in(double its_low, double its_high) { return low = its_low, high = its_high, *this; }
  /// Refuses bool, as PyTorch does.
  Unary& numbers() { return types = kNumbers, *this; }
  Unary& saving(Saves what) { return saves = what, *this; }
  /// Integers become float32.
  Unary& floats() { return result = Result::floating, *this; }
  Unary& floating(Saves what) { return floats().saving(what); }
  /// Another row, of a call with parameters.
  Unary& with(const char* what, Function its_member, Function its_function) {
    name += std::string(" ") + what;
    member = std::move(its_member), function = std::move(its_function), in_place = {};
    return *this;
  }

  std::string name;
  Function member, function;
  std::function<double(double)> f;
  InPlace in_place;
  double low = -2, high = 2, slack = 2;
  unsigned types = kAllTypes;
  Result result = Result::same;
  Saves saves = Saves::nothing;
};

#define UNARY(name, f)                                   \
  Unary(                                                 \
      #name, [](const Tensor& x) { return x.name(); },   \
      [](const Tensor& x) { return levin::name(x); }, f, \
      [](const Tensor& x) -> const Tensor& { return x.name##_(); })

std::vector<OpCase> rows_of(const std::vector<Unary>& operations);

}  // namespace levin

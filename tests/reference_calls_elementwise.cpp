// The elementwise operations.
#include "reference_calls.h"

namespace levin {
namespace {

// A parameter of the function, which is a keyword.
double parameter(const Arguments& a, const char* name, double otherwise) {
  return a.number(name, otherwise).value;
}

Tensor clamp_of(const Arguments& a) {
  const Tensor& x = a.tensor(0);
  if (a.tensor("max").defined() && a.tensor("min").defined())
    return x.clamp(a.tensor("min"), a.tensor("max"));
  if (a.tensor("min").defined()) return x.clamp_min(a.tensor("min"));
  if (a.tensor("max").defined()) return x.clamp_max(a.tensor("max"));
  if (a.count() == 3) return x.clamp(a.tensor(1), a.tensor(2));
  if (!a.has("max")) return x.clamp_min(a.number("min", 0));
  if (!a.has("min")) return x.clamp_max(a.number("max", 0));
  return x.clamp(a.number("min", 0), a.number("max", 0));
}

Tensor div_of(const Arguments& a) {
  const std::string rounding = a.text("rounding_mode", "");
  if (!rounding.empty()) return a.tensor(0).div(a.tensor(1), rounding);
  return a.is_tensor(1) ? a.tensor(0).div(a.tensor(1)) : a.tensor(0).div(a.number(1));
}

std::optional<double> optional(const Arguments& a, const char* name) {
  if (!a.has(name)) return {};
  return a.number(name, 0).value;
}

std::map<std::string, ReferenceCall> functions() {
  return {
      {"neg", unary(&Tensor::neg)},
      {"abs", unary(&Tensor::abs)},
      {"sign", unary(&Tensor::sign)},
      {"floor", unary(&Tensor::floor)},
      {"ceil", unary(&Tensor::ceil)},
      {"round", unary(&Tensor::round)},
      {"trunc", unary(&Tensor::trunc)},
      {"frac", unary(&Tensor::frac)},
      {"square", unary(&Tensor::square)},
      {"reciprocal", unary(&Tensor::reciprocal)},
      {"sqrt", unary(&Tensor::sqrt)},
      {"rsqrt", unary(&Tensor::rsqrt)},
      {"exp", unary(&Tensor::exp)},
      {"expm1", unary(&Tensor::expm1)},
      {"log", unary(&Tensor::log)},
      {"log1p", unary(&Tensor::log1p)},
      {"log2", unary(&Tensor::log2)},
      {"log10", unary(&Tensor::log10)},
      {"sin", unary(&Tensor::sin)},
      {"cos", unary(&Tensor::cos)},
      {"tan", unary(&Tensor::tan)},
      {"asin", unary(&Tensor::asin)},
      {"acos", unary(&Tensor::acos)},
      {"atan", unary(&Tensor::atan)},
      {"sinh", unary(&Tensor::sinh)},
      {"cosh", unary(&Tensor::cosh)},
      {"tanh", unary(&Tensor::tanh)},
      {"asinh", unary(&Tensor::asinh)},
      {"acosh", unary(&Tensor::acosh)},
      {"atanh", unary(&Tensor::atanh)},
      {"erf", unary(&Tensor::erf)},
      {"erfc", unary(&Tensor::erfc)},
      {"sigmoid", unary(&Tensor::sigmoid)},
      {"relu", unary(&Tensor::relu)},
      {"isnan", unary(&Tensor::isnan)},
      {"isinf", unary(&Tensor::isinf)},
      {"isfinite", unary(&Tensor::isfinite)},
      {"logical_not", unary(&Tensor::logical_not)},
      {"bitwise_not", unary(&Tensor::bitwise_not)},
  };
}

std::map<std::string, ReferenceCall> activations() {
  return {
      {"nn.functional.logsigmoid", unary(&Tensor::logsigmoid)},
      {"nn.functional.softsign", unary(&Tensor::softsign)},
      {"nn.functional.selu", unary(&Tensor::selu)},
      {"nn.functional.silu", unary(&Tensor::silu)},
      {"nn.functional.mish", unary(&Tensor::mish)},
      {"nn.functional.hardsigmoid", unary(&Tensor::hardsigmoid)},
      {"nn.functional.hardswish", unary(&Tensor::hardswish)},
      {"nn.functional.relu6", one([](const Arguments& a) { return hardtanh(a.tensor(0), 0, 6); })},
      {"nn.functional.softplus", one([](const Arguments& a) {
         return softplus(a.tensor(0), parameter(a, "beta", 1), parameter(a, "threshold", 20));
       })},
      {"nn.functional.leaky_relu", one([](const Arguments& a) {
         return leaky_relu(a.tensor(0), parameter(a, "negative_slope", 0.01));
       })},
      {"nn.functional.elu",
       one([](const Arguments& a) { return elu(a.tensor(0), parameter(a, "alpha", 1)); })},
      {"nn.functional.celu",
       one([](const Arguments& a) { return celu(a.tensor(0), parameter(a, "alpha", 1)); })},
      {"nn.functional.hardtanh", one([](const Arguments& a) {
         return hardtanh(a.tensor(0), parameter(a, "min_val", -1), parameter(a, "max_val", 1));
       })},
      {"nn.functional.gelu",
       one([](const Arguments& a) { return gelu(a.tensor(0), a.text("approximate", "none")); })},
  };
}

std::map<std::string, ReferenceCall> of_two() {
  return {
      {"mul", binary(&Tensor::mul, &Tensor::mul)},
      {"fmod", binary(&Tensor::fmod, &Tensor::fmod)},
      {"remainder", binary(&Tensor::remainder, &Tensor::remainder)},
      {"floor_divide", binary(&Tensor::floor_divide, &Tensor::floor_divide)},
      {"eq", binary(&Tensor::eq, &Tensor::eq)},
      {"ne", binary(&Tensor::ne, &Tensor::ne)},
      {"lt", binary(&Tensor::lt, &Tensor::lt)},
      {"le", binary(&Tensor::le, &Tensor::le)},
      {"gt", binary(&Tensor::gt, &Tensor::gt)},
      {"ge", binary(&Tensor::ge, &Tensor::ge)},
      {"maximum", binary(&Tensor::maximum)},
      {"minimum", binary(&Tensor::minimum)},
      {"fmax", binary(&Tensor::fmax)},
      {"fmin", binary(&Tensor::fmin)},
      {"atan2", binary(&Tensor::atan2)},
      {"hypot", binary(&Tensor::hypot)},
      {"logical_and", binary(&Tensor::logical_and)},
      {"logical_or", binary(&Tensor::logical_or)},
      {"logical_xor", binary(&Tensor::logical_xor)},
      {"bitwise_and", binary(&Tensor::bitwise_and)},
      {"bitwise_or", binary(&Tensor::bitwise_or)},
      {"bitwise_xor", binary(&Tensor::bitwise_xor)},
      {"add", one([](const Arguments& a) {
         const Number alpha = a.number("alpha", 1);
         return a.is_tensor(1) ? a.tensor(0).add(a.tensor(1), alpha)
                               : a.tensor(0).add(a.number(1), alpha);
       })},
      {"sub", one([](const Arguments& a) {
         const Number alpha = a.number("alpha", 1);
         return a.is_tensor(1) ? a.tensor(0).sub(a.tensor(1), alpha)
                               : a.tensor(0).sub(a.number(1), alpha);
       })},
      {"rsub", one([](const Arguments& a) { return a.number(1) - a.tensor(0); })},
      {"div", one(div_of)},
      {"pow", one([](const Arguments& a) {
         if (!a.is_tensor(0)) return pow(a.number(0), a.tensor(1));
         return a.is_tensor(1) ? a.tensor(0).pow(a.tensor(1)) : a.tensor(0).pow(a.number(1));
       })},
  };
}

std::map<std::string, ReferenceCall> of_three() {
  return {
      {"clamp", one(clamp_of)},
      {"where",
       one([](const Arguments& a) { return where(a.tensor(0), a.tensor(1), a.tensor(2)); })},
      {"lerp", one([](const Arguments& a) {
         return a.is_tensor(2) ? a.tensor(0).lerp(a.tensor(1), a.tensor(2))
                               : a.tensor(0).lerp(a.tensor(1), a.number(2));
       })},
      {"addcmul", one([](const Arguments& a) {
         return a.tensor(0).addcmul(a.tensor(1), a.tensor(2), parameter(a, "value", 1));
       })},
      {"addcdiv", one([](const Arguments& a) {
         return a.tensor(0).addcdiv(a.tensor(1), a.tensor(2), parameter(a, "value", 1));
       })},
      {"nan_to_num", one([](const Arguments& a) {
         return a.tensor(0).nan_to_num(parameter(a, "nan", 0), optional(a, "posinf"),
                                       optional(a, "neginf"));
       })},
  };
}

}  // namespace

std::map<std::string, ReferenceCall> elementwise_calls() {
  std::map<std::string, ReferenceCall> calls;
  for (const auto& part : {functions(), activations(), of_two(), of_three()})
    calls.insert(part.begin(), part.end());
  return calls;
}

}  // namespace levin

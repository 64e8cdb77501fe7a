// Activations as modules, with PyTorch's names and defaults; the formulas are in
// kernels/formulas/activations.h.
#pragma once

#include <array>
#include <sstream>
#include <tuple>

#include "module.h"

namespace levin::inline v0::nn {

/// A member function of Tensor as a module. Its parameters are given by name and value, the names
/// being for errors and tables.
template <auto function, class... Parameters>
class Activation : public Module {
 public:
  using Names = std::array<const char*, sizeof...(Parameters)>;
  explicit Activation(Names names = {}, Parameters... values) : names_(names), values_(values...) {}

  Tensor forward(const Tensor& x) override {
    return std::apply([&](const auto&... values) { return (x.*function)(values...); }, values_);
  }
  std::string extra_text() const override {
    std::ostringstream text;
    std::size_t i = 0;
    const auto add = [&](const auto& value) {
      text << (i ? ", " : "") << names_[i] << ' ' << value;
      ++i;
    };
    std::apply([&](const auto&... values) { (add(values), ...); }, values_);
    return text.str();
  }

 private:
  Names names_;
  std::tuple<Parameters...> values_;
};

struct ReLU : Activation<&Tensor::relu> {};
struct SELU : Activation<&Tensor::selu> {};
struct SiLU : Activation<&Tensor::silu> {};
struct Mish : Activation<&Tensor::mish> {};
struct Tanh : Activation<&Tensor::tanh> {};
struct Sigmoid : Activation<&Tensor::sigmoid> {};
struct LogSigmoid : Activation<&Tensor::logsigmoid> {};
struct Softsign : Activation<&Tensor::softsign> {};
struct Hardsigmoid : Activation<&Tensor::hardsigmoid> {};
struct Hardswish : Activation<&Tensor::hardswish> {};

struct LeakyReLU : Activation<&Tensor::leaky_relu, double> {
  explicit LeakyReLU(double negative_slope = 0.01) : Activation({"slope"}, negative_slope) {}
};
struct ELU : Activation<&Tensor::elu, double> {
  explicit ELU(double alpha = 1) : Activation({"alpha"}, alpha) {}
};
struct CELU : Activation<&Tensor::celu, double> {
  explicit CELU(double alpha = 1) : Activation({"alpha"}, alpha) {}
};
/// approximate: "none" or "tanh"
struct GELU : Activation<&Tensor::gelu, std::string> {
  explicit GELU(const std::string& approximate = "none")
      : Activation({"approximate"}, approximate) {}
};
struct Softplus : Activation<&Tensor::softplus, double, double> {
  explicit Softplus(double beta = 1, double threshold = 20)
      : Activation({"beta", "threshold"}, beta, threshold) {}
};
struct Hardtanh : Activation<&Tensor::hardtanh, double, double> {
  explicit Hardtanh(double min_val = -1, double max_val = 1)
      : Activation({"min", "max"}, min_val, max_val) {}
};
struct ReLU6 : Hardtanh {
  ReLU6() : Hardtanh(0, 6) {}
};
struct Softmax : Activation<&Tensor::softmax, int64_t> {
  explicit Softmax(int64_t dim) : Activation({"dim"}, dim) {}
};
struct LogSoftmax : Activation<&Tensor::log_softmax, int64_t> {
  explicit LogSoftmax(int64_t dim) : Activation({"dim"}, dim) {}
};

}  // namespace levin::inline v0::nn

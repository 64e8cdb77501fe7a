// Initial values: PyTorch's torch.nn.init. Each overwrites its tensor, records no history, draws
// from stream "init" of the default generator, and returns the tensor.
#pragma once

#include <optional>
#include <string>

#include "../tensor/tensor.h"

namespace levin::inline v0::nn::init {

/// Uniform in [a, b).
const Tensor& uniform_(const Tensor& tensor, double a = 0, double b = 1);
const Tensor& normal_(const Tensor& tensor, double mean = 0, double std = 1);
/// Normal, of which only what lies in [a, b] counts.
const Tensor& trunc_normal_(const Tensor& tensor, double mean = 0, double std = 1, double a = -2,
                            double b = 2);
const Tensor& constant_(const Tensor& tensor, Number value);
const Tensor& ones_(const Tensor& tensor);
const Tensor& zeros_(const Tensor& tensor);
/// Of a matrix: ones on the diagonal.
const Tensor& eye_(const Tensor& tensor);
/// Of a convolution's weight [out, in, ..]: output channel i of each group repeats input channel i.
const Tensor& dirac_(const Tensor& tensor, int64_t groups = 1);
/// Of a matrix: in each column the fraction `sparsity` is 0, the rest normal with deviation std.
const Tensor& sparse_(const Tensor& tensor, double sparsity, double std = 0.01);

/// The factor by which a nonlinearity's input should be wider than linear: PyTorch's names
/// ("linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu" with its slope, "selu").
double calculate_gain(const std::string& nonlinearity, std::optional<double> slope = {});

/// Of a weight [out, in, ..]; fan_in is in times the sizes behind it, fan_out out times these.
/// Uniform in +-gain sqrt(6 / (fan_in + fan_out)); deviation gain sqrt(2 / (fan_in + fan_out)).
/// Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
/// 2010.
const Tensor& xavier_uniform_(const Tensor& tensor, double gain = 1);
const Tensor& xavier_normal_(const Tensor& tensor, double gain = 1);

struct KaimingOptions {
  double a = 0;                 ///< the slope of leaky_relu
  std::string mode = "fan_in";  ///< or "fan_out": what keeps its variance, values or gradients
  std::string nonlinearity = "leaky_relu";
};
/// Uniform in +-gain sqrt(3 / fan); deviation gain / sqrt(fan). He et al., "Delving deep into
/// rectifiers", 2015.
const Tensor& kaiming_uniform_(const Tensor& tensor, const KaimingOptions& options = {});
const Tensor& kaiming_normal_(const Tensor& tensor, const KaimingOptions& options = {});

/// The tensor as a matrix [first size, rest]: orthogonal rows (columns, where there are more rows)
/// of length `gain`, uniform over all such matrices. Saxe et al., "Exact solutions to the nonlinear
/// dynamics of learning in deep linear neural networks", 2013.
const Tensor& orthogonal_(const Tensor& tensor, double gain = 1);

}  // namespace levin::inline v0::nn::init

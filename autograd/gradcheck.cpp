#include "gradcheck.h"

#include <cmath>
#include <cstring>

#include "../kernels/check.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

using Numbers = std::vector<double>;

std::vector<Tensor> differentiable(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> result;
  for (const Tensor& tensor : tensors)
    if (tensor.requires_grad()) result.push_back(tensor);
  return result;
}

// d output[j] / d inputs for one output and one element j, by backward.
std::vector<Numbers> analytic_row(const Tensor& output, int64_t j,
                                  const std::vector<Tensor>& inputs) {
  std::vector<Numbers> row;
  if (!output.requires_grad()) {
    for (const Tensor& input : inputs) row.emplace_back(input.numel(), 0.0);
    return row;
  }
  Numbers start(output.numel());
  start[j] = 1;
  const std::vector<Tensor> grads =
      grad({output}, inputs, {from_vector(start, output.shape())}, true, false, true);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    row.push_back(grads[i].defined() ? grads[i].to_vector<double>()
                                     : Numbers(inputs[i].numel(), 0.0));
  return row;
}

// All outputs' elements with element k of the input moved by `step`.
std::vector<Numbers> moved(const GradcheckFunction& f, const std::vector<Tensor>& inputs,
                           const Tensor& input, int64_t k, double step) {
  double* x = input.data<double>();
  const double before = x[k];
  x[k] = before + step;
  std::vector<Numbers> values;
  for (const Tensor& output : f(inputs)) values.push_back(output.to_vector<double>());
  input.data<double>()[k] = before;
  return values;
}

bool same_bits(const std::vector<Numbers>& a, const std::vector<Numbers>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (a[i].size() != b[i].size() ||
        (!a[i].empty() && std::memcmp(a[i].data(), b[i].data(), a[i].size() * sizeof(double)) != 0))
      return false;
  return true;
}

}  // namespace

std::string gradcheck(const GradcheckFunction& f, const std::vector<Tensor>& inputs,
                      const GradcheckOptions& options) {
  const std::vector<Tensor> wanted = differentiable(inputs);
  check(!wanted.empty(), {"gradcheck: no input requires a gradient"});
  for (const Tensor& input : wanted)
    check(input.dtype() == kFloat64 && input.is_contiguous(),
          {"gradcheck: a ", input.dtype(), " input of shape ", input.shape(),
           ": contiguous float64 is needed"});
  const std::vector<Tensor> outputs = f(inputs);
  // Jacobian by differences: numeric[input][k][output][j]
  std::vector<std::vector<std::vector<Numbers>>> numeric(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    for (int64_t k = 0; k < wanted[i].numel(); ++k) {
      std::vector<Numbers> up = moved(f, inputs, wanted[i], k, options.eps);
      const std::vector<Numbers> down = moved(f, inputs, wanted[i], k, -options.eps);
      for (std::size_t o = 0; o < up.size(); ++o)
        for (std::size_t j = 0; j < up[o].size(); ++j)
          up[o][j] = (up[o][j] - down[o][j]) / (2 * options.eps);
      numeric[i].push_back(std::move(up));
    }
  }
  const std::vector<Tensor> fresh = f(inputs);  // the differences have written to the inputs
  for (std::size_t o = 0; o < fresh.size(); ++o) {
    if (!is_floating(fresh[o].dtype())) continue;
    for (int64_t j = 0; j < fresh[o].numel(); ++j) {
      const std::vector<Numbers> row = analytic_row(fresh[o], j, wanted);
      for (int again = 0; again < 2; ++again)
        if (!same_bits(row, analytic_row(fresh[o], j, wanted)))
          return "backward gives other bits when it is run again, for output " + std::to_string(o);
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        for (std::size_t k = 0; k < row[i].size(); ++k) {
          const double a = row[i][k], n = numeric[i][k][o][j];
          if (std::abs(a - n) <= options.atol + options.rtol * std::abs(n)) continue;
          return "d output " + std::to_string(o) + "[" + std::to_string(j) + "] / d input " +
                 std::to_string(i) + "[" + std::to_string(k) + "]: backward gives " +
                 std::to_string(a) + ", differences give " + std::to_string(n);
        }
      }
    }
  }
  return "";
}

std::string gradgradcheck(const GradcheckFunction& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options) {
  std::vector<Tensor> all = inputs;
  Generator generator(1);
  std::vector<bool> used;
  for (const Tensor& output : f(inputs)) {
    used.push_back(is_floating(output.dtype()) && output.requires_grad());
    if (used.back()) all.push_back(randn(output.shape(), generator, kFloat64).requires_grad_());
  }
  const std::size_t count = inputs.size();
  const GradcheckFunction gradients = [&](const std::vector<Tensor>& values) {
    const std::vector<Tensor> own(values.begin(), values.begin() + static_cast<int64_t>(count));
    std::vector<Tensor> outputs;
    const std::vector<Tensor> made = f(own);
    for (std::size_t o = 0; o < made.size(); ++o)
      if (used[o]) outputs.push_back(made[o]);
    const std::vector<Tensor> upstream(values.begin() + static_cast<int64_t>(count), values.end());
    const std::vector<Tensor> wanted = differentiable(own);
    std::vector<Tensor> grads = grad(outputs, wanted, upstream, true, true, true);
    for (std::size_t i = 0; i < grads.size(); ++i)
      if (!grads[i].defined()) grads[i] = zeros_like(wanted[i]);
    return grads;
  };
  return gradcheck(gradients, all, options);
}

}  // namespace levin::inline v0

#include "init.h"

#include <algorithm>
#include <cmath>

#include "../autograd/node.h"
#include "../autograd/ops.h"
#include "../kernels/check.h"

namespace levin::inline v0::nn::init {
namespace {

constexpr const char* kStream = "init";

struct Fans {
  double in, out;
};

Fans fans_of(const char* name, const Tensor& tensor) {
  check(tensor.dim() >= 2,
        {name, ": a tensor of shape ", tensor.shape(), ": at least 2 dimensions are needed"});
  int64_t behind = 1;
  for (int d = 2; d < tensor.dim(); ++d) behind *= tensor.size(d);
  return {static_cast<double>(tensor.size(1) * behind),
          static_cast<double>(tensor.size(0) * behind)};
}

void check_matrix(const char* name, const Tensor& tensor) {
  check(tensor.dim() == 2, {name, ": a tensor of shape ", tensor.shape(), ": a matrix is needed"});
}

const Tensor& overwritten(const Tensor& tensor, const Tensor& values) {
  const NoGrad no_grad;
  return tensor.copy_(values.to(tensor.device()));
}

// The normal distribution's function, exact in its lower tail, and its density.
double below(double z) { return 0.5 * std::erfc(-z * M_SQRT1_2); }
double density(double z) { return std::exp(-0.5 * z * z) * (0.5 * M_2_SQRTPI * M_SQRT1_2); }

// z in [low, high] with below(z) = p: Newton's steps, halving where they leave the bracket.
double quantile(double p, double low, double high) {
  double z = std::clamp(0.0, low, high);
  for (int step = 0; step < 100 && high - low > 1e-14; ++step) {
    const double error = below(z) - p;
    (error > 0 ? high : low) = z;
    double next = z - error / density(z);
    if (!(next > low && next < high)) next = low + (high - low) / 2;
    if (std::abs(next - z) < 1e-14) return next;
    z = next;
  }
  return z;
}

double kaiming_deviation(const char* name, const Tensor& tensor, const KaimingOptions& options) {
  check(options.mode == "fan_in" || options.mode == "fan_out",
        {name, ": mode '", options.mode, "': 'fan_in' or 'fan_out' is needed"});
  const Fans fans = fans_of(name, tensor);
  return calculate_gain(options.nonlinearity, options.a) /
         std::sqrt(options.mode == "fan_in" ? fans.in : fans.out);
}

double xavier_deviation(const char* name, const Tensor& tensor, double gain) {
  const Fans fans = fans_of(name, tensor);
  return gain * std::sqrt(2 / (fans.in + fans.out));
}

// A uniform distribution of this deviation.
const Tensor& uniform_of(const Tensor& tensor, double deviation) {
  const double bound = std::sqrt(3.0) * deviation;
  return uniform_(tensor, -bound, bound);
}

}  // namespace

const Tensor& uniform_(const Tensor& tensor, double a, double b) {
  levin::uniform_(tensor, a, b, default_generator(), kStream);
  return tensor;
}
const Tensor& normal_(const Tensor& tensor, double mean, double std) {
  check(std >= 0, {"normal_: std ", std, ": must not be negative"});
  levin::normal_(tensor, mean, std, default_generator(), kStream);
  return tensor;
}

// A uniform number between the bounds' probabilities, turned into the value that has it. In the
// upper tail by its mirror image, since probabilities near 1 have few digits left.
const Tensor& trunc_normal_(const Tensor& tensor, double mean, double std, double a, double b) {
  check(std > 0 && a < b,
        {"trunc_normal_: std ", std, ", bounds ", a, " and ", b, ": std > 0 and a < b are needed"});
  const bool mirrored = a > mean;
  const double low = (mirrored ? mean - b : a - mean) / std;
  const double high = (mirrored ? mean - a : b - mean) / std;
  const Tensor chances = empty(tensor.shape(), kFloat64);
  levin::uniform_(chances, below(low), below(high), default_generator(), kStream);
  std::vector<double> values = chances.to_vector<double>();
  for (double& value : values) {
    const double z = quantile(value, low, high);
    value = std::clamp(mean + std * (mirrored ? -z : z), a, b);
  }
  return overwritten(tensor, from_vector(values, tensor.shape()));
}

const Tensor& constant_(const Tensor& tensor, Number value) {
  const NoGrad no_grad;
  return tensor.fill_(value);
}
const Tensor& ones_(const Tensor& tensor) { return constant_(tensor, 1); }
const Tensor& zeros_(const Tensor& tensor) { return constant_(tensor, 0); }

const Tensor& eye_(const Tensor& tensor) {
  check_matrix("eye_", tensor);
  return overwritten(tensor, eye(tensor.size(0), tensor.size(1)));
}

const Tensor& dirac_(const Tensor& tensor, int64_t groups) {
  check(tensor.dim() >= 3 && tensor.dim() <= 5,
        {"dirac_: a tensor of shape ", tensor.shape(), ": 3 to 5 dimensions are needed"});
  check(groups > 0 && tensor.size(0) % groups == 0,
        {"dirac_: ", tensor.size(0), " output channels cannot be split into ", groups, " groups"});
  const NoGrad no_grad;
  tensor.zero_();
  const int64_t size = tensor.size(0) / groups;
  for (int64_t group = 0; group < groups; ++group)
    for (int64_t i = 0; i < std::min(size, tensor.size(1)); ++i) {
      Tensor center = tensor.select(0, group * size + i).select(0, i);
      while (center.dim() > 0) center = center.select(0, center.size(0) / 2);
      center.fill_(1);
    }
  return tensor;
}

const Tensor& sparse_(const Tensor& tensor, double sparsity, double std) {
  check_matrix("sparse_", tensor);
  check(sparsity >= 0 && sparsity <= 1, {"sparse_: sparsity ", sparsity, ": must lie in [0, 1]"});
  normal_(tensor, 0, std);
  const NoGrad no_grad;
  const int64_t rows = tensor.size(0);
  const auto zeros = static_cast<int64_t>(std::ceil(sparsity * static_cast<double>(rows)));
  for (int64_t column = 0; column < tensor.size(1); ++column) {
    const auto order = randperm(rows, default_generator(), kStream).to_vector<int64_t>();
    for (int64_t i = 0; i < zeros; ++i) tensor.select(0, order[i]).select(0, column).zero_();
  }
  return tensor;
}

double calculate_gain(const std::string& nonlinearity, std::optional<double> slope) {
  if (nonlinearity == "linear" || nonlinearity == "sigmoid" || nonlinearity.starts_with("conv"))
    return 1;
  if (nonlinearity == "tanh") return 5.0 / 3;
  if (nonlinearity == "relu") return std::sqrt(2.0);
  if (nonlinearity == "leaky_relu") return std::sqrt(2 / (1 + std::pow(slope.value_or(0.01), 2)));
  if (nonlinearity == "selu") return 0.75;
  fail({"calculate_gain: no nonlinearity '", nonlinearity, "'"});
}

const Tensor& xavier_uniform_(const Tensor& tensor, double gain) {
  return uniform_of(tensor, xavier_deviation("xavier_uniform_", tensor, gain));
}
const Tensor& xavier_normal_(const Tensor& tensor, double gain) {
  return normal_(tensor, 0, xavier_deviation("xavier_normal_", tensor, gain));
}
const Tensor& kaiming_uniform_(const Tensor& tensor, const KaimingOptions& options) {
  return uniform_of(tensor, kaiming_deviation("kaiming_uniform_", tensor, options));
}
const Tensor& kaiming_normal_(const Tensor& tensor, const KaimingOptions& options) {
  return normal_(tensor, 0, kaiming_deviation("kaiming_normal_", tensor, options));
}

// Normal vectors, each made orthogonal to those before it (Gram-Schmidt, twice, since the first
// pass leaves rounding errors along them), in float64.
const Tensor& orthogonal_(const Tensor& tensor, double gain) {
  fans_of("orthogonal_", tensor);
  const NoGrad no_grad;
  const int64_t rows = tensor.size(0), columns = rows == 0 ? 0 : tensor.numel() / rows;
  const int64_t count = std::min(rows, columns);
  const Tensor q = empty({count, std::max(rows, columns)}, kFloat64);
  normal_(q);
  for (int64_t i = 0; i < count; ++i) {
    const Tensor vector = q[i], before = q.narrow(0, 0, i);
    for (int pass = 0; pass < 2 && i > 0; ++pass)
      vector.sub_(matmul(matmul(before, vector), before));
    vector.div_(vector.square().sum().sqrt());
  }
  return overwritten(tensor, ((rows > columns ? q.t() : q) * gain).reshape(tensor.shape()));
}

}  // namespace levin::inline v0::nn::init

// The operations as free functions. Members of Tensor of the same name do the same.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "../tensor/factories.h"
#include "../tensor/tensor.h"
#include "engine.h"

namespace levin::inline v0 {

// ---- Elementwise (kernels/ops.def)
#define OP(name, Struct, arguments, parameters) \
  Tensor name(LEVIN_FREE_ARGUMENTS arguments parameters);
#define FORMULA(name, Struct, arguments, parameters)
#include "../kernels/ops.def"
#undef FORMULA
#undef OP

#define LEVIN_BINARY(symbol, name)                                                      \
  inline Tensor operator symbol(const Tensor& a, const Tensor& b) { return a.name(b); } \
  inline Tensor operator symbol(const Tensor& a, Number b) { return a.name(b); }
LEVIN_BINARY(+, add)
LEVIN_BINARY(-, sub)
LEVIN_BINARY(*, mul)
LEVIN_BINARY(/, div)
LEVIN_BINARY(==, eq)
LEVIN_BINARY(!=, ne)
LEVIN_BINARY(<, lt)
LEVIN_BINARY(<=, le)
LEVIN_BINARY(>, gt)
LEVIN_BINARY(>=, ge)
#undef LEVIN_BINARY
inline Tensor operator+(Number a, const Tensor& b) { return b.add(a); }
inline Tensor operator*(Number a, const Tensor& b) { return b.mul(a); }
Tensor operator-(Number a, const Tensor& b);
Tensor operator/(Number a, const Tensor& b);
inline Tensor operator-(const Tensor& x) { return x.neg(); }
inline const Tensor& operator+=(const Tensor& a, const Tensor& b) { return a.add_(b); }
inline const Tensor& operator-=(const Tensor& a, const Tensor& b) { return a.sub_(b); }
inline const Tensor& operator*=(const Tensor& a, const Tensor& b) { return a.mul_(b); }
inline const Tensor& operator/=(const Tensor& a, const Tensor& b) { return a.div_(b); }

inline Tensor pow(const Tensor& x, const Tensor& exponent) { return x.pow(exponent); }
inline Tensor pow(const Tensor& x, Number exponent) { return x.pow(exponent); }
Tensor pow(Number x, const Tensor& exponent);
inline Tensor maximum(const Tensor& x, const Tensor& other) { return x.maximum(other); }
inline Tensor minimum(const Tensor& x, const Tensor& other) { return x.minimum(other); }
inline Tensor clamp(const Tensor& x, Number low, Number high) { return x.clamp(low, high); }
/// x where the bool condition holds, else other; all broadcast.
Tensor where(const Tensor& condition, const Tensor& x, const Tensor& other);
Tensor where(const Tensor& condition, const Tensor& x, Number other);
Tensor where(const Tensor& condition, Number x, const Tensor& other);
Tensor where(const Tensor& condition, Number x, Number other);

// ---- Products
/// a [.., m, k], b [.., k, n] -> [.., m, n]: leading sizes broadcast; a vector stands for one row
/// (a) or column (b).
Tensor matmul(const Tensor& a, const Tensor& b);
/// y = x weight^T + bias: x [.., in], weight [out, in], bias [out] (may be undefined) -> y [..,
/// out].
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

// ---- Reductions, softmax
inline Tensor sum(const Tensor& x) { return x.sum(); }
inline Tensor mean(const Tensor& x) { return x.mean(); }
/// e^x / sum of e^x along `dim`.
inline Tensor softmax(const Tensor& x, int64_t dim) { return x.softmax(dim); }
inline Tensor log_softmax(const Tensor& x, int64_t dim) { return x.log_softmax(dim); }

// ---- Shape, indexing
/// Joins along an existing dimension; all other sizes must be equal.
Tensor cat(const std::vector<Tensor>& tensors, int64_t dim = 0);
/// Joins along a new dimension; all shapes must be equal.
Tensor stack(const std::vector<Tensor>& tensors, int64_t dim = 0);
inline Tensor gather(const Tensor& x, int64_t dim, const Tensor& index) {
  return x.gather(dim, index);
}
/// int64 indices [..] -> int64 [.., num_classes] with 1 at each index; -1 classes: the largest
/// index + 1.
Tensor one_hot(const Tensor& index, int64_t num_classes = -1);

// ---- Losses
/// What becomes of the losses of all elements.
enum class LossReduction : uint8_t { none, mean, sum };

/// (x - target)^2; shapes must be equal.
Tensor mse_loss(const Tensor& x, const Tensor& target,
                LossReduction reduction = LossReduction::mean);

struct CrossEntropyOptions {
  Tensor weight = {};  ///< [C], a factor for each class
  int64_t ignore_index = -100;
  LossReduction reduction = LossReduction::mean;
  double label_smoothing = 0;
};
/// -log softmax(x) at the target: x [N, C, d..] or [C]; target int64 class indices [N, d..], or
/// probabilities of x's shape. mean divides by the weights of the targets that count (indices) or
/// by N (probabilities), as PyTorch does.
Tensor cross_entropy(const Tensor& x, const Tensor& target,
                     const CrossEntropyOptions& options = {});

}  // namespace levin::inline v0

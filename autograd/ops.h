// The operations as free functions. Members of Tensor of the same name do the same.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../kernels/op.h"
#include "../tensor/factories.h"
#include "../tensor/tensor.h"
#include "engine.h"
#include "indices.h"

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
#define LEVIN_TURNED(symbol, name) \
  inline Tensor operator symbol(Number a, const Tensor& b) { return b.name(a); }
LEVIN_TURNED(==, eq)
LEVIN_TURNED(!=, ne)
LEVIN_TURNED(<, gt)
LEVIN_TURNED(<=, ge)
LEVIN_TURNED(>, lt)
LEVIN_TURNED(>=, le)
#undef LEVIN_TURNED
inline Tensor operator~(const Tensor& x) { return x.bitwise_not(); }
inline Tensor operator!(const Tensor& x) { return x.logical_not(); }
inline Tensor operator&(const Tensor& a, const Tensor& b) { return a.bitwise_and(b); }
inline Tensor operator|(const Tensor& a, const Tensor& b) { return a.bitwise_or(b); }
inline Tensor operator^(const Tensor& a, const Tensor& b) { return a.bitwise_xor(b); }
inline Tensor operator+(Number a, const Tensor& b) { return b.add(a); }
inline Tensor operator*(Number a, const Tensor& b) { return b.mul(a); }
Tensor operator-(Number a, const Tensor& b);
Tensor operator/(Number a, const Tensor& b);
inline Tensor operator-(const Tensor& x) { return x.neg(); }
inline const Tensor& operator+=(const Tensor& a, const Tensor& b) { return a.add_(b); }
inline const Tensor& operator-=(const Tensor& a, const Tensor& b) { return a.sub_(b); }
inline const Tensor& operator*=(const Tensor& a, const Tensor& b) { return a.mul_(b); }
inline const Tensor& operator/=(const Tensor& a, const Tensor& b) { return a.div_(b); }
inline const Tensor& operator+=(const Tensor& a, Number b) { return a.add_(b); }
inline const Tensor& operator-=(const Tensor& a, Number b) { return a.sub_(b); }
inline const Tensor& operator*=(const Tensor& a, Number b) { return a.mul_(b); }
inline const Tensor& operator/=(const Tensor& a, Number b) { return a.div_(b); }

inline Tensor pow(const Tensor& x, const Tensor& exponent) { return x.pow(exponent); }
inline Tensor pow(const Tensor& x, Number exponent) { return x.pow(exponent); }
Tensor pow(Number x, const Tensor& exponent);
inline Tensor maximum(const Tensor& x, const Tensor& other) { return x.maximum(other); }
inline Tensor minimum(const Tensor& x, const Tensor& other) { return x.minimum(other); }
inline Tensor clamp(const Tensor& x, Number low, Number high) { return x.clamp(low, high); }
inline Tensor gelu(const Tensor& x, const std::string& approximate = "none") {
  return x.gelu(approximate);
}
/// x where the bool condition holds, else other; all broadcast.
Tensor where(const Tensor& condition, const Tensor& x, const Tensor& other);
Tensor where(const Tensor& condition, const Tensor& x, Number other);
Tensor where(const Tensor& condition, Number x, const Tensor& other);
Tensor where(const Tensor& condition, Number x, Number other);

// ---- Products
/// a [.., m, k], b [.., k, n] -> [.., m, n]: leading sizes broadcast; a vector stands for one row
/// (a) or column (b).
Tensor matmul(const Tensor& a, const Tensor& b);
/// How GPUs multiply float32 tensors from now on, in all threads: "highest" in float32; "high" with
/// factors rounded to 10 bits behind the point (TF32), "medium" to 7 (bfloat16), both several times as
/// fast. Sums are float32 in all. The CPU always does the first. Captured steps of other threads
/// must not have begun. Throws std::invalid_argument for
/// another word.
void set_float32_matmul_precision(const std::string& precision);
std::string get_float32_matmul_precision();
/// y = x weight^T + bias: x [.., in], weight [out, in], bias [out] (may be undefined) -> y [..,
/// out].
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});
/// A formula without parameters of that, `linear(x, weight, bias, Op::relu)`: every bit equals
/// linear(x, weight, bias).relu(), in one pass where the derivative does not read what linear gave
/// (relu, tanh, sigmoid), or none is wanted.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, Op activation);
/// Sums of products by Einstein's rule: `einsum("bij,bjk->bik", {a, b})`. Letters name dimensions;
/// those that the result leaves out are summed; "..." stands for dimensions that broadcast; without
/// "->" the result has the letters that come once, in alphabetical order.
Tensor einsum(const std::string& equation, const std::vector<Tensor>& operands);

// ---- Reductions, softmax
inline Tensor sum(const Tensor& x, const Shape& dims = {}, bool keepdim = false) {
  return x.sum(dims, keepdim);
}
inline Tensor mean(const Tensor& x, const Shape& dims = {}, bool keepdim = false) {
  return x.mean(dims, keepdim);
}
/// e^x / sum of e^x along `dim`.
inline Tensor softmax(const Tensor& x, int64_t dim) { return x.softmax(dim); }
inline Tensor log_softmax(const Tensor& x, int64_t dim) { return x.log_softmax(dim); }

// ---- Shape, indexing
/// Joins along an existing dimension; all other sizes must be equal.
Tensor cat(const std::vector<Tensor>& tensors, int64_t dim = 0);
/// Joins along a new dimension; all shapes must be equal.
Tensor stack(const std::vector<Tensor>& tensors, int64_t dim = 0);
/// A constant border: `widths` holds before and after of the last dimension, then of the one before
/// it, and so on; negative ones cut off.
Tensor pad(const Tensor& x, const Shape& widths, Number value = 0);
/// The coordinates of a grid over vectors: one tensor of shape [n0, n1, ..] for each. "xy" swaps the
/// first two dimensions.
std::vector<Tensor> meshgrid(const std::vector<Tensor>& vectors,
                             const std::string& indexing = "ij");
inline Tensor gather(const Tensor& x, int64_t dim, const Tensor& index) {
  return x.gather(dim, index);
}
/// int64 indices [..] -> int64 [.., num_classes] with 1 at each index; -1 classes: the largest
/// index + 1, which is read on the host.
Tensor one_hot(const Tensor& index, int64_t num_classes = -1);
/// Rows of a table: index int64 [..], weight [n, width] -> [.., width]. Row `padding_idx` (negative:
/// from the end) gets no gradient.
Tensor embedding(const Tensor& index, const Tensor& weight,
                 std::optional<int64_t> padding_idx = {});
/// x normalised over its last dimensions `shape`, whose mean becomes 0 and (biased) variance 1, times
/// weight plus bias (both of that shape, or undefined).
Tensor layer_norm(const Tensor& x, const Shape& shape, const Tensor& weight = {},
                  const Tensor& bias = {}, double eps = 1e-5);

// ---- Random
/// Training: each element is 0 with probability p, else x / (1 - p); from stream "dropout" of the
/// default generator. Else x itself.
Tensor dropout(const Tensor& x, double p = 0.5, bool training = true);
/// Normal numbers, each with the mean and deviation that its element gives.
Tensor normal(const Tensor& mean, const Tensor& std);
inline Tensor bernoulli(const Tensor& p) { return p.bernoulli(); }

}  // namespace levin::inline v0

#include "losses.h"

// Autocast: mixed precision. Products in a 16-bit type, what needs range or precision in float32.
#pragma once

#include "../kernels/thread_state.h"
#include "elementwise.h"

namespace levin::inline v0 {

/// While it lives, products of this thread convert to `dtype`; float32: they do not.
class AutocastMode {
 public:
  explicit AutocastMode(DType dtype) : before_(thread_state().autocast) {
    thread_state().autocast = dtype;
  }
  ~AutocastMode() { thread_state().autocast = before_; }
  AutocastMode(const AutocastMode&) = delete;
  AutocastMode& operator=(const AutocastMode&) = delete;

 private:
  DType before_;
};

/// While it lives, operations of this thread choose their types as PyTorch's torch.autocast:
///
///     {
///       const Autocast autocast(kBFloat16);
///       loss = cross_entropy(model(x), target);  // parameters stay float32
///     }
///     loss.backward();  // each operation in the types of its forward
///
/// - matmul, mm, bmm, mv, dot, addmm, linear and einsum convert float32 and 16-bit operands to
///   `dtype`;
/// - softmax, log_softmax, losses, layer_norm, norm, sum, prod, cumsum, cumprod, pow, exp, expm1, log,
///   log1p, log2, log10, reciprocal, rsqrt, softplus, tan, asin, acos, sinh and cosh compute 16-bit
///   operands in float32, and their result is float32;
/// - all others take what they get (operands of two types: the wider one); float64 stays as it is.
///
/// Throws std::invalid_argument for another type than bfloat16 and float16.
struct Autocast : AutocastMode {
  explicit Autocast(DType dtype);
};

/// Inside an Autocast: operations take what they get again, while it lives.
struct NoAutocast : AutocastMode {
  NoAutocast() : AutocastMode(kFloat32) {}
};

inline bool is_autocast_enabled() { return thread_state().autocast != kFloat32; }

constexpr bool is_16_bit(DType dtype) { return dtype == kBFloat16 || dtype == kFloat16; }

/// The type in which an operation that belongs in float32 gives its result, for operands of `type`.
inline DType autocast_result(DType type) {
  return is_autocast_enabled() && is_16_bit(type) ? kFloat32 : type;
}
/// Does such an operation have to widen x?
inline bool autocast_widens(const Tensor& x) {
  return is_autocast_enabled() && x.defined() && is_16_bit(x.dtype());
}
/// The same for a formula, which may be one that belongs there or not.
bool autocast_widens(Op op, const Operand* in, int count);
Tensor elementwise_in_float32(Op op, const Operand* in, int count,
                              std::span<const double> parameters);

/// Is it of a type that products convert?
inline bool product_converts(const Tensor& x) {
  return x.defined() && (x.dtype() == kFloat32 || is_16_bit(x.dtype()));
}
/// Does a product have to convert one of these operands? autocast() does it.
template <class... Tensors>
bool product_autocasts(const Tensors&... operands) {
  const DType type = thread_state().autocast;
  if (type == kFloat32) [[likely]]
    return false;
  const auto other = [type](const Tensor& x) { return product_converts(x) && x.dtype() != type; };
  return (other(operands) || ...);
}
Tensor autocast(const Tensor& x);

}  // namespace levin::inline v0

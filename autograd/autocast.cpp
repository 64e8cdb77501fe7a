#include "autocast.h"

#include <algorithm>
#include <vector>

#include "../kernels/check.h"
#include "launch.h"

namespace levin::inline v0 {

Autocast::Autocast(DType dtype) : AutocastMode(dtype) {
  check(is_16_bit(dtype), {"Autocast: ", dtype, ": bfloat16 or float16 is needed"});
}

namespace {

bool belongs_in_float32(Op op) {
  switch (op) {
    case Op::reciprocal:
    case Op::rsqrt:
    case Op::exp:
    case Op::expm1:
    case Op::log:
    case Op::log1p:
    case Op::log2:
    case Op::log10:
    case Op::tan:
    case Op::asin:
    case Op::acos:
    case Op::sinh:
    case Op::cosh:
    case Op::softplus:
    case Op::pow:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool autocast_widens(Op op, const Operand* in, int count) {
  if (!is_autocast_enabled() || !belongs_in_float32(op)) return false;
  return std::any_of(in, in + count, [](const Operand& operand) {
    return operand.tensor && is_16_bit(operand.tensor->dtype());
  });
}

Tensor elementwise_in_float32(Op op, const Operand* in, int count,
                              std::span<const double> parameters) {
  Tensor wide[3];
  std::vector<Operand> operands(in, in + count);
  for (int i = 0; i < count; ++i)
    if (in[i].tensor) operands[i] = wide[i] = widened(*in[i].tensor);
  return elementwise(op, operands, parameters);
}

Tensor autocast(const Tensor& x) { return product_converts(x) ? x.to(thread_state().autocast) : x; }

}  // namespace levin::inline v0

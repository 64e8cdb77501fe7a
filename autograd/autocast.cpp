#include "autocast.h"

#include "../kernels/check.h"

namespace levin::inline v0 {

Autocast::Autocast(DType dtype) : before_(thread_state().autocast) {
  check(is_16_bit(dtype), {"Autocast: ", dtype, ": bfloat16 or float16 is needed"});
  thread_state().autocast = dtype;
}

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

Tensor autocast(const Tensor& x) {
  const bool converts = x.defined() && (x.dtype() == kFloat32 || is_16_bit(x.dtype()));
  return converts ? x.to(thread_state().autocast) : x;
}

}  // namespace levin::inline v0

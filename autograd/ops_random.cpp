// Operations that draw random numbers. Each draws through the backend, so that a recorded step gets
// fresh numbers whenever it runs.
#include "elementwise.h"
#include "in_place.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

void check_probability(const char* name, double p) {
  check(p >= 0 && p <= 1, {name, ": p is ", p, ": it must lie in [0, 1]"});
}

// Uniform numbers in [0, 1) for the elements of x: float32, or float64 where x is.
Tensor uniform_for(const Tensor& x, const char* stream) {
  const Tensor u = empty(x.shape(), x.dtype() == kFloat64 ? kFloat64 : kFloat32, x.device());
  levin::uniform_(u, 0, 1, default_generator(), stream);
  return u;
}

// x overwritten by draw(tensor).
template <class Draw>
const Tensor& overwritten(const char* name, const Tensor& x, Draw draw) {
  return in_place(
      name, x, {}, false, [&] { draw(x); },
      [&](const Tensor&) {
        const Tensor drawn = empty_like(x);
        draw(drawn);
        return drawn;
      });
}

}  // namespace

Tensor dropout(const Tensor& x, double p, bool training) {
  check(is_floating(x.dtype()), {"dropout: a ", x.dtype(), " tensor: a floating type is needed"});
  check_probability("dropout", p);
  if (!training || p == 0) return x;
  const Tensor kept = uniform_for(x, "dropout").ge(p);
  return where(kept, x, 0) * (p == 1 ? 0 : 1 / (1 - p));
}

Tensor Tensor::bernoulli() const {
  check(is_floating(dtype()), {"bernoulli: a ", dtype(), " tensor: a floating type is needed"});
  return uniform_for(*this, "main").lt(*this).to(dtype());
}

const Tensor& Tensor::uniform_(double from, double to) const {
  check(from <= to, {"uniform_: from ", from, " to ", to, ": the range is empty"});
  return overwritten("uniform_", *this,
                     [&](const Tensor& x) { levin::uniform_(x, from, to, default_generator()); });
}

const Tensor& Tensor::normal_(double mean, double std) const {
  check(std >= 0, {"normal_: std ", std, ": must not be negative"});
  return overwritten("normal_", *this,
                     [&](const Tensor& x) { levin::normal_(x, mean, std, default_generator()); });
}

const Tensor& Tensor::bernoulli_(double p) const {
  check_probability("bernoulli_", p);
  return overwritten("bernoulli_", *this,
                     [&](const Tensor& x) { x.copy_(uniform_for(x, "main").lt(p)); });
}

// PyTorch has no derivative for them either.
Tensor normal(const Tensor& mean, const Tensor& std) {
  const NoGrad no_grad;
  const DType type = result_type({mean, std});
  Shape shape;
  check(broadcast_shapes(mean.shape(), std.shape(), &shape),
        {"normal: ", mean.shape(), " and ", std.shape(), ": shapes do not broadcast"});
  check(is_floating(type),
        {"normal: ", mean.dtype(), " and ", std.dtype(), ": a floating type is needed"});
  check_same_device("normal", mean, std);
  const Tensor z = empty(shape, type, mean.device());
  levin::normal_(z, 0, 1, default_generator());
  return mean + std * z;
}

}  // namespace levin::inline v0

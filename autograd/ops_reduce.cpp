// Reductions. Each: shape rule, launch, derivative.
#include <algorithm>
#include <cmath>

#include "launch.h"
#include "ops.h"
#include "scan.h"

namespace levin::inline v0 {
namespace {

// The reduction without history.
Tensor reduced(const char* name, Reduction kind, const Tensor& x, uint32_t dims, bool keepdim,
               DType dtype, double correction = 0) {
  const Tensor y = empty(reduced_shape(x.shape(), dims, keepdim), dtype, x.device());
  launched(backend(x.device()).reduce({kind, dims, correction, arg(x), arg(y)}), name, x);
  return y;
}

int64_t count_of(const Shape& shape, uint32_t dims) {
  int64_t count = 1;
  for (int d = 0; d < shape.size(); ++d)
    if (dims >> d & 1) count *= shape[d];
  return count;
}

// The layout of a result, with or without the reduced dimensions, repeated along them.
Layout stretched_layout(const Layout& y, const Shape& shape, uint32_t dims) {
  Layout result = Layout::of(shape, y.dtype);
  result.offset = y.offset;
  const bool kept_dims = y.dim() == shape.size();
  int from = 0;
  for (int d = 0; d < shape.size(); ++d) {
    const bool reduced = dims >> d & 1;
    result.strides[d] = reduced ? 0 : y.strides[from];
    if (kept_dims || !reduced) ++from;
  }
  return result;
}

// A result (or its gradient) stretched over the dimensions that were reduced.
Tensor stretched(const Tensor& y, const Shape& shape, uint32_t dims) {
  if (!recording(y)) return make_view(y, stretched_layout(y.layout(), shape, dims));
  return y.reshape(reduced_shape(shape, dims, true)).expand(shape);
}

DType floating(const char* name, const Tensor& x) {
  if (!is_floating(x.dtype())) [[unlikely]]
    fail({name, ": a ", x.dtype(), " tensor: a floating type is needed, use to()"});
  return x.dtype();
}

void check_not_empty(const char* name, const Tensor& x, uint32_t dims) {
  check(count_of(x.shape(), dims) > 0,
        {name, ": a tensor of shape ", x.shape(), " has no elements along the reduced dimensions"});
}

Tensor sum_over(const Tensor& x, uint32_t dims, bool keepdim) {
  Tensor y =
      reduced("sum", Reduction::sum, x, dims, keepdim, is_floating(x.dtype()) ? x.dtype() : kInt64);
  if (!is_floating(x.dtype()) || !recording(x)) return y;
  return record("sum", std::move(y), {&x}, [dims](const Tensor& g, Grads& grads) {
    grads.set(0, stretched(g, grads.shape(0), dims));
  });
}

Tensor mean_over(const Tensor& x, uint32_t dims, bool keepdim) {
  Tensor y = reduced("mean", Reduction::mean, x, dims, keepdim, floating("mean", x));
  if (!recording(x)) return y;
  return record("mean", std::move(y), {&x}, [dims](const Tensor& g, Grads& grads) {
    const int64_t count = count_of(grads.shape(0), dims);
    grads.set(0, stretched(g.div(count), grads.shape(0), dims));
  });
}

// For each element the product of all others over the same reduced dimensions.
Tensor others_over(const Tensor& x, uint32_t dims) {
  Shape order;
  for (const bool reduced : {false, true})
    for (int d = 0; d < x.dim(); ++d)
      if (static_cast<bool>(dims >> d & 1) == reduced) order.push_back(d);
  Shape back = order;
  for (int d = 0; d < x.dim(); ++d) back[static_cast<int>(order[d])] = d;
  const int64_t n = count_of(x.shape(), dims);
  const Tensor rows = x.permute(order);
  return product_of_others(rows.reshape({x.numel() / n, n}), 1).reshape(rows.shape()).permute(back);
}

Tensor prod_over(const Tensor& x, uint32_t dims, bool keepdim) {
  Tensor y = reduced("prod", Reduction::prod, x, dims, keepdim,
                     is_floating(x.dtype()) ? x.dtype() : kInt64);
  if (!is_floating(x.dtype()) || !recording(x)) return y;
  return record("prod", std::move(y), {&x}, [dims, x = Saved(x)](const Tensor& g, Grads& grads) {
    if (grads.shape(0).numel() == 0) return;
    grads.set(0, stretched(g, grads.shape(0), dims) * others_over(x.tensor(grads), dims));
  });
}

// Tied elements share the gradient.
Tensor extreme(const char* name, Reduction kind, const Tensor& x, const Shape& over, bool keepdim) {
  const uint32_t dims = dims_mask(name, over, x.dim());
  check_not_empty(name, x, dims);
  Tensor y = reduced(name, kind, x, dims, keepdim, x.dtype());
  if (!is_floating(x.dtype()) || !recording(x)) return y;
  return record(name, y, {&x},
                [dims, x = Saved(x), y = SavedOutput(y)](const Tensor& g, Grads& grads) {
                  const Tensor input = x.tensor(grads).detach();
                  const Tensor best = stretched(y.tensor(grads).detach(), input.shape(), dims);
                  const Tensor ties = input.eq(best).to(input.dtype());
                  const Tensor share = ties / sum_over(ties, dims, true);
                  grads.set(0, share * stretched(g, input.shape(), dims));
                });
}

Tensor var_over(const char* name, const Tensor& x, const Shape& over, double correction,
                bool keepdim) {
  const uint32_t dims = dims_mask(name, over, x.dim());
  Tensor y = reduced(name, Reduction::var, x, dims, keepdim, floating(name, x), correction);
  if (!recording(x)) return y;
  return record(name, y, {&x}, [dims, correction, x = Saved(x)](const Tensor& g, Grads& grads) {
    const Tensor input = x.tensor(grads);
    const double divisor =
        std::max(static_cast<double>(count_of(input.shape(), dims)) - correction, 0.0);
    if (divisor == 0) return grads.set(0, stretched(g, input.shape(), dims) * NAN);
    const Tensor deviation = input - mean_over(input, dims, true);
    grads.set(0, stretched(g, input.shape(), dims) * deviation * (2 / divisor));
  });
}

// v^p for v >= 0, with no derivative at 0, where that of a norm or a deviation counts as 0.
Tensor power_of(const Tensor& v, double p) {
  if (!recording(v)) return v.pow(p);
  const Tensor zero = v.detach().eq(0);
  return where(zero, std::pow(0.0, p), where(zero, 1.0, v).pow(p));
}

Tensor norm_over(const Tensor& x, double p, const Shape& over, bool keepdim) {
  const uint32_t dims = dims_mask("norm", over, x.dim());
  if (p == 0) {
    const Tensor count = sum_over(x.ne(0), dims, keepdim).to(x.dtype());
    return recording(x) ? record("norm", count, {&x}, [](const Tensor&, Grads&) {}) : count;
  }
  if (std::isinf(p))
    return extreme("norm", p > 0 ? Reduction::max : Reduction::min, x.abs(), over, keepdim);
  if (p == 1) return sum_over(x.abs(), dims, keepdim);
  const Tensor powers = p == 2 ? x.square() : power_of(x.abs(), p);
  return power_of(sum_over(powers, dims, keepdim), 1 / p);
}

// The largest element is taken out, so that no power overflows; not where it is infinite.
Tensor logsumexp_over(const Tensor& x, uint32_t dims, bool keepdim) {
  if (count_of(x.shape(), dims) == 0) return sum_over(x.exp(), dims, keepdim).log();
  Tensor largest = reduced("logsumexp", Reduction::max, x, dims, true, x.dtype());
  largest = where(largest.abs().eq(INFINITY), 0.0, largest);
  const Tensor y = sum_over((x - largest).exp(), dims, true).log() + largest;
  return keepdim ? y : y.reshape(reduced_shape(x.shape(), dims, false));
}

Tensor position(const char* name, Reduction kind, const Tensor& x, uint32_t dims, bool keepdim) {
  check_not_empty(name, x, dims);
  return reduced(name, kind, x, dims, keepdim, kInt64);
}

std::pair<Tensor, Tensor> extreme_along(const char* name, Reduction kind, const Tensor& x,
                                        int64_t dim, bool keepdim) {
  const int along = normal_dim(name, dim, x.dim());
  const Tensor index = position(name, kind, x, dims_mask(name, {along}, x.dim()), true);
  const Tensor values = x.gather(along, index);
  if (keepdim || x.dim() == 0) return {values, index};
  return {values.squeeze(along), index.squeeze(along)};
}

}  // namespace

Tensor sum_to(const Tensor& g, const Shape& shape) {
  if (g.shape() == shape) return g;
  const int extra = g.dim() - shape.size();
  uint32_t dims = 0;
  for (int d = 0; d < g.dim(); ++d)
    if (d < extra || (shape[d - extra] == 1 && g.shape()[d] != 1)) dims |= 1u << d;
  return sum_over(g, dims, true).reshape(shape);
}

Tensor Tensor::sum(const Shape& dims, bool keepdim) const {
  if (autocast_widens(*this)) return to(kFloat32).sum(dims, keepdim);
  return sum_over(*this, dims_mask("sum", dims, dim()), keepdim);
}
Tensor Tensor::prod(const Shape& dims, bool keepdim) const {
  if (autocast_widens(*this)) return to(kFloat32).prod(dims, keepdim);
  return prod_over(*this, dims_mask("prod", dims, dim()), keepdim);
}
Tensor Tensor::mean(const Shape& dims, bool keepdim) const {
  return mean_over(*this, dims_mask("mean", dims, dim()), keepdim);
}

Tensor Tensor::var(const Shape& dims, double correction, bool keepdim) const {
  return var_over("var", *this, dims, correction, keepdim);
}
Tensor Tensor::std(const Shape& dims, double correction, bool keepdim) const {
  return power_of(var_over("std", widened(*this), dims, correction, keepdim), 0.5).to(dtype());
}

Tensor Tensor::norm(double p, const Shape& over, bool keepdim) const {
  floating("norm", *this);
  return norm_over(widened(*this), p, over, keepdim).to(autocast_result(dtype()));
}

Tensor Tensor::logsumexp(const Shape& over, bool keepdim) const {
  const uint32_t dims = dims_mask("logsumexp", over, dim());
  const Tensor input = is_floating(dtype()) ? *this : to(kFloat32);
  return logsumexp_over(widened(input), dims, keepdim).to(input.dtype());
}

// By counting, so that over no elements all() is true and any() false.
Tensor Tensor::all(const Shape& dims, bool keepdim) const {
  const uint32_t over = dims_mask("all", dims, dim());
  return sum_over(eq(0), over, keepdim).eq(0);
}
Tensor Tensor::any(const Shape& dims, bool keepdim) const {
  const uint32_t over = dims_mask("any", dims, dim());
  return sum_over(ne(0), over, keepdim).ne(0);
}

Tensor Tensor::max() const { return extreme("max", Reduction::max, *this, {}, false); }
Tensor Tensor::min() const { return extreme("min", Reduction::min, *this, {}, false); }
Tensor Tensor::amax(const Shape& dims, bool keepdim) const {
  return extreme("amax", Reduction::max, *this, dims, keepdim);
}
Tensor Tensor::amin(const Shape& dims, bool keepdim) const {
  return extreme("amin", Reduction::min, *this, dims, keepdim);
}
std::pair<Tensor, Tensor> Tensor::max(int64_t dim, bool keepdim) const {
  return extreme_along("max", Reduction::argmax, *this, dim, keepdim);
}
std::pair<Tensor, Tensor> Tensor::min(int64_t dim, bool keepdim) const {
  return extreme_along("min", Reduction::argmin, *this, dim, keepdim);
}
Tensor Tensor::argmax() const {
  return position("argmax", Reduction::argmax, *this, dims_mask("argmax", {}, dim()), false);
}
Tensor Tensor::argmax(int64_t dim, bool keepdim) const {
  return position("argmax", Reduction::argmax, *this, dims_mask("argmax", {dim}, this->dim()),
                  keepdim);
}
Tensor Tensor::argmin() const {
  return position("argmin", Reduction::argmin, *this, dims_mask("argmin", {}, dim()), false);
}
Tensor Tensor::argmin(int64_t dim, bool keepdim) const {
  return position("argmin", Reduction::argmin, *this, dims_mask("argmin", {dim}, this->dim()),
                  keepdim);
}

}  // namespace levin::inline v0

// Reductions. Each: shape rule, launch, derivative.
#include <algorithm>
#include <cmath>

#include "launch.h"
#include "ops.h"

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
  check(is_floating(x.dtype()),
        {name, ": a ", x.dtype(), " tensor: a floating type is needed, use to()"});
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
  return sum_over(*this, dims_mask("sum", dims, dim()), keepdim);
}
Tensor Tensor::mean(const Shape& dims, bool keepdim) const {
  return mean_over(*this, dims_mask("mean", dims, dim()), keepdim);
}

Tensor Tensor::var(const Shape& over, double correction, bool keepdim) const {
  const uint32_t dims = dims_mask("var", over, dim());
  const Tensor& x = *this;
  Tensor y = reduced("var", Reduction::var, x, dims, keepdim, floating("var", x), correction);
  if (!recording(x)) return y;
  return record("var", y, {&x}, [dims, correction, x = Saved(x)](const Tensor& g, Grads& grads) {
    const Tensor input = x.tensor(grads);
    const double divisor =
        std::max(static_cast<double>(count_of(input.shape(), dims)) - correction, 0.0);
    if (divisor == 0) return grads.set(0, stretched(g, input.shape(), dims) * NAN);
    const Tensor deviation = input - mean_over(input, dims, true);
    grads.set(0, stretched(g, input.shape(), dims) * deviation * (2 / divisor));
  });
}

// By counting, so that over no elements all() is true and any() false.
Tensor Tensor::all(const Shape& dims, bool keepdim) const {
  return eq(0).sum(dims, keepdim).eq(0);
}
Tensor Tensor::any(const Shape& dims, bool keepdim) const {
  return ne(0).sum(dims, keepdim).ne(0);
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

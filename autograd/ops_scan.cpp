// Running results and order along a dimension.
#include "launch.h"
#include "ops.h"
#include "scan.h"

namespace levin::inline v0 {
namespace {

// The scan without history.
Tensor scanned(const char* name, ScanKind kind, const Tensor& x, const Tensor& a, int dim,
               bool reverse) {
  const Tensor input = x.detach().contiguous();
  const Tensor factors = a.defined() ? a.detach().contiguous() : Tensor();
  const Tensor y = empty_like(input);
  launched(backend(x.device())
               .scan({kind, reverse, dim, arg(input), a.defined() ? arg(factors) : Arg{}, arg(y)}),
           name, x);
  return y;
}

// For each element the one before it in the order of a scan; `first` for the first.
Tensor previous(const Tensor& x, int dim, bool reverse, Number first) {
  const int64_t n = x.size(dim);
  if (n == 0) return x;
  const Tensor rest = x.narrow(dim, reverse ? 1 : 0, n - 1);
  const Tensor edge = full_like(x.detach().narrow(dim, 0, 1), first);
  return reverse ? cat({rest, edge}, dim) : cat({edge, rest}, dim);
}
// The one after it; 0 for the last.
Tensor next(const Tensor& x, int dim, bool reverse) { return previous(x, dim, !reverse, 0); }

// y_k = y_(k-1) + x_k
Tensor running_sum(const Tensor& x, int dim, bool reverse) {
  Tensor y = scanned("cumsum", ScanKind::sum, x, {}, dim, reverse);
  if (!is_floating(x.dtype()) || !recording(x)) return y;
  return record("cumsum", y, {&x}, [=](const Tensor& g, Grads& grads) {
    grads.set(0, running_sum(g, dim, !reverse));
  });
}

// y_k = a_k y_(k-1) + x_k. With s_k = g_k + a_(k+1) s_(k+1): dx_k = s_k, da_k = s_k y_(k-1).
Tensor linear_scan(const Tensor& a, const Tensor& x, int dim, bool reverse) {
  Tensor y = scanned("linear scan", ScanKind::linear, x, a, dim, reverse);
  if (!recording(a, x)) return y;
  return record("linear scan", y, {&a, &x},
                [dim, reverse, a = Saved(a), y = SavedOutput(y)](const Tensor& g, Grads& grads) {
                  const Tensor s =
                      linear_scan(next(a.tensor(grads), dim, reverse), g, dim, !reverse);
                  if (grads.wants(0)) grads.set(0, s * previous(y.tensor(grads), dim, reverse, 0));
                  grads.set(1, s);
                });
}

// y_k = x_k y_(k-1), from 1. With s_k = g_k + x_(k+1) s_(k+1): dx_k = s_k y_(k-1), which divides by
// nothing and is right where an x is 0.
Tensor running_product(const Tensor& x, int dim, bool reverse) {
  Tensor y = scanned("cumprod", ScanKind::prod, x, {}, dim, reverse);
  if (!is_floating(x.dtype()) || !recording(x)) return y;
  return record("cumprod", y, {&x},
                [dim, reverse, x = Saved(x), y = SavedOutput(y)](const Tensor& g, Grads& grads) {
                  const Tensor s =
                      linear_scan(next(x.tensor(grads), dim, reverse), g, dim, !reverse);
                  grads.set(0, s * previous(y.tensor(grads), dim, reverse, 1));
                });
}

// A running result of any tensor: integers and bool in int64, a 0-d one as a vector of one element.
template <class Run>
Tensor running(const char* name, const Tensor& x, int64_t dim, Run run) {
  const int along = normal_dim(name, dim, x.dim());
  const Tensor input = is_floating(x.dtype()) ? x : x.to(kInt64);
  if (x.dim() == 0) return run(input.reshape({1}), 0, false).reshape({});
  return run(input, along, false);
}

// int64 positions in order along `dim`.
Tensor order_of(const char* name, const Tensor& x, int64_t dim, bool descending) {
  const int along = normal_dim(name, dim, x.dim());
  Tensor rows = x.detach().to(compute_type(x.dtype()));
  if (x.dim() > 0) rows = rows.transpose(along, -1);
  rows = rows.contiguous();
  const Tensor index = empty(rows.shape(), kInt64, x.device());
  launched(backend(x.device()).sort({descending, arg(rows), arg(index)}), name, x);
  return x.dim() == 0 ? index : index.transpose(along, -1).contiguous();
}

}  // namespace

Tensor product_of_others(const Tensor& x, int dim) {
  const Tensor before = previous(running_product(x, dim, false), dim, false, 1);
  return before * previous(running_product(x, dim, true), dim, true, 1);
}

Tensor Tensor::cumsum(int64_t dim) const {
  if (autocast_widens(*this)) return to(kFloat32).cumsum(dim);
  return running("cumsum", *this, dim, running_sum);
}
Tensor Tensor::cumprod(int64_t dim) const {
  if (autocast_widens(*this)) return to(kFloat32).cumprod(dim);
  return running("cumprod", *this, dim, running_product);
}

std::pair<Tensor, Tensor> Tensor::sort(int64_t dim, bool descending) const {
  const Tensor index = order_of("sort", *this, dim, descending);
  return {gather(dim, index), index};
}
Tensor Tensor::argsort(int64_t dim, bool descending) const {
  return order_of("argsort", *this, dim, descending);
}

std::pair<Tensor, Tensor> Tensor::topk(int64_t k, int64_t dim, bool largest) const {
  const Tensor order = order_of("topk", *this, dim, largest);
  const int64_t count = order.dim() ? order.size(dim) : 1;
  check(k >= 0 && k <= count && (k == 1 || order.dim() > 0),
        {"topk: the ", k, " largest or smallest of ", count, " along dimension ", dim,
         " of a tensor of shape ", shape(), ": there are not as many"});
  const Tensor index = order.dim() ? order.narrow(dim, 0, k).contiguous() : order;
  return {gather(dim, index), index};
}

}  // namespace levin::inline v0

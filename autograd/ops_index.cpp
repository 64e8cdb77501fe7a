// Indexing by int64 tensors.
#include "launch.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

void check_index(const char* name, const Tensor& x, int along, const Tensor& index) {
  check_same_device(name, x, index);
  check(index.dtype() == kInt64, {name, ": a ", index.dtype(), " index: int64 is needed"});
  bool fits = index.dim() == x.dim();
  for (int d = 0; fits && d < x.dim(); ++d) fits = d == along || index.shape()[d] <= x.shape()[d];
  check(fits, {name, ": index ", index.shape(), " into ", x.shape(),
               ": as many dimensions, and no size but along ", along, " may be larger"});
}

void launch_index(const char* name, IndexKind kind, int dim, const Tensor& source,
                  const Tensor& index, const Tensor& out) {
  if (const char* error =
          backend(out.device()).index({kind, dim, arg(source), arg(index), arg(out)}))
    fail(Fault::index,
         {name, ": index ", index.shape(), " into ",
          kind == IndexKind::gather || kind == IndexKind::select ? source.shape() : out.shape(),
          " along dimension ", dim, " ", error});
}

// Zeros of `shape` to which g is added at the indices: gather's derivative, itself differentiable.
Tensor scattered(const Tensor& g, const Shape& shape, int dim, const Tensor& index) {
  const Tensor y = zeros(shape, g.dtype(), g.device());
  launch_index("scatter_add", IndexKind::scatter_add, dim, g, index, y);
  if (!recording(g)) return y;
  return record("scatter_add", y, {&g},
                [dim, index = Saved(index)](const Tensor& gg, Grads& grads) {
                  grads.set(0, gg.gather(dim, index.tensor(grads)));
                });
}

}  // namespace

Tensor Tensor::gather(int64_t dim, const Tensor& index) const {
  const Tensor& x = *this;
  const int along = normal_dim("gather", dim, x.dim());
  check_index("gather", x, along, index);
  const Tensor y = empty(index.shape(), x.dtype(), x.device());
  launch_index("gather", IndexKind::gather, along, x, index, y);
  if (!is_floating(x.dtype()) || !recording(x)) return y;
  return record("gather", y, {&x}, [along, index = Saved(index)](const Tensor& g, Grads& grads) {
    grads.set(0, scattered(g, grads.shape(0), along, index.tensor(grads)));
  });
}

Tensor Tensor::index_select(int64_t dim, const Tensor& index) const {
  const Tensor x = contiguous();
  check(x.dim() > 0, {"index_select: a 0-d tensor cannot be indexed"});
  const int along = normal_dim("index_select", dim, x.dim());
  check_same_device("index_select", x, index);
  check(index.dtype() == kInt64 && index.dim() == 1,
        {"index_select: a ", index.dtype(), " index of shape ", index.shape(),
         ": an int64 vector is needed"});
  Shape shape = x.shape();
  shape[along] = index.numel();
  const Tensor y = empty(shape, x.dtype(), x.device());
  launch_index("index_select", IndexKind::select, along, x, index, y);
  if (!is_floating(x.dtype()) || !recording(x)) return y;
  return record("index_select", y, {&x},
                [along, index = Saved(index)](const Tensor& g, Grads& grads) {
                  Tensor positions = index.tensor(grads);
                  for (int d = 0; d < along; ++d) positions = positions.unsqueeze(0);
                  while (positions.dim() < g.dim()) positions = positions.unsqueeze(-1);
                  grads.set(0, scattered(g, grads.shape(0), along, positions.expand(g.shape())));
                });
}

Tensor one_hot(const Tensor& index, int64_t num_classes) {
  check(index.dtype() == kInt64, {"one_hot: a ", index.dtype(), " index: int64 is needed"});
  const int64_t classes = num_classes >= 0 ? num_classes : index.max().item<int64_t>() + 1;
  check(classes > 0, {"one_hot: ", classes, " classes: at least one is needed"});
  Shape shape = index.shape();
  shape.push_back(classes);
  const Tensor y = zeros(shape, kInt64, index.device());
  const Tensor positions = index.unsqueeze(-1);
  const Tensor hot = ones_like(positions);
  if (backend(y.device())
          .index({IndexKind::scatter, index.dim(), arg(hot), arg(positions), arg(y)}))
    fail(Fault::index,
         {"one_hot: indices of shape ", index.shape(), " must lie in [0, ", classes, ")"});
  return y;
}

}  // namespace levin::inline v0

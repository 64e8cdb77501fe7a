// Indexing by int64 tensors along one dimension: gather, scatter and what is made of them.
#include "in_place.h"
#include "indexing.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

void check_positions(const char* name, const Tensor& index) {
  check(index.dtype() == kInt64, {name, ": a ", index.dtype(), " index: int64 is needed"});
}

// `any` is the dimension along which the index may be longer; -1: none.
void check_fits(const char* name, const Tensor& index, const char* preposition, const Tensor& x,
                int any) {
  check_same_device(name, x, index);
  bool fits = index.dim() == x.dim();
  for (int d = 0; fits && d < x.dim(); ++d) fits = d == any || index.shape()[d] <= x.shape()[d];
  if (fits) return;
  const std::string except = any < 0 ? "" : " but along " + std::to_string(any);
  fail({name, ": index ", index.shape(), preposition, x.shape(),
        ": as many dimensions, and no size", except, " may be larger"});
}

// Of the elements that an index sends to one place of `shape`, the last.
Tensor last_ones(int dim, const Tensor& index, const Shape& shape) {
  NoGrad no_grad;
  const Tensor order = ones({index.numel()}, kInt64, index.device()).cumsum(0).view(index.shape());
  const Tensor last = empty(shape, kInt64, index.device());
  launch_index("scatter", IndexKind::scatter, dim, order, index, last);
  return last.gather(dim, index).eq(order);
}

// `y`, which has x's elements, with those of source (of the index's shape) put or added.
Tensor scattered(const char* name, IndexKind kind, const Tensor& x, const Tensor& y, int dim,
                 const Tensor& index, const Tensor& source) {
  launch_index(name, kind, dim, source, index, y);
  if (!is_floating(x.dtype()) || !recording(x, source)) return y;
  return record(
      name, y, {&x, &source}, [kind, dim, index = Saved(index)](const Tensor& g, Grads& grads) {
        const Tensor positions = index.tensor(grads);
        const bool adds = kind == IndexKind::scatter_add;
        if (grads.wants(0)) grads.set(0, adds ? g : g.scatter(dim, positions, 0));
        if (!grads.wants(1)) return;
        const Tensor taken = g.gather(dim, positions);
        grads.set(1, adds ? taken : where(last_ones(dim, positions, g.shape()), taken, 0));
      });
}

// Zeros with g added at the index's places: the derivative of gather.
Tensor added_to_zeros(const Tensor& g, const Shape& shape, int dim, const Tensor& index) {
  const Tensor y = zeros(shape, g.dtype(), g.device());
  return scattered("scatter_add", IndexKind::scatter_add, y, y, dim, index, g);
}

// The part of source that the index uses, after all checks.
Tensor scatter_source(const char* name, const Tensor& x, int dim, const Tensor& index,
                      const Tensor& source) {
  check_positions(name, index);
  check_fits(name, index, " into ", x, dim);
  check_fits(name, index, " of a source ", source, -1);
  check(source.dtype() == x.dtype(),
        {name, ": a ", source.dtype(), " source for a ", x.dtype(), " tensor: use to()"});
  Tensor part = source;
  for (int d = 0; d < index.dim(); ++d)
    if (source.shape()[d] != index.shape()[d]) part = part.narrow(d, 0, index.shape()[d]);
  return part;
}

Tensor scatter_of(const char* name, IndexKind kind, const Tensor& x, int64_t dim,
                  const Tensor& index, const Tensor& source) {
  const int along = normal_dim(name, dim, x.dim());
  const Tensor part = scatter_source(name, x, along, index, source);
  return scattered(name, kind, x, copy_without_history(x), along, index, part);
}

const Tensor& scatter_in_place(const char* name, IndexKind kind, const Tensor& x, int64_t dim,
                               const Tensor& index, const Tensor& source) {
  const int along = normal_dim(name, dim, x.dim());
  const Tensor part = scatter_source(name, x, along, index, source);
  return in_place(
      name, x, {&index, &source}, false,
      [&] {
        // Looked at first: a refused operation writes nothing.
        const int64_t size = x.dim() == 0 ? 1 : x.shape()[along];
        if (!in_range(index, size)) fail_index(name, index, along, size);
        launch_index(name, kind, along, part, index, x);
      },
      [&](const Tensor& old) { return scatter_of(name, kind, old, dim, index, source); });
}

// One number for every place of the index.
Tensor repeated(Number value, const Tensor& x, const Tensor& index) {
  return number_like(x, value).expand(index.shape());
}

Layout spread_layout(const Layout& positions, const Shape& shape, int dim) {
  Layout layout = positions;
  layout.shape = shape;
  for (int d = 0; d < shape.size(); ++d) layout.strides[d] = 0;
  layout.strides[dim] = positions.strides[0];
  return layout;
}

// Slices of x along `dim`; the gradient leaves out slice number `ignored`.
Tensor selected_slices(const char* name, const Tensor& x, int dim, const Tensor& positions,
                       int64_t ignored = -1) {
  Shape shape = x.shape();
  shape[dim] = positions.numel();
  const Tensor y = empty(shape, x.dtype(), x.device());
  const Layout layout = spread_layout(positions.layout(), shape, dim);
  const Arg index = {positions.impl().block.get(), &layout};
  if (backend(y.device()).index({IndexKind::gather, dim, arg(x), index, arg(y)}))
    fail_index(name, positions, dim, x.shape()[dim]);
  if (!is_floating(x.dtype()) || !recording(x)) return y;
  return record(name, y, {&x},
                [dim, ignored, saved = Saved(positions)](const Tensor& g, Grads& grads) {
                  const Tensor index = spread(saved.tensor(grads), g.shape(), dim);
                  const Tensor wanted = ignored < 0 ? g : g.masked_fill(index.eq(ignored), 0);
                  grads.set(0, added_to_zeros(wanted, grads.shape(0), dim, index));
                });
}

}  // namespace

void fail_index(const char* name, const Tensor& index, int dim, int64_t size, int64_t lowest) {
  for (const int64_t at : index.to_vector<int64_t>())
    if (at < lowest || at >= size)
      fail(Fault::index,
           {name, ": index ", at, " is out of range for dimension ", dim, " of size ", size});
  fail(Fault::world, {name, ": an index of shape ", index.shape(), " was refused"});
}

bool in_range(const Tensor& positions, int64_t size) {
  Layout different = positions.layout();
  for (int d = 0; d < different.dim(); ++d)
    if (different.strides[d] == 0 && different.shape[d] > 1) different.shape[d] = 1;
  const Tensor index = make_view(positions, different).flatten();
  // Each is looked up in one number, repeated.
  const Tensor number = zeros({1}, kBool, index.device());
  const Tensor found = empty(index.shape(), kBool, index.device());
  Layout repeated = Layout::of({size}, kBool);
  repeated.strides[0] = 0;
  return !backend(index.device())
              .index({IndexKind::gather,
                      0,
                      {number.impl().block.get(), &repeated},
                      arg(index),
                      arg(found)});
}

void launch_index(const char* name, IndexKind kind, int dim, const Tensor& source,
                  const Tensor& index, const Tensor& out) {
  if (!backend(out.device()).index({kind, dim, arg(source), arg(index), arg(out)})) return;
  const Shape& shape = kind == IndexKind::gather ? source.shape() : out.shape();
  fail_index(name, index, dim, shape.empty() ? 1 : shape[dim]);
}

Tensor spread(const Tensor& positions, const Shape& shape, int dim) {
  return make_view(positions, spread_layout(positions.layout(), shape, dim));
}

Tensor Tensor::gather(int64_t dim, const Tensor& index) const {
  const Tensor& x = *this;
  const int along = normal_dim("gather", dim, x.dim());
  check_positions("gather", index);
  check_fits("gather", index, " into ", x, along);
  const Tensor y = empty(index.shape(), x.dtype(), x.device());
  launch_index("gather", IndexKind::gather, along, x, index, y);
  if (!is_floating(x.dtype()) || !recording(x)) return y;
  return record("gather", y, {&x}, [along, index = Saved(index)](const Tensor& g, Grads& grads) {
    grads.set(0, added_to_zeros(g, grads.shape(0), along, index.tensor(grads)));
  });
}

Tensor Tensor::take_along_dim(const Tensor& index, std::optional<int64_t> dim) const {
  if (!dim) return flatten().take_along_dim(index.flatten(), 0);
  const int along = normal_dim("take_along_dim", *dim, this->dim());
  check_positions("take_along_dim", index);
  Shape from = shape(), both;
  if (index.dim() == this->dim()) from[along] = index.size(along);
  check(index.dim() == this->dim() && broadcast_shapes(from, index.shape(), &both),
        {"take_along_dim: index ", index.shape(), " into ", shape(),
         ": as many dimensions are needed, which broadcast but for dimension ", along});
  from = both;
  from[along] = size(along);
  return expand(from).gather(along, index.expand(both));
}

Tensor Tensor::scatter(int64_t dim, const Tensor& index, const Tensor& source) const {
  return scatter_of("scatter", IndexKind::scatter, *this, dim, index, source);
}
Tensor Tensor::scatter(int64_t dim, const Tensor& index, Number value) const {
  return scatter(dim, index, repeated(value, *this, index));
}
Tensor Tensor::scatter_add(int64_t dim, const Tensor& index, const Tensor& source) const {
  return scatter_of("scatter_add", IndexKind::scatter_add, *this, dim, index, source);
}
const Tensor& Tensor::scatter_(int64_t dim, const Tensor& index, const Tensor& source) const {
  return scatter_in_place("scatter_", IndexKind::scatter, *this, dim, index, source);
}
const Tensor& Tensor::scatter_(int64_t dim, const Tensor& index, Number value) const {
  return scatter_(dim, index, repeated(value, *this, index));
}
const Tensor& Tensor::scatter_add_(int64_t dim, const Tensor& index, const Tensor& source) const {
  return scatter_in_place("scatter_add_", IndexKind::scatter_add, *this, dim, index, source);
}

Tensor Tensor::index_select(int64_t dim, const Tensor& index) const {
  check(this->dim() > 0, {"index_select: a 0-d tensor cannot be indexed"});
  check_same_device("index_select", *this, index);
  check(index.dtype() == kInt64 && index.dim() == 1,
        {"index_select: a ", index.dtype(), " index of shape ", index.shape(),
         ": an int64 vector is needed"});
  return selected_slices("index_select", *this, normal_dim("index_select", dim, this->dim()),
                         index);
}

Tensor embedding(const Tensor& index, const Tensor& weight, std::optional<int64_t> padding_idx) {
  check_same_device("embedding", weight, index);
  check_positions("embedding", index);
  check(weight.dim() == 2,
        {"embedding: a weight of shape ", weight.shape(), ": a table [rows, width] is needed"});
  const int64_t rows = weight.size(0), padding = padding_idx.value_or(0);
  check(
      !padding_idx || (padding >= -rows && padding < rows),
      {"embedding: padding_idx ", padding, " is not a row of a weight of shape ", weight.shape()});
  const int64_t ignored = !padding_idx ? -1 : padding < 0 ? padding + rows : padding;
  Shape shape = index.shape();
  shape.push_back(weight.size(1));
  return selected_slices("embedding", weight, 0, index.flatten(), ignored).reshape(shape);
}

Tensor one_hot(const Tensor& index, int64_t num_classes) {
  check_positions("one_hot", index);
  check(num_classes >= 0 || index.numel() > 0,
        {"one_hot: an empty index does not tell the number of classes"});
  const int64_t classes = num_classes >= 0 ? num_classes : index.max().item<int64_t>() + 1;
  check(classes > 0, {"one_hot: ", classes, " classes: at least one is needed"});
  Shape shape = index.shape();
  shape.push_back(classes);
  const Tensor y = zeros(shape, kInt64, index.device());
  const Tensor positions = index.unsqueeze(-1);
  launch_index("one_hot", IndexKind::scatter, index.dim(), ones_like(positions), positions, y);
  return y;
}

}  // namespace levin::inline v0

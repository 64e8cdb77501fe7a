// Views: they share memory, and gradients flow through them.
#include <algorithm>

#include "ops.h"
#include "views.h"

namespace levin::inline v0 {
namespace {

[[noreturn]] void fail_stale_view(const Tensor& view) {
  fail(Fault::order,
       {"a view of shape ", view.shape(), " shares memory that ", view.impl().block->last_write,
        " changed, with a gradient, through another tensor: make the view again from that tensor"});
}

Tensor reshape_back(const Tensor& g, Grads& grads) { return g.reshape(grads.shape(0)); }

}  // namespace

void renew_view(const Tensor& view) {
  TensorImpl& impl = view.impl();
  const TensorImpl* base = impl.base.get();
  if (!base || base->history < impl.block->history || !base->layout.contiguous() ||
      impl.layout.overlaps_itself() || leaf_of(view))
    fail_stale_view(view);
  const EnableGrad enable_grad;
  impl.node = part_of("view", Tensor(impl.base), PlaceInBase(view)).impl().node;
  impl.history = impl.block->history;
}

Tensor Tensor::view(const Shape& shape) const {
  Layout result;
  const Shape full = inferred_shape("view", shape, numel());
  check(reshaped(layout(), full, &result),
        {"view: a tensor of shape ", this->shape(), " cannot be seen as ", full,
         " without a copy: use reshape()"});
  return view_of("view", *this, result, reshape_back);
}

Tensor Tensor::reshape(const Shape& shape) const {
  Layout result;
  const Shape full = inferred_shape("reshape", shape, numel());
  if (reshaped(layout(), full, &result)) return view_of("reshape", *this, result, reshape_back);
  return contiguous().view(full);
}

Tensor Tensor::flatten(int64_t start_dim, int64_t end_dim) const {
  const int first = normal_dim("flatten", start_dim, dim()),
            last = normal_dim("flatten", end_dim, dim());
  check(first <= last, {"flatten: dimension ", start_dim, " comes after dimension ", end_dim});
  if (dim() == 0) return reshape({1});
  Shape result;
  int64_t joined = 1;
  for (int d = 0; d < dim(); ++d) {
    if (d < first || d > last) {
      result.push_back(shape()[d]);
      continue;
    }
    joined *= shape()[d];
    if (d == last) result.push_back(joined);
  }
  return reshape(result);
}

Tensor Tensor::unflatten(int64_t dim, const Shape& sizes) const {
  check(this->dim() > 0, {"unflatten: a 0-d tensor has no dimension to split"});
  check(!sizes.empty(), {"unflatten: no sizes for dimension ", dim, ": at least one is needed"});
  const int along = normal_dim("unflatten", dim, this->dim());
  Shape result;
  for (int d = 0; d < this->dim(); ++d) {
    if (d != along) {
      result.push_back(shape()[d]);
      continue;
    }
    for (const int64_t size : inferred_shape("unflatten", sizes, shape()[d]))
      result.push_back(size);
  }
  return view(result);
}

Tensor Tensor::transpose(int64_t dim0, int64_t dim1) const {
  return view_of("transpose", *this, transposed(layout(), dim0, dim1),
                 [=](const Tensor& g, Grads&) { return g.transpose(dim0, dim1); });
}

Tensor Tensor::t() const {
  check(dim() <= 2, {"t: a tensor of shape ", shape(), ": at most 2 dimensions, use transpose()"});
  return dim() == 2 ? transpose(0, 1) : *this;
}

Tensor Tensor::permute(const Shape& dims) const {
  const Layout result = permuted(layout(), dims);
  Shape inverse = dims;
  for (int d = 0; d < dims.size(); ++d) inverse[normal_dim("permute", dims[d], dim())] = d;
  return view_of("permute", *this, result,
                 [=](const Tensor& g, Grads&) { return g.permute(inverse); });
}

Tensor Tensor::movedim(const Shape& source, const Shape& destination) const {
  return permute(moved_dims(source, destination, dim()));
}

Tensor Tensor::expand(const Shape& shape) const {
  return view_of("expand", *this, expanded(layout(), shape),
                 [](const Tensor& g, Grads& grads) { return sum_to(g, grads.shape(0)); });
}

Tensor Tensor::squeeze() const {
  return view_of("squeeze", *this, squeezed(layout()), reshape_back);
}
Tensor Tensor::squeeze(const Shape& dims) const {
  return view_of("squeeze", *this, squeezed(layout(), dims), reshape_back);
}
Tensor Tensor::unsqueeze(int64_t dim) const {
  return view_of("unsqueeze", *this, unsqueezed(layout(), dim), reshape_back);
}

Tensor Tensor::slice(int64_t dim, int64_t start, int64_t end, int64_t step) const {
  return part_of("slice", *this,
                 [=](const Layout& layout) { return sliced(layout, dim, start, end, step); });
}

Tensor Tensor::narrow(int64_t dim, int64_t start, int64_t length) const {
  return part_of("narrow", *this,
                 [=](const Layout& layout) { return narrowed(layout, dim, start, length); });
}

Tensor Tensor::select(int64_t dim, int64_t index) const {
  return part_of("select", *this,
                 [=](const Layout& layout) { return selected(layout, dim, index); });
}

Tensor Tensor::diagonal(int64_t offset, int64_t dim1, int64_t dim2) const {
  return part_of("diagonal", *this,
                 [=](const Layout& layout) { return diagonal_of(layout, offset, dim1, dim2); });
}

std::vector<Tensor> Tensor::split_with_sizes(const std::vector<int64_t>& sizes, int64_t dim) const {
  check(this->dim() > 0, {"split_with_sizes: a 0-d tensor has no dimension to split"});
  const int along = normal_dim("split_with_sizes", dim, this->dim());
  std::vector<Tensor> parts;
  int64_t at = 0;
  for (const int64_t size : sizes) {
    check(size >= 0 && size <= shape()[along] - at,
          {"split_with_sizes: a part of size ", size, " at ", at, " of dimension ", along, " of ",
           shape()});
    parts.push_back(narrow(along, at, size));
    at += size;
  }
  check(at == shape()[along], {"split_with_sizes: the sizes add up to ", at, ", dimension ", along,
                               " of ", shape(), " has ", shape()[along]});
  return parts;
}

std::vector<Tensor> Tensor::split(int64_t size, int64_t dim) const {
  check(this->dim() > 0, {"split: a 0-d tensor has no dimension to split"});
  const int64_t whole = shape()[normal_dim("split", dim, this->dim())];
  check(size > 0 || (size == 0 && whole == 0),
        {"split: parts of size ", size, " for ", whole, " elements: a positive size is needed"});
  std::vector<int64_t> sizes;
  for (int64_t left = whole; left > 0; left -= sizes.back()) sizes.push_back(std::min(size, left));
  if (whole == 0) sizes.push_back(0);
  return split_with_sizes(sizes, dim);
}

std::vector<Tensor> Tensor::chunk(int64_t chunks, int64_t dim) const {
  check(this->dim() > 0, {"chunk: a 0-d tensor has no dimension to split"});
  check(chunks > 0, {"chunk: into ", chunks, " parts: at least 1 is needed"});
  const int64_t whole = shape()[normal_dim("chunk", dim, this->dim())];
  if (whole == 0) return split_with_sizes(std::vector<int64_t>(chunks), dim);
  return split((whole - 1) / chunks + 1, dim);
}

std::vector<Tensor> Tensor::unbind(int64_t dim) const {
  check(this->dim() > 0, {"unbind: a 0-d tensor has no dimension to split"});
  const int along = normal_dim("unbind", dim, this->dim());
  std::vector<Tensor> parts;
  for (int64_t i = 0; i < shape()[along]; ++i) parts.push_back(select(along, i));
  return parts;
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& vectors, const std::string& indexing) {
  check(!vectors.empty(), {"meshgrid: an empty list: at least one vector is needed"});
  check(indexing == "ij" || indexing == "xy",
        {"meshgrid: indexing '", indexing, "': 'ij' or 'xy' is needed"});
  Shape shape;
  for (const Tensor& vector : vectors) {
    check_same_device("meshgrid", vectors[0], vector);
    check(vector.dim() <= 1 && vector.dtype() == vectors[0].dtype(),
          {"meshgrid: a ", vector.dtype(), " tensor of shape ", vector.shape(), ": ",
           vectors[0].dtype(), " vectors are needed"});
    shape.push_back(vector.numel());
  }
  std::vector<Tensor> grids;
  for (int d = 0; d < shape.size(); ++d) {
    Shape own = shape;
    std::fill(own.begin(), own.end(), 1);
    own[d] = shape[d];
    const Tensor grid = vectors[d].reshape(own).expand(shape);
    grids.push_back(indexing == "xy" && shape.size() > 1 ? grid.transpose(0, 1) : grid);
  }
  return grids;
}

}  // namespace levin::inline v0

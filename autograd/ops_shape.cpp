// Views, copies, joining. A view shares memory; its derivative is the view undone.
#include "launch.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

// A view with history; undo(g, grads) gives the gradient of the base.
template <class Undo>
Tensor view_of(const char* name, const Tensor& x, const Layout& layout, Undo undo) {
  Tensor y = make_view(x, layout);
  if (!recording(x)) return y;
  return record(name, std::move(y), {&x},
                [undo](const Tensor& g, Grads& grads) { grads.set(0, undo(g, grads)); });
}

Tensor reshape_back(const Tensor& g, Grads& grads) { return g.reshape(grads.shape(0)); }

// Zeros of `shape` with g at the place of a slice: the derivative of slice, itself differentiable.
Tensor unsliced(const Tensor& g, const Shape& shape, int64_t dim, int64_t start, int64_t end,
                int64_t step) {
  Tensor y;
  {
    NoGrad no_grad;
    y = zeros(shape, g.dtype(), g.device());
    y.slice(dim, start, end, step).copy_(g);
  }
  if (!recording(g)) return y;
  return record("unslice", y, {&g}, [=](const Tensor& gg, Grads& grads) {
    grads.set(0, gg.slice(dim, start, end, step));
  });
}

// A contiguous copy of another element type or layout.
Tensor copied(const char* name, const Tensor& x, DType dtype) {
  Tensor y = empty(x.shape(), dtype, x.device());
  launched(backend(x.device()).copy(arg(x), arg(y)), name, x);
  if (!is_floating(dtype) || !recording(x)) return y;
  return record(name, std::move(y), {&x},
                [](const Tensor& g, Grads& grads) { grads.set(0, g.to(grads.dtype(0))); });
}

}  // namespace

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
  if (dim() == 0) return reshape({1});
  const int first = normal_dim("flatten", start_dim, dim()),
            last = normal_dim("flatten", end_dim, dim());
  check(first <= last, {"flatten: dimension ", start_dim, " comes after dimension ", end_dim});
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

Tensor Tensor::expand(const Shape& shape) const {
  return view_of("expand", *this, expanded(layout(), shape),
                 [](const Tensor& g, Grads& grads) { return sum_to(g, grads.shape(0)); });
}

Tensor Tensor::squeeze() const {
  return view_of("squeeze", *this, squeezed(layout()), reshape_back);
}
Tensor Tensor::squeeze(const Shape& dims) const {
  const uint32_t chosen = dims_mask("squeeze", dims, dim());
  Tensor y = *this;
  for (int d = dim() - 1; d >= 0; --d)
    if (dims.size() > 0 && chosen >> d & 1)
      y = view_of("squeeze", y, squeezed(y.layout(), d), reshape_back);
  return y;
}
Tensor Tensor::unsqueeze(int64_t dim) const {
  return view_of("unsqueeze", *this, unsqueezed(layout(), dim), reshape_back);
}

Tensor Tensor::slice(int64_t dim, int64_t start, int64_t end, int64_t step) const {
  return view_of("slice", *this, sliced(layout(), dim, start, end, step),
                 [=](const Tensor& g, Grads& grads) {
                   return unsliced(g, grads.shape(0), dim, start, end, step);
                 });
}

Tensor Tensor::narrow(int64_t dim, int64_t start, int64_t length) const {
  narrowed(layout(), dim, start, length);  // its checks
  const int64_t first = start < 0 ? start + size(dim) : start;
  return slice(dim, first, first + length);
}

Tensor Tensor::select(int64_t dim, int64_t index) const {
  selected(layout(), dim, index);  // its checks
  return narrow(dim, index, 1).squeeze(dim);
}

Tensor Tensor::contiguous() const {
  return is_contiguous() ? *this : copied("contiguous", *this, dtype());
}
Tensor Tensor::clone() const { return copied("clone", *this, dtype()); }
Tensor Tensor::to(DType dtype) const {
  return dtype == this->dtype() ? *this : copied("to", *this, dtype);
}

Tensor Tensor::to(Device device) const {
  if (device == this->device()) return *this;
  backend(device);  // says why it is not there
  fail(Fault::order, {"to: from ", this->device(), " to ", device, " is not possible"});
}

Tensor cat(const std::vector<Tensor>& tensors, int64_t dim) {
  check(!tensors.empty(), {"cat: an empty list: at least one tensor is needed"});
  const Tensor& first = tensors[0];
  check(first.dim() > 0, {"cat: 0-d tensors cannot be joined: use stack()"});
  const int along = normal_dim("cat", dim, first.dim());
  Shape shape = first.shape();
  shape[along] = 0;
  DType dtype = first.dtype();
  for (const Tensor& tensor : tensors) {
    check_same_device("cat", first, tensor);
    dtype = promote(dtype, tensor.dtype());
    bool fits = tensor.dim() == first.dim();
    for (int d = 0; fits && d < shape.size(); ++d)
      fits = d == along || tensor.shape()[d] == shape[d];
    check(fits, {"cat: ", first.shape(), " and ", tensor.shape(),
                 ": sizes must be equal but for dimension ", along});
    shape[along] += tensor.shape()[along];
  }
  const Tensor y = empty(shape, dtype, first.device());
  std::vector<const Tensor*> inputs;
  bool history = false;
  int64_t start = 0;
  for (const Tensor& tensor : tensors) {
    const Layout part = narrowed(y.layout(), along, start, tensor.shape()[along]);
    launched(backend(y.device()).copy(arg(tensor), {y.impl().block.get(), &part}), "cat", tensor);
    start += tensor.shape()[along];
    history |= recording(tensor);
    inputs.push_back(&tensor);
  }
  if (!history || !is_floating(dtype)) return y;
  std::vector<int64_t> sizes;
  for (const Tensor& tensor : tensors) sizes.push_back(tensor.shape()[along]);
  return record("cat", y, inputs.data(), static_cast<int>(inputs.size()),
                [along, sizes](const Tensor& g, Grads& grads) {
                  int64_t at = 0;
                  for (std::size_t i = 0; i < sizes.size(); at += sizes[i++]) {
                    const int edge = static_cast<int>(i);
                    if (grads.wants(edge))
                      grads.set(edge, g.narrow(along, at, sizes[i]).to(grads.dtype(edge)));
                  }
                });
}

Tensor stack(const std::vector<Tensor>& tensors, int64_t dim) {
  check(!tensors.empty(), {"stack: an empty list: at least one tensor is needed"});
  std::vector<Tensor> raised;
  for (const Tensor& tensor : tensors) {
    check(tensor.shape() == tensors[0].shape(),
          {"stack: ", tensors[0].shape(), " and ", tensor.shape(), ": shapes must be equal"});
    raised.push_back(tensor.unsqueeze(dim));
  }
  return cat(raised, normal_dim("stack", dim, tensors[0].dim() + 1));
}

}  // namespace levin::inline v0

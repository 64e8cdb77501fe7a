// What copies: other layouts and element types, joins, borders, repeats.
#include <algorithm>

#include "launch.h"
#include "ops.h"
#include "views.h"

namespace levin::inline v0 {
namespace {

constexpr int64_t kMost = int64_t{1} << 60;  // of what is added to a size

// A contiguous copy of another element type or layout.
Tensor copied(const char* name, const Tensor& x, DType dtype) {
  Tensor y = make_empty(x.shape(), x.numel(), dtype, x.device());
  launched(backend(x.device()).copy(arg(x), arg(y)), name, x);
  if (!is_floating(dtype) || !recording(x)) return y;
  return record(name, std::move(y), {&x},
                [](const Tensor& g, Grads& grads) { grads.set(0, g.to(grads.dtype(0))); });
}

}  // namespace

Tensor Tensor::contiguous() const {
  return is_contiguous() ? *this : copied("contiguous", *this, dtype());
}
Tensor Tensor::clone() const { return copied("clone", *this, dtype()); }
Tensor Tensor::to(DType dtype) const {
  return dtype == this->dtype() ? *this : copied("to", *this, dtype);
}

Tensor Tensor::to(Device device) const {
  const Device from = this->device();
  if (device == from) return *this;
  if (from.type != Device::cpu && device.type != Device::cpu) return to(kCPU).to(device);
  Tensor y = make_empty(shape(), numel(), dtype(), device);
  const Tensor plain = detach().contiguous();
  const Block &source = *plain.impl().block, &target = *y.impl().block;
  const std::size_t offset = plain.layout().offset * item_size(dtype());
  const std::size_t bytes = numel() * item_size(dtype());
  launched(from.type == Device::cpu
               ? backend(device).write(static_cast<const char*>(source.data) + offset,
                                       *y.impl().block, 0, bytes)
               : backend(from).read(source, offset, target.data, bytes),
           "to", *this);
  if (!is_floating(dtype()) || !recording(*this)) return y;
  return record("to", std::move(y), {this},
                [from](const Tensor& g, Grads& grads) { grads.set(0, g.to(from)); });
}

Tensor cat(const std::vector<Tensor>& tensors, int64_t dim) {
  check(!tensors.empty(), {"cat: an empty list: at least one tensor is needed"});
  // An empty vector fits everything.
  const auto skipped = [](const Tensor& tensor) { return tensor.shape() == Shape{0}; };
  const Tensor& first = *std::find_if_not(tensors.begin(), tensors.end() - 1, skipped);
  check(first.dim() > 0, {"cat: 0-d tensors cannot be joined: use stack()"});
  const int along = normal_dim("cat", dim, first.dim());
  Shape shape = first.shape();
  shape[along] = 0;
  DType dtype = first.dtype();
  for (const Tensor& tensor : tensors) {
    check_same_device("cat", first, tensor);
    dtype = promote(dtype, tensor.dtype());
    if (skipped(tensor)) continue;
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
    history |= recording(tensor);
    inputs.push_back(&tensor);
    if (skipped(tensor)) continue;
    const Layout part = narrowed(y.layout(), along, start, tensor.shape()[along]);
    launched(backend(y.device()).copy(arg(tensor), {y.impl().block.get(), &part}), "cat", tensor);
    start += tensor.shape()[along];
  }
  if (!history || !is_floating(dtype)) return y;
  std::vector<int64_t> sizes;
  for (const Tensor& tensor : tensors) sizes.push_back(skipped(tensor) ? 0 : tensor.shape()[along]);
  return record("cat", y, inputs.data(), static_cast<int>(inputs.size()),
                [along, sizes](const Tensor& g, Grads& grads) {
                  int64_t at = 0;
                  for (std::size_t i = 0; i < sizes.size(); at += sizes[i++]) {
                    const int edge = static_cast<int>(i);
                    if (sizes[i] > 0 && grads.wants(edge))
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

Tensor Tensor::repeat(const Shape& repeats) const {
  const int added = repeats.size() - dim();
  check(added >= 0, {"repeat: ", repeats, " for a tensor of shape ", shape(),
                     ": a number for each dimension is needed"});
  Shape result;
  for (int d = 0; d < repeats.size(); ++d) result.push_back(d < added ? 1 : shape()[d - added]);
  Tensor y = reshape(result);
  bool copied = false;
  for (int d = 0; d < repeats.size(); ++d) {
    check(repeats[d] >= 0, {"repeat: ", repeats, ": numbers must not be negative"});
    if (repeats[d] == 1) continue;
    const Shape before(result.begin(), d), after(result.begin() + d, result.size() - d);
    const Shape three = {before.numel(), repeats[d], after.numel()};
    result[d] = Shape{result[d], repeats[d]}.numel();
    y = y.reshape({three[0], 1, three[2]}).expand(three).clone().view(result);
    copied = true;
  }
  return copied ? y : y.clone();
}

Tensor Tensor::tile(const Shape& repeats) const {
  Shape all;
  for (int d = repeats.size(); d < dim(); ++d) all.push_back(1);
  for (const int64_t count : repeats) all.push_back(count);
  return repeat(all);
}

Tensor Tensor::flip(const Shape& dims) const {
  const Layout turned = flipped(layout(), dims);
  const Tensor y = empty(shape(), dtype(), device());
  launched(backend(device()).copy({impl().block.get(), &turned}, arg(y)), "flip", *this);
  if (!recording(*this)) return y;
  return record("flip", y, {this},
                [=](const Tensor& g, Grads& grads) { grads.set(0, g.flip(dims)); });
}

Tensor Tensor::roll(const Shape& shifts, const Shape& dims) const {
  if (dims.empty() && shifts.size() == 1) return flatten().roll(shifts, 0).view(shape());
  check(!shifts.empty() && shifts.size() == dims.size(),
        {"roll: shifts ", shifts, " along dimensions ", dims, ": one for each is needed"});
  check(dim() > 0, {"roll: a 0-d tensor has no dimension ", dims[0]});
  Tensor y = *this;
  for (int i = 0; i < dims.size(); ++i) {
    const int along = normal_dim("roll", dims[i], dim());
    const int64_t size = shape()[along];
    if (size == 0) continue;
    const int64_t first = (size - shifts[i] % size) % size;  // the one that comes to the start
    y = cat({y.narrow(along, first, size - first), y.narrow(along, 0, first)}, along);
  }
  return y.is_same(*this) ? clone() : y;
}

Tensor pad(const Tensor& x, const Shape& widths, Number value) {
  check(widths.size() % 2 == 0 && widths.size() <= 2 * x.dim(),
        {"pad: widths ", widths, " for a tensor of shape ", x.shape(),
         ": two for each of its last dimensions are needed"});
  Shape shape = x.shape(), opposite = widths;
  Layout from = x.layout();
  for (int i = 0; i < widths.size(); i += 2) {
    const int d = x.dim() - 1 - i / 2;
    const int64_t before = widths[i], after = widths[i + 1];
    for (const int64_t width : {before, after})
      check(width > -kMost && width < kMost, {"pad: widths ", widths, " are too large"});
    const int64_t kept = shape[d] + std::min<int64_t>(before, 0) + std::min<int64_t>(after, 0);
    check(kept >= 0, {"pad: widths ", widths, " cut more than there is from dimension ", d, " of ",
                      x.shape()});
    from = narrowed(from, d, std::max<int64_t>(-before, 0), kept);
    shape[d] += before + after;
    opposite[i] = -before;
    opposite[i + 1] = -after;
  }
  const Tensor y = full(shape, value, x.dtype(), x.device());
  Layout to = y.layout();
  for (int i = 0; i < widths.size(); i += 2) {
    const int d = x.dim() - 1 - i / 2;
    to = narrowed(to, d, std::max<int64_t>(widths[i], 0), from.shape[d]);
  }
  launched(backend(x.device()).copy({x.impl().block.get(), &from}, {y.impl().block.get(), &to}),
           "pad", x);
  if (!recording(x)) return y;
  return record("pad", y, {&x},
                [=](const Tensor& g, Grads& grads) { grads.set(0, pad(g, opposite)); });
}

namespace {

// Column minus row number of the elements of the last two dimensions.
Tensor diagonal_numbers(const char* name, const Tensor& x) {
  check(x.dim() >= 2,
        {name, ": a tensor of shape ", x.shape(), ": at least 2 dimensions are needed"});
  const Tensor numbers = arange(x.size(-1)) - arange(x.size(-2)).unsqueeze(1);
  return numbers.to(x.device());
}

}  // namespace

Tensor Tensor::tril(int64_t diagonal) const {
  return where(diagonal_numbers("tril", *this) <= diagonal, *this, false);
}
Tensor Tensor::triu(int64_t diagonal) const {
  return where(diagonal_numbers("triu", *this) >= diagonal, *this, false);
}

Tensor Tensor::diag(int64_t diagonal) const {
  check(dim() == 1 || dim() == 2,
        {"diag: a tensor of shape ", shape(), ": a vector or a matrix is needed"});
  if (dim() == 2) return this->diagonal(diagonal).clone();
  check(diagonal > -kMost && diagonal < kMost, {"diag: diagonal ", diagonal, " is too far off"});
  const int64_t size = numel() + std::abs(diagonal);
  return placed("diag", *this, {size, size},
                [=](const Layout& layout) { return diagonal_of(layout, diagonal, 0, 1); });
}

}  // namespace levin::inline v0

#include "layout_math.h"

#include <algorithm>

#include "../kernels/check.h"

namespace levin::inline v0 {

int normal_dim(const char* operation, int64_t dim, int dims) {
  const int count = std::max(dims, 1);  // a 0-d tensor answers to 0 and -1
  if (dim < -count || dim >= count)
    fail(Fault::index, {operation, ": dimension ", dim, " is out of range: expected one in [",
                        -count, ", ", count - 1, "]"});
  return static_cast<int>(dim < 0 ? dim + count : dim);
}

uint32_t dims_mask(const char* operation, const Shape& dims, int count) {
  if (dims.empty()) return (1u << count) - 1;
  uint32_t mask = 0;
  for (const int64_t given : dims) {
    const uint32_t bit = 1u << normal_dim(operation, given, count);
    check(!(mask & bit), {operation, ": dimension ", given, " appears twice in ", dims});
    mask |= bit;
  }
  return count == 0 ? 0 : mask;
}

Layout transposed(const Layout& layout, int64_t dim0, int64_t dim1) {
  Layout result = layout;
  const int a = normal_dim("transpose", dim0, layout.dim()),
            b = normal_dim("transpose", dim1, layout.dim());
  std::swap(result.shape[a], result.shape[b]);
  std::swap(result.strides[a], result.strides[b]);
  return result;
}

Layout permuted(const Layout& layout, const Shape& dims) {
  check(dims.size() == layout.dim(),
        {"permute: ", dims, " names ", dims.size(), " dimensions of a tensor of ", layout.dim()});
  dims_mask("permute", dims, layout.dim());
  Layout result = layout;
  for (int d = 0; d < dims.size(); ++d) {
    const int from = normal_dim("permute", dims[d], layout.dim());
    result.shape[d] = layout.shape[from];
    result.strides[d] = layout.strides[from];
  }
  return result;
}

Layout expanded(const Layout& layout, const Shape& shape) {
  Shape full = shape;
  const int missing = shape.size() - layout.dim();
  check(missing >= 0, {"expand: ", layout.shape, " to ", shape, ": dimensions cannot be dropped"});
  for (int d = 0; d < shape.size(); ++d) {
    const int64_t own = d < missing ? 1 : layout.shape[d - missing];
    if (shape[d] == -1 && d >= missing) full[d] = own;
    check(full[d] >= 0 && (own == full[d] || own == 1),
          {"expand: ", layout.shape, " to ", shape, ": only sizes of 1 can be repeated"});
  }
  full.numel();
  return broadcast_to(layout, full);
}

namespace {

Layout without(const Layout& layout, uint32_t mask) {
  Layout result = layout;
  result.shape = {};
  for (int d = 0; d < layout.dim(); ++d) {
    if (mask >> d & 1) continue;
    result.strides[result.dim()] = layout.strides[d];
    result.shape.push_back(layout.shape[d]);
  }
  return result;
}

}  // namespace

Layout squeezed(const Layout& layout, const Shape& dims) {
  uint32_t mask = dims.empty() ? 0 : dims_mask("squeeze", dims, layout.dim());
  for (int d = 0; d < layout.dim(); ++d)
    if (layout.shape[d] != 1) mask &= ~(1u << d);
  return without(layout, mask);
}

Layout squeezed(const Layout& layout) {
  Shape all;
  for (int d = 0; d < layout.dim(); ++d) all.push_back(d);
  return squeezed(layout, all);
}

Layout unsqueezed(const Layout& layout, int64_t dim) {
  const int added = normal_dim("unsqueeze", dim, layout.dim() + 1);
  Layout result = layout;
  result.shape = {};
  for (int d = 0; d <= layout.dim(); ++d) {
    const int from = d - (d > added);
    result.shape.push_back(d == added ? 1 : layout.shape[from]);  // throws where it is full
    result.strides[d] = d == added ? 1 : layout.strides[from];
  }
  return result;
}

Layout sliced(const Layout& layout, int64_t dim, int64_t start, int64_t end, int64_t step) {
  check(layout.dim() > 0, {"slice: a 0-d tensor has no dimension to slice"});
  check(step > 0, {"slice: step ", step, ": must be positive"});
  const int along = normal_dim("slice", dim, layout.dim());
  const int64_t size = layout.shape[along];
  const auto bounded = [size](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + size : at, 0, size);
  };
  const int64_t first = bounded(start), last = std::max(bounded(end), first);
  Layout result = layout;
  result.offset += first * layout.strides[along];
  const int64_t count = last > first ? (last - first - 1) / step + 1 : 0;
  result.shape[along] = count;
  if (count > 1) result.strides[along] *= step;  // else it may be too large to multiply
  return result;
}

Layout narrowed(const Layout& layout, int64_t dim, int64_t start, int64_t length) {
  check(layout.dim() > 0, {"narrow: a 0-d tensor has no dimension to narrow"});
  const int along = normal_dim("narrow", dim, layout.dim());
  const int64_t size = layout.shape[along];
  const int64_t first = start < 0 ? start + size : start;
  if (first < 0 || length < 0 || first > size || length > size - first)
    fail(Fault::index, {"narrow: start ", start, " and length ", length, " reach out of dimension ",
                        dim, " of ", layout.shape});
  return sliced(layout, along, first, first + length, 1);
}

Layout selected(const Layout& layout, int64_t dim, int64_t index) {
  check(layout.dim() > 0, {"select: a 0-d tensor cannot be indexed"});
  const int along = normal_dim("select", dim, layout.dim());
  const int64_t size = layout.shape[along];
  if (index < -size || index >= size)
    fail(Fault::index,
         {"select: index ", index, " is out of range for dimension ", along, " of ", layout.shape});
  Layout result = without(layout, 1u << along);
  result.offset += (index < 0 ? index + size : index) * layout.strides[along];
  return result;
}

Layout diagonal_of(const Layout& layout, int64_t offset, int64_t dim1, int64_t dim2) {
  const int a = normal_dim("diagonal", dim1, layout.dim()),
            b = normal_dim("diagonal", dim2, layout.dim());
  check(a != b, {"diagonal: dimensions ", dim1, " and ", dim2, " of ", layout.shape,
                 ": two different ones are needed"});
  const int64_t rows = layout.shape[a], columns = layout.shape[b];
  // The first element is in the first row or the first column.
  const int64_t row = offset < 0 ? -std::max(offset, -rows) : 0;
  const int64_t column = offset > 0 ? std::min(columns, offset) : 0;
  Layout result = without(layout, 1u << a | 1u << b);
  result.offset += row * layout.strides[a] + column * layout.strides[b];
  result.strides[result.dim()] = layout.strides[a] + layout.strides[b];
  result.shape.push_back(std::min(rows - row, columns - column));
  return result;
}

Layout flipped(const Layout& layout, const Shape& dims) {
  Layout result = layout;
  const uint32_t mask = dims.empty() ? 0 : dims_mask("flip", dims, layout.dim());
  for (int d = 0; d < layout.dim(); ++d) {
    if (!(mask >> d & 1) || layout.shape[d] == 0) continue;
    result.offset += (layout.shape[d] - 1) * layout.strides[d];
    result.strides[d] = -layout.strides[d];
  }
  return result;
}

Shape moved_dims(const Shape& source, const Shape& destination, int count) {
  check(source.size() == destination.size(),
        {"movedim: ", source, " to ", destination, ": as many places as dimensions are needed"});
  uint32_t moved = 0;
  int from[kMaxDims];
  std::fill_n(from, kMaxDims, -1);
  if (!source.empty()) {
    dims_mask("movedim", destination, count);
    moved = dims_mask("movedim", source, count);
  }
  for (int i = 0; i < source.size() && count > 0; ++i)
    from[normal_dim("movedim", destination[i], count)] = normal_dim("movedim", source[i], count);
  Shape order;
  int next = 0;
  for (int d = 0; d < count; ++d) {
    while (moved >> next & 1) ++next;
    order.push_back(from[d] < 0 ? next++ : from[d]);
  }
  return order;
}

Shape inferred_shape(const char* operation, const Shape& shape, int64_t count) {
  Shape result = shape;
  Shape known;
  int open = -1;
  for (int d = 0; d < shape.size(); ++d) {
    if (shape[d] != -1) {
      known.push_back(shape[d]);
      continue;
    }
    check(open < 0, {operation, ": ", shape, ": only one size can be -1"});
    open = d;
  }
  const int64_t others = known.numel();
  const bool fits = open < 0 ? others == count : others != 0 && count % others == 0;
  check(fits, {operation, ": ", count, " elements do not fit ", shape});
  if (open >= 0) result[open] = count / others;
  return result;
}

bool reshaped(const Layout& layout, const Shape& shape, Layout* result) {
  *result = Layout::of(shape, layout.dtype);
  result->offset = layout.offset;
  if (layout.contiguous()) return true;
  // Runs of old dimensions that lie behind each other are matched with runs of new ones of equal
  // size.
  int old_dim = layout.dim() - 1, new_dim = shape.size() - 1;
  while (old_dim >= 0) {
    int64_t run = layout.shape[old_dim];
    const int64_t stride = layout.strides[old_dim];
    while (old_dim > 0 &&
           (layout.shape[old_dim - 1] == 1 || layout.strides[old_dim - 1] == stride * run))
      run *= layout.shape[--old_dim];
    int64_t made = 1;
    while (new_dim >= 0 && (made < run || shape[new_dim] == 1)) {
      result->strides[new_dim] = stride * made;
      made *= shape[new_dim--];
    }
    if (made != run) return false;
    --old_dim;
  }
  return true;
}

Shape reduced_shape(const Shape& shape, uint32_t mask, bool keepdim) {
  Shape result;
  for (int d = 0; d < shape.size(); ++d) {
    if (!(mask >> d & 1))
      result.push_back(shape[d]);
    else if (keepdim)
      result.push_back(1);
  }
  return result;
}

}  // namespace levin::inline v0

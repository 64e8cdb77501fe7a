// What views do to a Layout. Pure arithmetic: the operations that record history are in
// autograd/ops_views.cpp.
#pragma once

#include "../kernels/layout.h"

namespace levin::inline v0 {

/// `dim` counted from the front. Throws std::out_of_range where it is not in [-dims, dims - 1].
int normal_dim(const char* operation, int64_t dim, int dims);
/// Bit d is set for every dimension of `dims`; none named means all. Throws for repeats and for
/// what is out of range.
uint32_t dims_mask(const char* operation, const Shape& dims, int count);

Layout transposed(const Layout&, int64_t dim0, int64_t dim1);
Layout permuted(const Layout&, const Shape& dims);
Layout expanded(const Layout&, const Shape& shape);
/// Without the dimensions of size 1; without those of `dims` that have size 1.
Layout squeezed(const Layout&);
Layout squeezed(const Layout&, const Shape& dims);
Layout unsqueezed(const Layout&, int64_t dim);
Layout sliced(const Layout&, int64_t dim, int64_t start, int64_t end, int64_t step);
Layout narrowed(const Layout&, int64_t dim, int64_t start, int64_t length);
Layout selected(const Layout&, int64_t dim, int64_t index);
/// The elements whose indices along dim1 and dim2 differ by `offset`, as the last dimension.
Layout diagonal_of(const Layout&, int64_t offset, int64_t dim1, int64_t dim2);
/// Backwards along `dims`: strides are negative, which only a copy's source may have.
Layout flipped(const Layout&, const Shape& dims);
/// The order for permuted() that moves dimensions `source` of `count` to the places `destination`.
Shape moved_dims(const Shape& source, const Shape& destination, int count);

/// `shape` with its one -1 replaced by what is left of `count` elements. Throws
/// std::invalid_argument where they do not fit.
Shape inferred_shape(const char* operation, const Shape& shape, int64_t count);
/// The layout of the same memory in another shape; false where the strides do not allow it.
bool reshaped(const Layout&, const Shape& shape, Layout* result);

/// `shape` without (or with size 1 at) the dimensions of `mask`.
Shape reduced_shape(const Shape& shape, uint32_t mask, bool keepdim);

}  // namespace levin::inline v0

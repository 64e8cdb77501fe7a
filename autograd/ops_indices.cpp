// What stands between brackets: `x[{Slice(1), mask, 0}]`.
#include <algorithm>

#include "in_place.h"
#include "indexing.h"
#include "ops.h"
#include "views.h"

namespace levin::inline v0 {
namespace {

// A view of any tensor of one shape: dimension d goes `step[d]` by `step[d]` along dimension
// `from[d]` (-1: a new one). It begins at `start`.
struct View {
  Shape shape, from, step, start;

  void add(int64_t size, int64_t its_from, int64_t its_step = 1) {
    shape.push_back(size), from.push_back(its_from), step.push_back(its_step);
  }
  void add(const View& other, int first, int end) {
    for (int d = first; d < end; ++d) add(other.shape[d], other.from[d], other.step[d]);
  }
};

Layout applied(const View& view, const Layout& x) {
  Layout result;
  result.dtype = x.dtype;
  result.shape = view.shape;
  result.offset = x.offset;
  for (int d = 0; d < x.dim(); ++d) result.offset += view.start[d] * x.strides[d];
  for (int d = 0; d < view.shape.size(); ++d)
    result.strides[d] = view.from[d] < 0 ? 0 : view.step[d] * x.strides[view.from[d]];
  return result;
}

// What brackets mean for a tensor of one shape. Of the view, `covered` dimensions from `at` on are
// taken together; `positions` (int64, counted from the front) lie in them. Not defined: none are.
struct Place {
  View view;
  int at = 0, covered = 0;
  Tensor positions;
  bool may_repeat = false;

  // The view's shape with `middle` for the covered dimensions.
  Shape shape_with(const Shape& middle) const {
    Shape result;
    for (int d = 0; d < at; ++d) result.push_back(view.shape[d]);
    for (const int64_t size : middle) result.push_back(size);
    for (int d = at + covered; d < view.shape.size(); ++d) result.push_back(view.shape[d]);
    return result;
  }
  Shape result() const { return positions.defined() ? shape_with(positions.shape()) : view.shape; }
  Shape merged() const {
    int64_t size = 1;
    for (int d = at; d < at + covered; ++d) size *= view.shape[d];
    return shape_with(size);
  }
};

// Turns a list of indices into a Place.
class Reader {
 public:
  Reader(const char* name, const Tensor& x, const Indices& indices) : name_(name), x_(x) {
    int taken = 0, ellipses = 0;
    for (const TensorIndex& index : indices) {
      ellipses += index.kind == TensorIndex::ellipsis;
      taken += dims_of(index);
    }
    check(taken <= x.dim(), {name, ": indices of ", taken, " dimensions into a tensor of shape ",
                             x.shape(), ": too many"});
    check(ellipses <= 1, {name, ": ", ellipses, " times Ellipsis: at most one is possible"});
    const int open = x.dim() - taken;
    for (const TensorIndex& index : indices) read(index, open);
    if (ellipses == 0) keep(open);
  }

  Place place() {
    int at = -1;
    bool together = true;
    for (const Lookup& lookup : lookups_) {
      if (lookup.positions.dim() == 0) continue;  // like an integer
      together &= at < 0 || at == lookup.behind;
      at = lookup.behind;
    }
    Place place;
    place.at = together ? std::max(at, 0) : 0;
    place.view.start = kept_.start;
    place.view.add(kept_, 0, place.at);
    for (const Lookup& lookup : lookups_)
      for (int d = 0; d < lookup.dims; ++d, ++place.covered)
        place.view.add(x_.shape()[lookup.first + d], lookup.first + d);
    place.view.add(kept_, place.at, kept_.shape.size());
    place.positions = joined_positions();
    place.may_repeat = lookups_.size() > 1 || (lookups_.size() == 1 && !lookups_[0].mask);
    return place;
  }

 private:
  // Positions in `dims` dimensions from `first` on, taken together: `size` places.
  struct Lookup {
    int first, dims, behind;  ///< behind so many dimensions that are kept
    int64_t size;
    Tensor positions;
    bool mask;
  };

  int dims_of(const TensorIndex& index) const {
    if (index.kind == TensorIndex::tensor)
      return index.indices.dtype() == kBool ? index.indices.dim() : 1;
    return index.kind == TensorIndex::integer || index.kind == TensorIndex::slice;
  }

  int next() const { return kept_.start.size(); }

  void read(const TensorIndex& index, int open) {
    if (index.kind == TensorIndex::integer)
      read_integer(index.position);
    else if (index.kind == TensorIndex::slice)
      read_slice(index.range);
    else if (index.kind == TensorIndex::none)
      kept_.add(1, -1);
    else if (index.kind == TensorIndex::ellipsis)
      keep(open);
    else
      read_tensor(index.indices);
  }

  void keep(int count) {
    for (; count > 0; --count) {
      kept_.add(x_.shape()[next()], next());
      kept_.start.push_back(0);
    }
  }

  void read_integer(int64_t at) {
    const int64_t size = x_.shape()[next()];
    if (at < -size || at >= size)
      fail(Fault::index,
           {name_, ": index ", at, " is out of range for dimension ", next(), " of size ", size});
    kept_.start.push_back(at < 0 ? at + size : at);
  }

  void read_slice(const Slice& range) {
    const int64_t size = x_.shape()[next()], step = range.step.value_or(1);
    check(step > 0, {name_, ": a slice with step ", step, ": must be positive, see flip()"});
    const auto bounded = [size](int64_t at) {
      return std::clamp<int64_t>(at < 0 ? at + size : at, 0, size);
    };
    const int64_t first = bounded(range.start.value_or(0)),
                  end = bounded(range.stop.value_or(size));
    const int64_t count = end > first ? (end - first - 1) / step + 1 : 0;
    kept_.add(count, next(), count > 1 ? step : 1);
    kept_.start.push_back(first);
  }

  void read_tensor(const Tensor& index) {
    check_same_device(name_, x_, index);
    if (index.dtype() == kBool) return read_mask(index);
    check(index.dtype() == kInt64,
          {name_, ": a ", index.dtype(), " index: int64 or bool is needed"});
    const int64_t size = x_.shape()[next()];
    lookups_.push_back({next(), 1, kept_.shape.size(), size, from_front(index, size), false});
    kept_.start.push_back(0);
  }

  void read_mask(const Tensor& mask) {
    const int first = next();
    bool fits = true;
    for (int d = 0; d < mask.dim(); ++d) fits &= mask.shape()[d] == x_.shape()[first + d];
    check(fits, {name_, ": a mask of shape ", mask.shape(), " for dimension ", first,
                 " on of a tensor of shape ", x_.shape(), ": sizes must be equal"});
    const Tensor positions = from_vector(true_places(mask)).to(x_.device());
    lookups_.push_back({first, mask.dim(), kept_.shape.size(), mask.numel(), positions, true});
    for (int d = 0; d < mask.dim(); ++d) kept_.start.push_back(0);
  }

  // Positions that count from the end, too, checked.
  Tensor from_front(const Tensor& index, int64_t size) const {
    const Tensor positions = where(index.lt(0), index.add(size), index);
    if (!in_range(positions, size)) fail_index(name_, index, next(), size, -size);
    return positions;
  }

  // One position in all dimensions together for each of the tensors'.
  Tensor joined_positions() const {
    Tensor joined;
    int64_t size = 1;
    for (auto lookup = lookups_.rbegin(); lookup != lookups_.rend(); ++lookup) {
      Shape shape;
      check(
          !joined.defined() || broadcast_shapes(lookup->positions.shape(), joined.shape(), &shape),
          {name_, ": index tensors of shapes ", lookup->positions.shape(), " and ",
           joined.defined() ? joined.shape() : shape, " do not broadcast"});
      joined = joined.defined() ? joined.add(lookup->positions, size) : lookup->positions;
      size *= lookup->size;
    }
    return joined;
  }

  const char* name_;
  const Tensor& x_;
  View kept_;  // the dimensions that no tensor indexes
  std::vector<Lookup> lookups_;
};

void check_values(const char* name, const Place& place, const Tensor& values) {
  const Shape wanted = place.result();
  Shape shape;
  check(broadcast_shapes(values.shape(), wanted, &shape) && shape == wanted,
        {name, ": values of shape ", values.shape(), " do not fit a place of shape ", wanted});
}

// Without history.
void write(const Place& place, const Tensor& y, const Tensor& values, bool accumulate) {
  NoGrad no_grad;
  const Tensor view = make_view(y, applied(place.view, y.layout()));
  const Tensor source = values.to(y.dtype()).expand(place.result());
  if (!place.positions.defined()) {
    accumulate ? view.add_(source) : view.copy_(source);
    return;
  }
  Layout layout;
  const Tensor positions = place.positions.flatten();
  const bool direct = reshaped(view.layout(), place.merged(), &layout);
  const Tensor merged = direct ? make_view(y, layout) : view.reshape(place.merged());
  const Shape rows = place.shape_with(positions.shape());
  launch_index("index_put", accumulate ? IndexKind::scatter_add : IndexKind::scatter, place.at,
               source.reshape(rows), spread(positions, rows, place.at), merged);
  if (!direct) view.copy_(merged.view(view.shape()));
}

Tensor put(const Place& place, const Tensor& x, const Tensor& y, const Tensor& values,
           bool accumulate);

// The view; its derivative is zeros with g in it.
Tensor viewed(const View& view, const Tensor& x) {
  return view_of("brackets", x, applied(view, x.layout()), [view](const Tensor& g, Grads& grads) {
    const Tensor y = zeros(grads.shape(0), g.dtype(), g.device());
    return put({view, 0, 0, {}, false}, y, y, g, false);
  });
}

Tensor take(const Place& place, const Tensor& x) {
  const Tensor view = viewed(place.view, x);
  if (!place.positions.defined()) return view;
  return view.reshape(place.merged())
      .index_select(place.at, place.positions.flatten())
      .reshape(place.result());
}

// Of the values that go to one place, the last.
Tensor last_ones(const Place& place, const Shape& shape) {
  const Tensor counted = ones({place.result().numel()}, kInt64, place.positions.device());
  const Tensor order = counted.cumsum(0).view(place.result());
  const Tensor last = empty(shape, kInt64, order.device());
  write(place, last, order, false);
  return take(place, last).eq(order);
}

// `y`, which has x's elements, with `values` in the place.
Tensor put(const Place& place, const Tensor& x, const Tensor& y, const Tensor& values,
           bool accumulate) {
  write(place, y, values, accumulate);
  if (!is_floating(x.dtype()) || !recording(x, values)) return y;
  return record("index_put", y, {&x, &values}, [place, accumulate](const Tensor& g, Grads& grads) {
    if (grads.wants(0)) {
      const Tensor zero = zeros({}, g.dtype(), g.device());
      grads.set(0, accumulate ? g : put(place, g, copy_without_history(g), zero, false));
    }
    if (!grads.wants(1)) return;
    Tensor taken = take(place, g);
    if (!accumulate && place.may_repeat) taken = where(last_ones(place, g.shape()), taken, 0);
    grads.set(1, sum_to(taken, grads.shape(1)).to(grads.dtype(1)));
  });
}

}  // namespace

Tensor Tensor::operator[](const Indices& indices) const {
  return take(Reader("brackets", *this, indices).place(), *this);
}

Tensor Tensor::index_put(const Indices& indices, const Tensor& values, bool accumulate) const {
  const Place place = Reader("index_put", *this, indices).place();
  check_values("index_put", place, values);
  return put(place, *this, copy_without_history(*this), values, accumulate);
}
Tensor Tensor::index_put(const Indices& indices, Number value, bool accumulate) const {
  return index_put(indices, number_like(*this, value), accumulate);
}

const Tensor& Tensor::index_put_(const Indices& indices, const Tensor& values,
                                 bool accumulate) const {
  const Place place = Reader("index_put_", *this, indices).place();
  // What lies in the same memory might be overwritten before it is read.
  const bool shared = values.impl().block.get() == impl().block.get();
  const Tensor source = shared ? values.clone() : values;
  check_values("index_put_", place, source);
  return in_place(
      "index_put_", *this, {&source}, false, [&] { write(place, *this, source, accumulate); },
      [&](const Tensor& old) {
        return put(place, old, copy_without_history(old), source, accumulate);
      });
}
const Tensor& Tensor::index_put_(const Indices& indices, Number value, bool accumulate) const {
  return index_put_(indices, number_like(*this, value), accumulate);
}

}  // namespace levin::inline v0

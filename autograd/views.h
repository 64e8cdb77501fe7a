// How views are recorded: their derivative is the view undone.
#pragma once

#include "launch.h"

namespace levin::inline v0 {

/// Where a chain of views that ends in x starts.
inline Ref<TensorImpl> base_of(const Tensor& x) {
  return x.impl().is_view ? x.impl().base : Ref<TensorImpl>(&x.impl());
}

/// A view of x; undo(g, grads) gives the gradient of x.
template <class Undo>
Tensor view_of(const char* name, const Tensor& x, const Layout& layout, Undo undo) {
  const bool history = recording(x);  // may renew x, and so comes first
  Tensor y = make_view(x, layout);
  if (is_grad_enabled())
    y.impl().base = base_of(x);
  else
    y.impl().without_history = x.requires_grad() || x.impl().without_history;
  if (!history) return y;
  return record(name, std::move(y), {&x},
                [undo](const Tensor& g, Grads& grads) { grads.set(0, undo(g, grads)); });
}

template <class View>
Tensor placed(const char* name, const Tensor& g, const Shape& shape, View view);

/// A view that leaves elements out: view(layout) picks them from a layout of x's shape.
template <class View>
Tensor part_of(const char* name, const Tensor& x, View view) {
  return view_of(name, x, view(x.layout()), [=](const Tensor& g, Grads& grads) {
    return placed(name, g, grads.shape(0), view);
  });
}

/// Zeros of `shape` with g where part_of(.., view) takes its elements: its derivative.
template <class View>
Tensor placed(const char* name, const Tensor& g, const Shape& shape, View view) {
  const Tensor y = zeros(shape, g.dtype(), g.device());
  const Layout place = view(y.layout());
  launched(backend(y.device()).copy(arg(g), {y.impl().block.get(), &place}), name, g);
  if (!recording(g)) return y;
  return record(name, y, {&g}, [=](const Tensor& gg, Grads& grads) {
    grads.set(0, part_of(name, gg.contiguous(), view));
  });
}

/// The place of a view in its base, which is contiguous: a function for part_of() and placed().
struct PlaceInBase {
  Layout layout;  ///< its offset counted from the base's
  explicit PlaceInBase(const Tensor& view) : layout(view.layout()) {
    layout.offset -= view.impl().base->layout.offset;
  }
  Layout operator()(const Layout& base) const {
    Layout result = layout;
    result.offset += base.offset;
    return result;
  }
};

}  // namespace levin::inline v0

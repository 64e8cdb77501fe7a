// Tensor: the one type that a user holds. Memory and layout are here; operations are declared here
// and defined in autograd/, so that `(y - gt).pow(2).mean()` reads as it should.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "number.h"
#include "op_signature.h"
#include "tensor_impl.h"

namespace levin::inline v0 {

class HookHandle;
class Indices;
class TensorHook;

/// A handle to an n-dimensional array. Copying copies the handle: both see the same elements. A
/// const Tensor is a const handle, not const elements: in-place members (`add_`) are const. One
/// tensor may be read by several threads at once; writing, and recording a graph, is one thread's.
class Tensor {
 public:
  Tensor() = default;
  Tensor(const Tensor&) = default;
  Tensor(Tensor&&) = default;
  /// Makes the handle name another tensor. Not for a result: `x[0] = y` would change nothing; use
  /// copy_ or index_put_.
  Tensor& operator=(const Tensor&) & = default;
  Tensor& operator=(Tensor&&) & = default;

  bool defined() const { return static_cast<bool>(impl_); }
  const Shape& shape() const { return layout().shape; }
  /// Size of one dimension; negative ones count from the end. Throws std::out_of_range.
  int64_t size(int64_t dim) const;
  int64_t stride(int64_t dim) const;
  int dim() const { return layout().dim(); }
  int64_t numel() const { return impl().numel; }
  DType dtype() const { return layout().dtype; }
  Device device() const { return impl().block->device; }
  bool is_contiguous() const { return impl().contiguous; }
  /// Counts the writes to its memory, through any view.
  uint32_t version() const { return impl().block->version; }

  /// The only element, converted to T. Throws std::invalid_argument where there is not exactly one.
  template <class T = double>
  T item() const {
    return static_cast<T>(item_as_double());
  }
  /// All elements in row-major order, converted to T.
  template <class T>
  std::vector<T> to_vector() const;
  /// The elements to write to. T must be the element type, the tensor contiguous and on the CPU
  /// (std::invalid_argument); counts as a write.
  template <class T>
  T* data() const {
    T* const elements = static_cast<T*>(checked_data(DTypeOf<T>::value));
    Block& block = *impl().block;
    ++block.version;
    block.last_write = "data()";
    return elements;
  }
  /// The elements to read only; the same checks.
  template <class T>
  const T* const_data() const {
    return static_cast<const T*>(checked_data(DTypeOf<T>::value));
  }
  /// As PyTorch prints it.
  std::string text() const;

  // ---- Gradients (autograd/)
  bool requires_grad() const { return static_cast<bool>(impl().node); }
  bool is_leaf() const;
  /// Makes it a leaf that collects a gradient (or stops that; what it has collected stays). Throws
  /// std::logic_error for the result of an operation.
  const Tensor& requires_grad_(bool on = true) const;
  /// The gradient that backward() has added up, in a leaf or after retain_grad(); not defined
  /// before.
  Tensor grad() const;
  void set_grad(const Tensor& grad) const;
  /// Forgets the gradient, or sets it to zeros. Its memory is used again by the next backward().
  void zero_grad(bool set_to_none = true) const;
  /// Adds d this / d leaf to the gradient of every leaf that it depends on. A tensor of more than
  /// one element needs `gradient`, of its shape. A second call on one graph needs retain_graph in
  /// the first (std::logic_error); create_graph records the gradients themselves, whose history
  /// may hold the leaves: use grad(), or zero_grad() at the end, lest neither is ever freed.
  void backward(const Tensor& gradient = {}, bool retain_graph = false,
                bool create_graph = false) const;
  /// The same elements without history.
  Tensor detach() const;
  /// backward() keeps its gradient in grad(), though it is the result of an operation.
  void retain_grad() const;
  bool retains_grad() const;
  /// backward() and grad() call hook(gradient); post_accumulate: backward() calls hook(leaf) when the
  /// leaf's grad() is complete (autograd/hooks.h).
  HookHandle register_hook(TensorHook hook) const;
  HookHandle register_post_accumulate_grad_hook(TensorHook hook) const;

  // ---- Operations, group by group
#include "operations.inc"

  // ---- For the library's folders
  explicit Tensor(Ref<TensorImpl> impl) : impl_(std::move(impl)) {}
  /// Throws std::invalid_argument where the tensor is not defined.
  TensorImpl& impl() const {
    if (!impl_) [[unlikely]]
      fail_undefined();
    return *impl_;
  }
  const Layout& layout() const { return impl().layout; }
  bool is_same(const Tensor& other) const { return impl_.get() == other.impl_.get(); }
  /// Does nobody else hold this handle's tensor, or its memory?
  bool owned_alone() const { return impl_.unique() && impl_->block->owned_alone(); }

 private:
  [[noreturn]] static void fail_undefined();
  double item_as_double() const;
  void* checked_data(DType wanted) const;

  Ref<TensorImpl> impl_;
};

std::ostream& operator<<(std::ostream&, const Tensor&);

/// A new tensor, not initialised, of a shape that is known to be possible and has `numel` elements.
Tensor make_empty(const Shape& shape, int64_t numel, DType dtype, Device device);
/// A tensor over `block` with `layout`, without history.
Tensor make_tensor(Ref<Block> block, const Layout& layout);
/// A tensor of the same memory.
Tensor make_view(const Tensor& base, const Layout& layout);

}  // namespace levin::inline v0

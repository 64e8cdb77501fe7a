// Tensor: the one type that a user holds. Memory and layout are here; operations are declared here
// and defined in autograd/, so that `(y - gt).pow(2).mean()` reads as it should.
#pragma once

#include <concepts>
#include <iosfwd>
#include <string>
#include <vector>

#include "../kernels/block.h"
#include "../kernels/layout.h"
#include "node_base.h"
#include "number.h"
#include "op_signature.h"

namespace levin::inline v0 {

/// What a Tensor points to. Handles that are copies of each other share it.
struct TensorImpl {
  std::atomic<uint32_t> refs{1};
  /// Block::history when this handle last agreed with it: an in-place operation on another view
  /// moves that on.
  uint32_t history;
  /// Made by a view of another tensor.
  bool is_view = false;
  Ref<Block> block;
  Layout layout;
  /// The node that made it, or the leaf's node; null where no gradient is wanted.
  Ref<NodeBase> node;

  TensorImpl(Ref<Block> its_block, const Layout& its_layout)
      : history(its_block->history), block(std::move(its_block)), layout(its_layout) {}
  void release();
};

/// A handle to an n-dimensional array. Copying copies the handle: both see the same elements. A
/// const Tensor is a const handle, not const elements: in-place members (`add_`) are const. One
/// tensor may be read by several threads at once; writing, and recording a graph, is one thread's.
class Tensor {
 public:
  Tensor() = default;

  bool defined() const { return static_cast<bool>(impl_); }
  const Shape& shape() const { return layout().shape; }
  /// Size of one dimension; negative ones count from the end. Throws std::out_of_range.
  int64_t size(int64_t dim) const;
  int64_t stride(int64_t dim) const;
  int dim() const { return layout().dim(); }
  int64_t numel() const { return layout().numel(); }
  DType dtype() const { return layout().dtype; }
  Device device() const { return impl().block->device; }
  bool is_contiguous() const { return layout().contiguous(); }
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
    ++impl().block->version;
    return static_cast<T*>(checked_data(DTypeOf<T>::value));
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
  /// Makes it a leaf that collects a gradient (or stops that). Throws std::logic_error for the
  /// result of an operation.
  const Tensor& requires_grad_(bool on = true) const;
  /// The gradient that backward() has added up; not defined before.
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

  // ---- Elementwise (kernels/ops.def; autograd/ops_elementwise.cpp)
#define OP(name, Struct, arguments, parameters) \
  Tensor name(LEVIN_MEMBER_ARGUMENTS arguments parameters) const;
#define FORMULA(name, Struct, arguments, parameters)
#include "../kernels/ops.def"
#undef FORMULA
#undef OP
  /// this + alpha * other, broadcast.
  Tensor add(const Tensor& other, Number alpha = 1) const;
  Tensor add(Number other, Number alpha = 1) const;
  Tensor sub(const Tensor& other, Number alpha = 1) const;
  Tensor sub(Number other, Number alpha = 1) const;
  Tensor mul(const Tensor& other) const;
  Tensor mul(Number other) const;
  /// True division: integers give float32.
  Tensor div(const Tensor& other) const;
  Tensor div(Number other) const;
  Tensor pow(const Tensor& exponent) const;
  Tensor pow(Number exponent) const;
  Tensor maximum(const Tensor& other) const;
  Tensor minimum(const Tensor& other) const;
  /// min(max(this, low), high); a bound that is left out is not applied.
  Tensor clamp(Number low, Number high) const;
  Tensor clamp_min(Number low) const;
  Tensor clamp_max(Number high) const;
  /// Comparisons give bool tensors.
  Tensor eq(const Tensor& other) const;
  Tensor eq(Number other) const;
  Tensor ne(const Tensor& other) const;
  Tensor ne(Number other) const;
  Tensor lt(const Tensor& other) const;
  Tensor lt(Number other) const;
  Tensor le(const Tensor& other) const;
  Tensor le(Number other) const;
  Tensor gt(const Tensor& other) const;
  Tensor gt(Number other) const;
  Tensor ge(const Tensor& other) const;
  Tensor ge(Number other) const;

  // ---- In place (autograd/ops_inplace.cpp)
  const Tensor& add_(const Tensor& other, Number alpha = 1) const;
  const Tensor& add_(Number other) const;
  const Tensor& sub_(const Tensor& other, Number alpha = 1) const;
  const Tensor& sub_(Number other) const;
  const Tensor& mul_(const Tensor& other) const;
  const Tensor& mul_(Number other) const;
  const Tensor& div_(const Tensor& other) const;
  const Tensor& div_(Number other) const;
  const Tensor& relu_() const;
  const Tensor& copy_(const Tensor& source) const;
  const Tensor& fill_(Number value) const;
  const Tensor& zero_() const;

  // ---- Reductions (autograd/ops_reduce.cpp)
  /// Over everything, or over `dims`; integers and bool are summed as int64.
  Tensor sum() const;
  Tensor sum(const Shape& dims, bool keepdim = false) const;
  template <std::integral Dim>
  Tensor sum(Dim dim, bool keepdim = false) const {
    return sum(Shape{static_cast<int64_t>(dim)}, keepdim);
  }
  Tensor mean() const;
  Tensor mean(const Shape& dims, bool keepdim = false) const;
  template <std::integral Dim>
  Tensor mean(Dim dim, bool keepdim = false) const {
    return mean(Shape{static_cast<int64_t>(dim)}, keepdim);
  }
  /// Mean squared deviation, divided by max(0, count - correction).
  Tensor var(const Shape& dims = {}, double correction = 1, bool keepdim = false) const;
  /// Largest, smallest element; tied elements share the gradient. NaN wins.
  Tensor max() const;
  Tensor min() const;
  Tensor amax(const Shape& dims = {}, bool keepdim = false) const;
  Tensor amin(const Shape& dims = {}, bool keepdim = false) const;
  /// Largest (smallest) elements along `dim` and the int64 positions of the first of them, which
  /// gets the gradient.
  std::pair<Tensor, Tensor> max(int64_t dim, bool keepdim = false) const;
  std::pair<Tensor, Tensor> min(int64_t dim, bool keepdim = false) const;
  /// int64 position of the first largest (smallest), of all elements or along `dim`.
  Tensor argmax() const;
  Tensor argmax(int64_t dim, bool keepdim = false) const;
  Tensor argmin() const;
  Tensor argmin(int64_t dim, bool keepdim = false) const;

  // ---- Views and shape (autograd/ops_shape.cpp)
  /// Views share memory; gradients flow through them.
  Tensor view(const Shape& shape) const;
  Tensor transpose(int64_t dim0, int64_t dim1) const;
  /// Of a matrix (or vector): its transpose.
  Tensor t() const;
  Tensor permute(const Shape& dims) const;
  /// Repeats dimensions of size 1; -1 keeps a size.
  Tensor expand(const Shape& shape) const;
  Tensor squeeze() const;
  Tensor squeeze(int64_t dim) const;
  Tensor unsqueeze(int64_t dim) const;
  /// Elements start, start + step, .. below end along `dim`; negative bounds count from the end.
  Tensor slice(int64_t dim, int64_t start, int64_t end, int64_t step = 1) const;
  Tensor narrow(int64_t dim, int64_t start, int64_t length) const;
  Tensor select(int64_t dim, int64_t index) const;
  /// select(0, index)
  Tensor operator[](int64_t index) const { return select(0, index); }
  /// A view where the layout allows it, else a copy. One size may be -1.
  Tensor reshape(const Shape& shape) const;
  Tensor flatten(int64_t start_dim = 0, int64_t end_dim = -1) const;
  /// Itself where it is contiguous, else a contiguous copy.
  Tensor contiguous() const;
  Tensor clone() const;
  Tensor to(DType dtype) const;
  Tensor to(Device device) const;

  // ---- Products, softmax, indexing (autograd/ops_matmul.cpp, ops_softmax.cpp, ops_index.cpp)
  Tensor matmul(const Tensor& other) const;
  Tensor softmax(int64_t dim) const;
  Tensor log_softmax(int64_t dim) const;
  /// out[i][j] = this[i][index[i][j]] for dim 1
  Tensor gather(int64_t dim, const Tensor& index) const;
  /// Whole slices: index is a vector of positions along `dim`.
  Tensor index_select(int64_t dim, const Tensor& index) const;

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

/// A tensor over `block` with `layout`, without history.
Tensor make_tensor(Ref<Block> block, const Layout& layout);
/// A tensor of the same memory.
Tensor make_view(const Tensor& base, const Layout& layout);

}  // namespace levin::inline v0

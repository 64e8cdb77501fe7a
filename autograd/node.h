// Node: one recorded operation. How operations record themselves, and what they keep for their
// derivative.
#pragma once

#include <initializer_list>
#include <new>
#include <vector>

#include "../kernels/backend.h"
#include "../tensor/factories.h"
#include "../tensor/tensor.h"
#include "grad_mode.h"

namespace levin::inline v0 {

class Grads;
struct Inspector;
struct Node;
struct NodeHooks;

/// What the nodes of one operation have in common; a leaf has none of it.
struct NodeType {
  void (*run)(Node*, const Tensor& g, Grads&) = nullptr;
  void (*drop_saved)(Node*) = nullptr;
  void (*inspect)(const Node*, Inspector&) = nullptr;  ///< for explain()
};

/// A recorded operation, or a leaf. Made by record(); held by the tensor that it made and by the
/// nodes that use it.
struct Node : NodeBase {
  const NodeType* type;
  const char* name;
  bool is_leaf = false;
  bool released = false;  ///< what it saved is gone: backward has run through it
  bool gave_nan = false;  ///< its output held NaN; only AnomalyMode looks
  DType dtype;            ///< of its output, as device and shape
  Device device;
  int edge_count = 0;
  Ref<NodeBase>* edges;  ///< the nodes of its inputs; null where an input wants no gradient
  uint32_t bytes;
  Shape shape;
  uint64_t number;             ///< nodes of one thread are numbered as they are recorded
  NodeHooks* hooks = nullptr;  ///< null where there are none (hooks.h)
  Node* next_dead;

  // The engine's, during a run (0: in none).
  uint64_t in_run = 0;
  uint32_t waiting;  ///< gradients still to come
  bool needed;       ///< leads to something whose gradient is asked for
  int capture;       ///< whose gradient goes to result number `capture`
  Tensor grad;

  Node* edge(int i) const { return static_cast<Node*>(edges[i].get()); }
};

/// The end of a graph: collects the gradient of a tensor that requires one.
struct LeafNode : Node {
  Tensor collected;
  bool fresh = true;  ///< zero_grad() was called: the next gradient overwrites `collected`
};

/// The node that collects a tensor's gradient; null where it is no leaf, or wants no gradient.
inline LeafNode* leaf_of(const Tensor& tensor) {
  auto* node = static_cast<Node*>(tensor.impl().node.get());
  return node && node->is_leaf ? static_cast<LeafNode*>(node) : nullptr;
}

/// What a backward function gets besides its gradient: which gradients are wanted, and where they
/// go.
class Grads {
 public:
  /// is_last: what the node saved is released afterwards.
  explicit Grads(Node* node, bool is_last = false) : node_(node), is_last_(is_last) {
    if (node->edge_count > kInline) more_.resize(node->edge_count);
  }

  /// Is the gradient of input i wanted? Others need not be computed.
  bool wants(int i) const {
    const Node* edge = node_->edge(i);
    return edge && edge->needed && edge->in_run == node_->in_run;
  }
  /// The gradient of input i, of the input's shape. Not calling it means zero.
  void set(int i, Tensor grad) { result(i) = std::move(grad); }
  /// Memory for input i's gradient, to be written and then given to set(): that of a parameter's
  /// last gradient where nobody else holds it, else a new tensor.
  Tensor out(int i) const;
  const Shape& shape(int i) const { return node_->edge(i)->shape; }
  DType dtype(int i) const { return node_->edge(i)->dtype; }
  const Node* node() const { return node_; }
  /// Does the node run for the last time? Then it may give away what it saved.
  bool is_last() const { return is_last_; }
  Tensor& result(int i) { return node_->edge_count > kInline ? more_[i] : inline_[i]; }

 private:
  static constexpr int kInline = 4;
  Node* node_;
  bool is_last_;
  Tensor inline_[kInline];
  std::vector<Tensor> more_;
};

/// A tensor as it is now, kept for a derivative: memory, layout, version and node, never the
/// handle. Reading it after the memory was changed in place throws std::logic_error.
class Saved {
 public:
  Saved() = default;
  explicit Saved(const Tensor& tensor)
      : block_(tensor.impl().block),
        layout_(tensor.layout()),
        version_(block_->version),
        node_(tensor.impl().node) {}
  Saved(const Saved& other) {
    *this = other;
    if (thread_state().inspector) [[unlikely]]
      show();
  }
  Saved(Saved&&) = default;
  Saved& operator=(const Saved&) = default;
  Saved& operator=(Saved&&) = default;
  /// The tensor with its history, for a derivative that is recorded itself.
  Tensor tensor(const Grads& grads) const;
  /// The operand of a kernel.
  Arg arg(const Grads& grads) const {
    if (block_->version != version_) [[unlikely]]
      fail_changed(grads);
    return {block_.get(), &layout_};
  }
  const Layout& layout() const { return layout_; }

 protected:
  [[noreturn]] void fail_changed(const Grads& grads) const;
  void show() const;  // to explain()
  Ref<Block> block_;
  Layout layout_;
  uint32_t version_ = 0;
  bool is_output_ = false;
  Ref<NodeBase> node_;
};

/// An operation's own output, kept without its node: nothing owns itself.
class SavedOutput : public Saved {
 public:
  SavedOutput() = default;
  explicit SavedOutput(const Tensor& tensor) : Saved(tensor) { node_ = {}, is_output_ = true; }
};

/// For a view whose memory a recorded operation changed through another handle: its history is made
/// anew from its base. Throws std::logic_error where that is not possible.
void renew_view(const Tensor& view);

/// Does the tensor want a gradient?
inline bool has_history(const Tensor& tensor) {
  const TensorImpl& impl = tensor.impl();
  if (impl.history < impl.block->history) [[unlikely]]
    renew_view(tensor);
  return static_cast<bool>(impl.node);
}

/// Is history recorded for an operation on these inputs?
template <class... Tensors>
bool recording(const Tensors&... inputs) {
  return thread_state().grad_enabled && (int{has_history(inputs)} | ...) != 0;
}

void destroy_node(NodeBase* node);
/// Makes `node` that of `output`, with its edges in `memory`.
void attach_node(Node* node, const char* name, const Tensor& output, const Tensor* const* inputs,
                 int count, void* memory);
/// Tells the captured step that records that the leaf's gradient was made or forgotten.
void note_leaf(LeafNode* leaf);
/// May a leaf's gradient go to new memory, that of `grad`, which is large? Not in recorded steps.
bool may_move(const Tensor& gradient, const Tensor& grad);
/// Looks for NaN in a node's output, for AnomalyMode.
void note_nan(Node* node, const Tensor& output);

template <class Kept>
struct OpNode : Node {
  alignas(Kept) std::byte saved[sizeof(Kept)];
  Kept* function() { return std::launder(reinterpret_cast<Kept*>(saved)); }

  static void run_it(Node* self, const Tensor& g, Grads& grads) {
    (*static_cast<OpNode*>(self)->function())(g, grads);
  }
  static void drop_it(Node* self) { static_cast<OpNode*>(self)->function()->~Kept(); }
  static void inspect_it(const Node* self, Inspector& inspector) {
    Kept& kept = *static_cast<OpNode*>(const_cast<Node*>(self))->function();
    if constexpr (std::is_copy_constructible_v<Kept>) Kept{kept};  // each Saved shows itself
    if constexpr (requires { kept.describe(inspector); }) kept.describe(inspector);
  }
  static constexpr NodeType kType = {run_it, drop_it, inspect_it};
};

/// record() with a backward function that is made in the node.
template <class Kept, class... Arguments>
void record_as(const char* name, const Tensor& output, const Tensor* const* inputs, int count,
               Arguments&&... arguments) {
  static_assert(sizeof(OpNode<Kept>) % alignof(Ref<NodeBase>) == 0);
  const std::size_t bytes = sizeof(OpNode<Kept>) + count * sizeof(Ref<NodeBase>);
  void* memory = take_small(bytes);
  auto* node = new (memory) OpNode<Kept>;
  new (node->saved) Kept(std::forward<Arguments>(arguments)...);
  node->type = &OpNode<Kept>::kType;
  node->bytes = static_cast<uint32_t>(bytes);
  attach_node(node, name, output, inputs, count, node + 1);
}

/// Makes `output` the result of an operation on `inputs`. backward(g, grads) gets the gradient g of
/// the output and sets those of the inputs that grads.wants(i), in order; it keeps what it needs by
/// Saved and SavedOutput. A custom operation:
///
///     Tensor cube(const Tensor& x) {
///       Tensor y;
///       {
///         NoGrad no_grad;
///         y = x * x * x;
///       }
///       if (!recording(x)) return y;
///       return record("cube", y, {&x}, [x = Saved(x)](const Tensor& g, Grads& grads) {
///         grads.set(0, g * 3 * x.tensor(grads).square());
///       });
///     }
template <class Backward>
Tensor record(const char* name, Tensor output, const Tensor* const* inputs, int count,
              Backward&& backward) {
  record_as<std::remove_cvref_t<Backward>>(name, output, inputs, count,
                                           std::forward<Backward>(backward));
  return output;
}

template <class Backward>
Tensor record(const char* name, Tensor output, std::initializer_list<const Tensor*> inputs,
              Backward&& backward) {
  record_as<std::remove_cvref_t<Backward>>(name, output, inputs.begin(),
                                           static_cast<int>(inputs.size()),
                                           std::forward<Backward>(backward));
  return output;
}

}  // namespace levin::inline v0

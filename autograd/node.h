// Node: one recorded operation. How operations record themselves, and what they keep for their
// derivative.
#pragma once

#include <initializer_list>
#include <new>
#include <vector>

#include "../kernels/backend.h"
#include "../kernels/thread_state.h"
#include "../tensor/factories.h"
#include "../tensor/tensor.h"

namespace levin::inline v0 {

class Grads;
struct Inspector;
struct NodeHooks;

/// A recorded operation, or a leaf. Made by record(); held by the tensor that it made and by the
/// nodes that use it.
struct Node : NodeBase {
  const char* name;
  bool is_leaf = false;
  bool released = false;  ///< what it saved is gone: backward has run through it
  int edge_count = 0;
  Ref<NodeBase>* edges =
      nullptr;  ///< the nodes of its inputs; null where an input wants no gradient
  Shape shape;  ///< of its output
  DType dtype;
  Device device;
  void (*run)(Node*, const Tensor& g, Grads&) = nullptr;
  void (*drop_saved)(Node*) = nullptr;
  std::size_t bytes = 0;
  Node* next_dead = nullptr;
  uint64_t number = 0;         ///< nodes of one thread are numbered as they are recorded
  NodeHooks* hooks = nullptr;  ///< null where there are none (hooks.h)
  bool gave_nan = false;       ///< its output held NaN; only AnomalyMode looks
  void (*inspect)(const Node*, Inspector&) = nullptr;  ///< for explain()

  // The engine's, during a run (0: in none).
  uint64_t in_run = 0;
  uint32_t waiting = 0;  ///< gradients still to come
  bool needed = false;   ///< leads to something whose gradient is asked for
  int capture = -1;      ///< whose gradient goes to result number `capture`
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
  explicit Grads(Node* node) : node_(node) {
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
  Tensor& result(int i) { return node_->edge_count > kInline ? more_[i] : inline_[i]; }

 private:
  static constexpr int kInline = 4;
  Node* node_;
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
  Tensor tensor(const Grads& grads) const;
};

/// No history is recorded on this thread while it lives.
class NoGrad {
 public:
  NoGrad() : before_(thread_state().grad_enabled) { thread_state().grad_enabled = false; }
  ~NoGrad() { thread_state().grad_enabled = before_; }
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

/// History is recorded again, inside a NoGrad.
class EnableGrad {
 public:
  EnableGrad() : before_(thread_state().grad_enabled) { thread_state().grad_enabled = true; }
  ~EnableGrad() { thread_state().grad_enabled = before_; }
  EnableGrad(const EnableGrad&) = delete;
  EnableGrad& operator=(const EnableGrad&) = delete;

 private:
  bool before_;
};

inline bool is_grad_enabled() { return thread_state().grad_enabled; }

/// For a view whose memory a recorded operation changed through another handle: its history is made
/// anew from its base. Throws std::logic_error where that is not possible.
void renew_view(const Tensor& view);

/// Is history recorded for an operation on these inputs?
template <class... Tensors>
bool recording(const Tensors&... inputs) {
  if (!thread_state().grad_enabled) return false;
  bool wanted = false;
  const auto look = [&](const Tensor& input) {
    const TensorImpl& impl = input.impl();
    if (impl.history < impl.block->history) [[unlikely]]
      renew_view(input);
    wanted |= static_cast<bool>(impl.node);
  };
  (look(inputs), ...);
  return wanted;
}

/// Memory for a node with `edges` edges behind an object of `size` bytes.
void destroy_node(NodeBase* node);
void set_edges(Node* node, const Tensor* const* inputs, int count, void* memory);
/// Looks for NaN in a node's output, for AnomalyMode.
void note_nan(Node* node, const Tensor& output);

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
  using Kept = std::remove_cvref_t<Backward>;
  struct OpNode : Node {
    alignas(Kept) std::byte saved[sizeof(Kept)];
    Kept* function() { return std::launder(reinterpret_cast<Kept*>(saved)); }
  };
  constexpr std::size_t kEdgesAt = (sizeof(OpNode) + alignof(Ref<NodeBase>) - 1) /
                                   alignof(Ref<NodeBase>) * alignof(Ref<NodeBase>);
  const std::size_t bytes = kEdgesAt + count * sizeof(Ref<NodeBase>);
  void* memory = take_small(bytes);
  auto* node = new (memory) OpNode;
  new (node->saved) Kept(std::forward<Backward>(backward));
  node->destroy = destroy_node;
  node->name = name;
  node->bytes = bytes;
  node->shape = output.shape();
  node->dtype = output.dtype();
  node->device = output.device();
  node->run = [](Node* self, const Tensor& g, Grads& grads) {
    (*static_cast<OpNode*>(self)->function())(g, grads);
  };
  node->drop_saved = [](Node* self) { static_cast<OpNode*>(self)->function()->~Kept(); };
  node->inspect = [](const Node* self, Inspector& inspector) {
    Kept& kept = *static_cast<OpNode*>(const_cast<Node*>(self))->function();
    if constexpr (std::is_copy_constructible_v<Kept>) Kept{kept};  // each Saved shows itself
    if constexpr (requires { kept.describe(inspector); }) kept.describe(inspector);
  };
  set_edges(node, inputs, count, static_cast<std::byte*>(memory) + kEdgesAt);
  output.impl().node = Ref<NodeBase>::adopt(node);
  if (thread_state().detect_anomaly) note_nan(node, output);
  return output;
}

template <class Backward>
Tensor record(const char* name, Tensor output, std::initializer_list<const Tensor*> inputs,
              Backward&& backward) {
  return record(name, std::move(output), inputs.begin(), static_cast<int>(inputs.size()),
                std::forward<Backward>(backward));
}

}  // namespace levin::inline v0

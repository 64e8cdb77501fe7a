// Leaves: tensors that collect a gradient.
#include "hooks.h"
#include "launch.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

// What holds a tensor's gradient; also where requires_grad_(false) has turned it off.
LeafNode* holder_of(const Tensor& tensor) {
  auto* resting = static_cast<LeafNode*>(tensor.impl().resting.get());
  return resting ? resting : leaf_of(tensor);
}

// Where retain_grad() keeps that of an operation's result; null where it does not.
Tensor* retained_by(const Tensor& tensor) {
  const auto* node = static_cast<Node*>(tensor.impl().node.get());
  return node && node->hooks && node->hooks->retains_grad ? &node->hooks->retained : nullptr;
}

}  // namespace

bool Tensor::is_leaf() const { return !impl().node || leaf_of(*this); }

const Tensor& Tensor::requires_grad_(bool on) const {
  if (!is_leaf())
    fail(Fault::order,
         {"requires_grad_: the result of ", static_cast<Node*>(impl().node.get())->name,
          " has a history: only leaves can be told, use detach()"});
  if (on == requires_grad()) return *this;
  doubt_captured_steps();
  TensorImpl& impl = this->impl();
  if (!on) {
    impl.resting = std::move(impl.node);
    return *this;
  }
  if (impl.resting) {
    impl.node = std::move(impl.resting);
    return *this;
  }
  check(is_floating(dtype()),
        {"requires_grad_: a ", dtype(), " tensor: only floating types have gradients"});
  static constexpr NodeType kLeaf;
  auto* leaf = new (take_small(sizeof(LeafNode))) LeafNode;
  leaf->destroy = destroy_node;
  leaf->type = &kLeaf;
  leaf->name = "leaf";
  leaf->is_leaf = true;
  leaf->bytes = sizeof(LeafNode);
  leaf->shape = shape();
  leaf->dtype = dtype();
  leaf->device = device();
  leaf->number = thread_state().next_serial++;
  impl.node = Ref<NodeBase>::adopt(leaf);
  return *this;
}

Tensor Tensor::grad() const {
  if (const Tensor* retained = retained_by(*this)) return *retained;
  const LeafNode* leaf = holder_of(*this);
  return leaf && !leaf->fresh ? leaf->collected : Tensor();
}

void Tensor::set_grad(const Tensor& grad) const {
  LeafNode* leaf = holder_of(*this);
  if (!leaf)
    fail(Fault::order,
         {"set_grad: a tensor of shape ", shape(), " is no leaf that requires a gradient"});
  check(!grad.defined() || (grad.shape() == shape() && grad.dtype() == dtype()),
        {"set_grad: a gradient of another shape or type for a ", dtype(), " tensor of shape ",
         shape()});
  if (grad.defined()) check_same_device("set_grad", *this, grad);
  doubt_captured_steps();
  leaf->collected = grad.defined() ? grad.contiguous() : grad;  // it will be added to
  leaf->fresh = !grad.defined();
}

void Tensor::zero_grad(bool set_to_none) const {
  if (Tensor* retained = retained_by(*this); retained && retained->defined())
    *retained = set_to_none ? Tensor() : zeros_like(*retained);
  LeafNode* leaf = holder_of(*this);
  if (!leaf || leaf->fresh) return;
  if (set_to_none) {
    if (leaf->collected.requires_grad()) leaf->collected = {};  // its history goes too
    leaf->fresh = true;
    if (thread_state().touched_leaves) note_leaf(leaf);
    return;
  }
  if (leaf->collected.requires_grad()) leaf->collected = leaf->collected.detach();
  leaf->collected.zero_();
}

}  // namespace levin::inline v0

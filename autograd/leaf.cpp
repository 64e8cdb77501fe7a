// Leaves: tensors that collect a gradient.
#include "launch.h"
#include "ops.h"

namespace levin::inline v0 {
bool Tensor::is_leaf() const { return !impl().node || leaf_of(*this); }

const Tensor& Tensor::requires_grad_(bool on) const {
  if (!is_leaf())
    fail(Fault::order,
         {"requires_grad_: the result of ", static_cast<Node*>(impl().node.get())->name,
          " has a history: only leaves can be told, use detach()"});
  if (on == requires_grad()) return *this;
  if (!on) {
    impl().node = {};
    return *this;
  }
  check(is_floating(dtype()),
        {"requires_grad_: a ", dtype(), " tensor: only floating types have gradients"});
  auto* leaf = new (take_small(sizeof(LeafNode))) LeafNode;
  leaf->destroy = destroy_node;
  leaf->name = "leaf";
  leaf->is_leaf = true;
  leaf->bytes = sizeof(LeafNode);
  leaf->shape = shape();
  leaf->dtype = dtype();
  leaf->device = device();
  impl().node = Ref<NodeBase>::adopt(leaf);
  return *this;
}

Tensor Tensor::grad() const {
  const LeafNode* leaf = leaf_of(*this);
  return leaf && !leaf->fresh ? leaf->collected : Tensor();
}

void Tensor::set_grad(const Tensor& grad) const {
  LeafNode* leaf = leaf_of(*this);
  if (!leaf)
    fail(Fault::order,
         {"set_grad: a tensor of shape ", shape(), " is no leaf that requires a gradient"});
  check(!grad.defined() || (grad.shape() == shape() && grad.dtype() == dtype()),
        {"set_grad: a gradient of another shape or type for a ", dtype(), " tensor of shape ",
         shape()});
  leaf->collected = grad.defined() ? grad.contiguous() : grad;  // it will be added to
  leaf->fresh = !grad.defined();
}

void Tensor::zero_grad(bool set_to_none) const {
  LeafNode* leaf = leaf_of(*this);
  if (!leaf || leaf->fresh) return;
  if (set_to_none) {
    if (leaf->collected.requires_grad()) leaf->collected = {};  // its history goes too
    leaf->fresh = true;
    return;
  }
  if (leaf->collected.requires_grad()) leaf->collected = leaf->collected.detach();
  leaf->collected.zero_();
}

}  // namespace levin::inline v0

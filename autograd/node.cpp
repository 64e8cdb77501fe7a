#include "node.h"

#include "../kernels/check.h"
#include "hooks.h"

namespace levin::inline v0 {
namespace {

void free_node(Node* node) {
  if (!node->released && node->type->drop_saved) node->type->drop_saved(node);
  for (int i = 0; i < node->edge_count; ++i) node->edges[i].~Ref();
  delete node->hooks;
  const std::size_t bytes = node->bytes;
  if (node->is_leaf)
    static_cast<LeafNode*>(node)->~LeafNode();
  else
    node->~Node();
  give_small(node, bytes);
}

}  // namespace

// A long chain must not recurse: nodes that die while one is being freed wait in a list.
void destroy_node(NodeBase* base) {
  ThreadState& thread = thread_state();
  auto* node = static_cast<Node*>(base);
  if (thread.destroying) {
    node->next_dead = static_cast<Node*>(thread.dead_nodes);
    thread.dead_nodes = node;
    return;
  }
  thread.destroying = true;
  free_node(node);
  while (auto* dead = static_cast<Node*>(thread.dead_nodes)) {
    thread.dead_nodes = dead->next_dead;
    free_node(dead);
  }
  thread.destroying = false;
}

void attach_node(Node* node, const char* name, const Tensor& output, const Tensor* const* inputs,
                 int count, void* memory) {
  TensorImpl& made = output.impl();
  node->destroy = destroy_node;
  node->name = name;
  node->dtype = made.layout.dtype;
  node->device = made.block->device;
  node->shape = made.layout.shape;
  node->number = thread_state().next_serial++;
  node->edge_count = count;
  node->edges = static_cast<Ref<NodeBase>*>(memory);
  for (int i = 0; i < count; ++i) new (node->edges + i) Ref<NodeBase>(inputs[i]->impl().node);
  made.node = Ref<NodeBase>::adopt(node);
  if (thread_state().detect_anomaly) [[unlikely]]
    note_nan(node, output);
}

void Saved::fail_changed(const Grads& grads) const {
  fail(Fault::order, {"backward of ", grads.node()->name, ": a tensor of shape ", layout_.shape,
                      " that it needs was changed in place by ", block_->last_write, " (version ",
                      static_cast<int64_t>(version_), " was saved, it is at ",
                      static_cast<int64_t>(block_->version),
                      "): use the operation that is not in place, or clone()"});
}

Tensor Saved::tensor(const Grads& grads) const {
  if (block_->version != version_) fail_changed(grads);
  Tensor tensor = make_tensor(block_, layout_);
  if (!is_output_)
    tensor.impl().node = node_;
  else if (is_grad_enabled())
    tensor.impl().node = Ref<NodeBase>(const_cast<Node*>(grads.node()));
  return tensor;
}

Tensor Grads::out(int i) const {
  Node* edge = node_->edge(i);
  if (edge->is_leaf && edge->capture < 0 && !is_grad_enabled()) {
    auto* leaf = static_cast<LeafNode*>(edge);
    const Tensor& last = leaf->collected;
    if (leaf->fresh && last.defined() && last.owned_alone() && last.is_contiguous()) {
      ++last.impl().block->version;
      return std::move(leaf->collected);
    }
  }
  return empty(edge->shape, edge->dtype, edge->device);
}

bool may_move(const Tensor& gradient, const Tensor& grad) {
  constexpr int64_t kLarge = 65536;  // elements: a copy of 256 KiB takes longer than new memory
  return grad.numel() >= kLarge && grad.owned_alone() && grad.is_contiguous() &&
         !thread_state().touched_leaves && gradient.impl().block->recorded == 0;
}

}  // namespace levin::inline v0

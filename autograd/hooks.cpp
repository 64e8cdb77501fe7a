#include "hooks.h"

#include <algorithm>

#include "../kernels/check.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

Node* node_of(const Tensor& tensor) { return static_cast<Node*>(tensor.impl().node.get()); }

NodeHooks& hooks_of(const char* operation, const Tensor& tensor) {
  if (tensor.impl().history < tensor.impl().block->history) renew_view(tensor);
  Node* node = node_of(tensor);
  check(node, {operation, ": a tensor of shape ", tensor.shape(), " that requires no gradient"});
  if (!node->hooks) node->hooks = new NodeHooks;
  return *node->hooks;
}

HookHandle add_to(const std::shared_ptr<HookList>& list, TensorHook hook) {
  doubt_captured_steps();
  const auto& added = list->emplace_back(std::make_shared<const TensorHook>(std::move(hook)));
  return HookHandle(list, added);
}

}  // namespace

void HookHandle::remove() {
  const auto list = list_.lock();
  const auto hook = hook_.lock();
  doubt_captured_steps();
  if (list && hook) list->erase(std::remove(list->begin(), list->end(), hook), list->end());
}

HookHandle Tensor::register_hook(TensorHook hook) const {
  return add_to(hooks_of("register_hook", *this).hooks, std::move(hook));
}

HookHandle Tensor::register_post_accumulate_grad_hook(TensorHook hook) const {
  constexpr const char* kName = "register_post_accumulate_grad_hook";
  NodeHooks& hooks = hooks_of(kName, *this);
  if (!is_leaf())
    fail(Fault::order, {kName, ": the result of ", node_of(*this)->name,
                        " is no leaf: only leaves accumulate, use register_hook()"});
  hooks.block = impl().block;
  hooks.layout = layout();
  return add_to(hooks.post_accumulate, std::move(hook));
}

void Tensor::retain_grad() const {
  NodeHooks& hooks = hooks_of("retain_grad", *this);
  hooks.retains_grad = !is_leaf();  // a leaf does so anyway
}

bool Tensor::retains_grad() const {
  const Node* node = node_of(*this);
  return node && node->hooks && node->hooks->retains_grad;
}

void call_hooks(Node* node, Tensor* g) {
  if (!g->defined()) return;
  const HookList hooks = *node->hooks->hooks;  // a hook may add and remove hooks
  for (const auto& hook : hooks) {
    Tensor changed = (*hook)(*g);
    if (!changed.defined()) continue;
    check(changed.shape() == node->shape && changed.dtype() == node->dtype,
          {"a hook of ", node->name, ": it gave a ", changed.dtype(), " gradient of shape ",
           changed.shape(), " for a ", node->dtype, " tensor of shape ", node->shape});
    *g = std::move(changed);
  }
  if (!node->hooks->retains_grad) return;
  Tensor& retained = node->hooks->retained;
  retained = retained.defined() ? retained + *g : *g;
}

void call_post_accumulate_hooks(Node* leaf) {
  const HookList hooks = *leaf->hooks->post_accumulate;
  if (hooks.empty()) return;
  Tensor tensor = make_tensor(leaf->hooks->block, leaf->hooks->layout);
  tensor.impl().node = Ref<NodeBase>(leaf);
  for (const auto& hook : hooks) (*hook)(tensor);
}

void move_retain_grad(Node* from, Node* to) {
  if (!from || !to || !from->hooks || !from->hooks->retains_grad) return;
  if (!to->hooks) to->hooks = new NodeHooks;
  to->hooks->retains_grad = true;
  from->hooks->retains_grad = false;
}

}  // namespace levin::inline v0

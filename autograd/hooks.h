// Hooks: functions that see, and may change, gradients while backward() and grad() run.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "node.h"

namespace levin::inline v0 {

/// A function of a gradient that gives what takes its place: undefined (or nothing) leaves it.
///
///     x.register_hook([](const Tensor& g) { return g * 2; });
///     w.register_post_accumulate_grad_hook([](const Tensor& w) { w.grad().clamp_(-1, 1); });
///
/// Hooks of one tensor run in the order of their registration, each on what the one before gave,
/// once all parts of the gradient are added up; then retain_grad() keeps it, grad() gives it out or
/// the leaf adds it, and at last the post-accumulate hooks run. Hooks are not called for gradients
/// that are not defined. They must not change their argument in place. Whether operations in them
/// are recorded is up to create_graph. What a hook throws comes out of backward().
class TensorHook {
 public:
  template <class F>
  requires std::invocable<F&, const Tensor&> TensorHook(F f) {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, const Tensor&>>)
      function_ = [f = std::move(f)](const Tensor& g) mutable { return f(g), Tensor(); };
    else
      function_ = std::move(f);
  }
  Tensor operator()(const Tensor& tensor) const { return function_(tensor); }

 private:
  std::function<Tensor(const Tensor&)> function_;
};

/// Hooks in their order.
using HookList = std::vector<std::shared_ptr<const TensorHook>>;

/// Takes a hook away again. Holds nothing alive.
class HookHandle {
 public:
  HookHandle() = default;
  HookHandle(const std::shared_ptr<HookList>& list, std::weak_ptr<const TensorHook> hook)
      : list_(list), hook_(std::move(hook)) {}
  void remove();

 private:
  std::weak_ptr<HookList> list_;
  std::weak_ptr<const TensorHook> hook_;
};

/// What a node has where somebody asked for hooks.
struct NodeHooks {
  std::shared_ptr<HookList> hooks = std::make_shared<HookList>();
  std::shared_ptr<HookList> post_accumulate = std::make_shared<HookList>();
  // The leaf, for post_accumulate: its memory, since a handle would hold the node that holds it.
  Ref<Block> block;
  Layout layout;
  bool retains_grad = false;
  Tensor retained;
};

/// For the engine: changes the gradient as the hooks say, and keeps it where retain_grad() says so.
void call_hooks(Node* node, Tensor* g);
void call_post_accumulate_hooks(Node* leaf);
/// For operations in place: `to` keeps its gradient where `from` would have.
void move_retain_grad(Node* from, Node* to);

}  // namespace levin::inline v0

#include "engine.h"

#include <atomic>
#include <memory>
#include <utility>

#include "../kernels/backend.h"
#include "../kernels/check.h"
#include "anomaly.h"
#include "autocast.h"
#include "hooks.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

Node* node_of(const Tensor& tensor) { return static_cast<Node*>(tensor.impl().node.get()); }

// A node's engine fields that an inner run (a backward inside a backward) has to give back.
struct Overwritten {
  Ref<NodeBase> node;
  uint64_t in_run;
  uint32_t waiting;
  bool needed;
  int capture;
  Tensor grad;
};

// The lists of one run; kept by the thread, so that a steady step allocates nothing.
struct Lists {
  std::vector<std::pair<Node*, int>> path;
  std::vector<Ref<NodeBase>> ready;
  std::vector<Overwritten> overwritten;
};

// Stamps stay in the nodes when a run is over, so no two runs of any threads may have the same.
uint64_t first_stamp() {
  static constinit std::atomic<uint64_t> threads{0};
  return ++threads << 40;
}

struct ThreadEngine {
  uint64_t last_stamp = first_stamp();
  int active = 0;  // runs that have not ended
  std::vector<std::unique_ptr<Lists>> idle;
};

ThreadEngine& thread_engine() {
  ThreadState& thread = thread_state();
  if (!thread.engine) {
    thread.engine = new ThreadEngine;
    thread.free_engine = [](void* engine) { delete static_cast<ThreadEngine*>(engine); };
  }
  return *static_cast<ThreadEngine*>(thread.engine);
}

// One backward pass. Nodes are run last-in first-out, so the order depends on the graph alone.
class Run {
 public:
  // results: of captured nodes; null: leaves collect. partial: nothing goes on behind captured nodes.
  Run(bool retain_graph, bool create_graph, std::vector<Tensor>* results = nullptr,
      bool partial = false)
      : engine_(thread_engine()),
        id_(++engine_.last_stamp),
        retain_graph_(retain_graph || create_graph),
        create_graph_(create_graph),
        partial_(partial),
        results_(results),
        mode_(create_graph) {
    if (engine_.idle.empty()) engine_.idle.push_back(std::make_unique<Lists>());
    lists_ = std::move(engine_.idle.back());
    engine_.idle.pop_back();
    ++engine_.active;
  }

  ~Run() {
    for (const auto& left : lists_->ready) static_cast<Node*>(left.get())->grad = {};
    for (Overwritten& old : lists_->overwritten) {
      auto* node = static_cast<Node*>(old.node.get());
      node->in_run = old.in_run;
      node->waiting = old.waiting;
      node->needed = old.needed;
      node->capture = old.capture;
      node->grad = std::move(old.grad);
    }
    lists_->path.clear();
    lists_->ready.clear();
    lists_->overwritten.clear();
    engine_.idle.push_back(std::move(lists_));
    --engine_.active;
  }

  // Marks a node whose gradient is asked for; before discover().
  void capture(Node* node, int index) {
    visit(node);
    node->capture = index;
  }

  // All nodes behind the root: which are needed, and how many gradients each will get.
  void discover(Node* root) {
    if (node_seen(root)) return;
    enter(root);
    while (!lists_->path.empty()) {
      const auto [node, next] = lists_->path.back();
      if (next == edges_of(node)) {
        if (results_) leave(node);
        lists_->path.pop_back();
        continue;
      }
      ++lists_->path.back().second;
      Node* edge = node->edge(next);
      if (!edge) continue;
      if (!node_seen(edge)) enter(edge);
      ++edge->waiting;
    }
  }

  // A root waits for its start like for any gradient: all are announced before the first is given.
  void from(const Tensor* roots, Tensor* starts, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) discover(node_of(roots[i]));
    for (std::size_t i = 0; i < count; ++i) ++node_of(roots[i])->waiting;
    for (std::size_t i = 0; i < count; ++i) {
      Ref<NodeBase> root = roots[i].impl().node;
      if (node_of(roots[i])->needed) deliver(root, std::move(starts[i]));
    }
    while (!lists_->ready.empty()) {
      const Ref<NodeBase> held = std::move(lists_->ready.back());
      lists_->ready.pop_back();
      finish(static_cast<Node*>(held.get()));
    }
  }

 private:
  // Seen by discover(): `capture` visits without entering.
  bool node_seen(const Node* node) const {
    return node->in_run == id_ && node->waiting != kNotEntered;
  }

  void visit(Node* node) {
    if (node->in_run == id_) return;
    if (engine_.active > 1 && node->in_run != 0)
      lists_->overwritten.push_back({Ref<NodeBase>(node), node->in_run, node->waiting, node->needed,
                                     node->capture, std::move(node->grad)});
    node->in_run = id_;
    node->waiting = kNotEntered;
    node->needed = !results_;
    node->capture = -1;
    node->grad = {};
  }

  void enter(Node* node) {
    visit(node);
    if (node->released && node->capture < 0)
      fail(Fault::order, {"backward: ", node->name,
                          " was run backwards before and what it saved is gone: pass "
                          "retain_graph = true to the first backward()"});
    node->waiting = 0;
    lists_->path.emplace_back(node, 0);
  }

  // Only now is it known whether the node gives its inputs gradients.
  void leave(Node* node) {
    node->needed = node->capture >= 0 || leads_on(node);
    for (int i = 0; !node->needed && i < edges_of(node); ++i)
      if (node->edge(i)) --node->edge(i)->waiting;
  }

  bool is_border(const Node* node) const { return partial_ && node->capture >= 0; }
  int edges_of(const Node* node) const { return is_border(node) ? 0 : node->edge_count; }

  bool leads_on(const Node* node) const {
    for (int i = 0; i < edges_of(node); ++i)
      if (node->edge(i) && node->edge(i)->needed) return true;
    return false;
  }

  // The node has all of its gradient.
  void finish(Node* node) {
    Tensor g = std::move(node->grad);
    if (node->hooks && !is_border(node)) call_hooks(node, &g);
    if (node->capture >= 0) (*results_)[node->capture] = g;
    if (results_ ? leads_on(node) : !node->is_leaf) return run_node(node, g);
    if (!node->is_leaf || results_ || !g.defined()) return;
    collect(static_cast<LeafNode*>(node), std::move(g));
    call_post_accumulate_hooks(node);
  }

  void run_node(Node* node, const Tensor& g) {
    Grads grads(node, !retain_graph_);
    if (g.defined()) node->type->run(node, g, grads);
    check_gradients(node, grads);
    if (!retain_graph_) {
      node->type->drop_saved(node);
      node->released = true;  // before edges are given away: an error must not leave half a node
    }
    for (int i = 0; i < node->edge_count; ++i) {
      Ref<NodeBase>& edge = node->edges[i];
      if (!edge) continue;
      if (grads.wants(i)) {
        Tensor& result = grads.result(i);
        if (result.defined() && !(result.shape() == node->edge(i)->shape)) [[unlikely]]
          fail_shape(node, i, result);
        deliver(edge, std::move(result));
      }
      if (!retain_graph_) edge = {};
    }
  }

  [[noreturn]] static void fail_shape(const Node* node, int i, const Tensor& result) {
    fail(Fault::order, {"backward of ", node->name, ": it gave a gradient of shape ",
                        result.shape(), " for input ", i, " of shape ", node->edge(i)->shape});
  }

  // A node that has all its gradients takes over the edge's reference: nobody else may hold it.
  void deliver(Ref<NodeBase>& edge, Tensor&& grad) {
    auto* node = static_cast<Node*>(edge.get());
    if (grad.defined() && grad.dtype() != node->dtype) grad = grad.to(node->dtype);
    --node->waiting;
    if (node->is_leaf && !results_ && !node->hooks) {
      if (grad.defined()) collect(static_cast<LeafNode*>(node), std::move(grad));
      return;
    }
    if (grad.defined()) {
      if (!node->grad.defined())
        node->grad = std::move(grad);
      else if (!create_graph_ && node->grad.owned_alone() && node->grad.is_contiguous())
        node->grad.add_(grad);
      else
        node->grad = node->grad + grad;
    }
    if (node->waiting > 0) return;
    if (node->is_leaf) return finish(node);  // at once, as without hooks
    lists_->ready.push_back(retain_graph_ ? edge : std::move(edge));
  }

  // Adds to a leaf's gradient, whose memory stays the same unless somebody holds it or it is large.
  void collect(LeafNode* leaf, Tensor grad) {
    Tensor& slot = leaf->collected;
    if (create_graph_)
      slot = leaf->fresh ? grad.clone() : slot + grad;
    else if (!leaf->fresh)
      slot.add_(grad);
    else if (slot.defined() && slot.owned_alone() && !may_move(slot, grad))
      slot.copy_(grad);
    else
      slot = grad.owned_alone() && grad.is_contiguous() ? std::move(grad) : grad.clone();
    leaf->fresh = false;
    if (thread_state().touched_leaves) note_leaf(leaf);
  }

  static constexpr uint32_t kNotEntered = UINT32_MAX;

  ThreadEngine& engine_;
  const uint64_t id_;
  const bool retain_graph_, create_graph_, partial_;
  std::vector<Tensor>* const results_;
  const GradMode mode_;
  const NoAutocast no_autocast_;  // each derivative in the types of its operation
  std::unique_ptr<Lists> lists_;
};

// The gradient of a root: given, or 1 for a single number.
Tensor root_gradient(const char* operation, const Tensor& root, const Tensor& given) {
  check_root(operation, root);
  if (given.defined()) {
    check(given.shape() == root.shape(), {operation, ": a gradient of shape ", given.shape(),
                                          " for a tensor of shape ", root.shape()});
    return given;
  }
  if (root.numel() != 1) [[unlikely]]
    fail({operation, ": a tensor of shape ", root.shape(),
          " needs a gradient of its shape: without one it must be a single number"});
  return ones_like(root);
}

void check_has_graph(const char* operation, const Tensor& root) {
  if (root.impl().history < root.impl().block->history) renew_view(root);
  if (!root.requires_grad())
    fail(Fault::order, {operation, ": the tensor of shape ", root.shape(),
                        " depends on nothing that requires a gradient"});
}

}  // namespace

void Tensor::backward(const Tensor& gradient, bool retain_graph, bool create_graph) const {
  check_has_graph("backward", *this);
  Tensor start = root_gradient("backward", *this, gradient);
  Run(retain_graph, create_graph).from(this, &start, 1);
}

std::vector<Tensor> partial_grad(const Tensor& output, const std::vector<Node*>& at, Tensor g,
                                 bool create_graph) {
  std::vector<Tensor> results(at.size());
  Run run(false, create_graph, &results, true);
  for (std::size_t i = 0; i < at.size(); ++i) run.capture(at[i], static_cast<int>(i));
  run.from(&output, &g, 1);
  return results;
}

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& grad_outputs, bool retain_graph,
                         bool create_graph, bool allow_unused) {
  check(grad_outputs.empty() || grad_outputs.size() == outputs.size(),
        {"grad: ", outputs.size(), " outputs but ", grad_outputs.size(), " gradients for them"});
  std::vector<Tensor> starts;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    check_has_graph("grad", outputs[i]);
    starts.push_back(
        root_gradient("grad", outputs[i], grad_outputs.empty() ? Tensor() : grad_outputs[i]));
  }
  std::vector<Tensor> results(inputs.size());
  {
    Run run(retain_graph, create_graph, &results);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      check_has_graph("grad, of an input", inputs[i]);
      run.capture(node_of(inputs[i]), static_cast<int>(i));
    }
    run.from(outputs.data(), starts.data(), outputs.size());
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    // An input named twice was captured once, under its last number.
    for (std::size_t j = i + 1; j < inputs.size() && !results[i].defined(); ++j)
      if (node_of(inputs[i]) == node_of(inputs[j])) results[i] = results[j];
    if (!results[i].defined() && !allow_unused)
      fail(Fault::order,
           {"grad: the outputs do not depend on input ", i, ": pass allow_unused = true"});
  }
  return results;
}

}  // namespace levin::inline v0

#include "checkpoint.h"

#include "../kernels/check.h"
#include "../tensor/generator.h"
#include "autocast.h"
#include "engine.h"
#include "graph.h"

namespace levin::inline v0::autograd {
namespace {

Node* node_of(const Tensor& tensor) { return static_cast<Node*>(tensor.impl().node.get()); }

// What is kept instead of the function's graph.
struct Recipe {
  CheckpointFunction function;
  std::vector<Saved> inputs;
  Generator generator;
  DType autocast;  // kFloat32: none

  // The node's edges are what the function's graph ended at: its inputs and what else it used.
  void operator()(const Tensor& g, Grads& grads) const {
    const bool create_graph = is_grad_enabled();
    std::vector<Tensor> again;
    for (const Saved& input : inputs) again.push_back(input.tensor(grads));
    Generator same = generator;
    const GeneratorGuard guard(same);
    const EnableGrad enable_grad;
    const AutocastMode as_before(autocast);
    const Tensor y = function(again);
    check(y.shape() == g.shape(), {"checkpoint: the function gave shape ", g.shape(),
                                   " at first, and ", y.shape(), " when backward ran it again"});
    std::vector<Node*> ends;
    for (int i = 0; i < grads.node()->edge_count; ++i) ends.push_back(grads.node()->edge(i));
    if (!y.requires_grad()) return;
    std::vector<Tensor> results = partial_grad(y, ends, g, create_graph);
    for (std::size_t i = 0; i < ends.size(); ++i)
      grads.set(static_cast<int>(i), std::move(results[i]));
  }
};

}  // namespace

Tensor checkpoint(CheckpointFunction function, const std::vector<Tensor>& inputs) {
  Recipe recipe{std::move(function), {}, default_generator(), thread_state().autocast};
  for (const Tensor& input : inputs) {
    recording(input);  // a view may need its history renewed
    recipe.inputs.emplace_back(input);
  }
  const uint64_t first = thread_state().next_serial;
  const auto is_inside = [first](const Node& node) {
    return !node.is_leaf && node.number >= first && node.number < thread_state().next_serial;
  };
  const Tensor y = recipe.function(inputs);
  if (!is_grad_enabled() || !y.requires_grad() || !is_inside(*node_of(y))) return y;
  std::vector<Tensor> ends;
  for (Node* node : nodes_from(node_of(y), is_inside)) {
    if (is_inside(*node)) continue;
    ends.push_back(y.detach());  // record() asks for tensors; their nodes are all it needs
    ends.back().impl().node = Ref<NodeBase>(node);
  }
  std::vector<const Tensor*> edges;
  for (const Tensor& end : ends) edges.push_back(&end);
  return record("checkpoint", y.detach(), edges.data(), static_cast<int>(edges.size()),
                std::move(recipe));
}

}  // namespace levin::inline v0::autograd

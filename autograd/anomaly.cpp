#include "anomaly.h"

#include "../kernels/check.h"
#include "graph.h"
#include "ops.h"

namespace levin::inline v0 {
namespace {

bool has_nan(const Tensor& tensor) {
  if (!tensor.defined() || !is_floating(tensor.dtype())) return false;
  const NoGrad no_grad;
  return tensor.detach().isnan().any().item<bool>();
}

// "log gave the first NaN: float64 [3] from [3]"
std::string first_nan(Node* root) {
  for (const Node* node : nodes_from(root, [](const Node&) { return true; })) {
    if (!node->gave_nan) continue;
    std::string text = "the first NaN is in the output of shape " + node->shape.text() + " of " +
                       node->name + ", from inputs of shapes";
    for (int i = 0; i < node->edge_count; ++i)
      text += (i ? ", " : " ") + (node->edge(i) ? node->edge(i)->shape.text() : "(a constant)");
    return text;
  }
  return "no operation that was recorded in AnomalyMode had NaN in its output";
}

}  // namespace

void set_detect_anomaly(bool on) { thread_state().detect_anomaly = on; }

void note_nan(Node* node, const Tensor& output) { node->gave_nan = has_nan(output); }

void find_nan(const char* operation, const Tensor& root) {
  if (!has_nan(root)) return;
  auto* node = static_cast<Node*>(root.impl().node.get());
  fail(Fault::order, {operation, ": the tensor of shape ", root.shape(),
                      " to start from holds NaN; ", first_nan(node)});
}

void find_nan(Node* node, Grads& grads) {
  for (int i = 0; i < node->edge_count; ++i)
    if (grads.wants(i) && has_nan(grads.result(i)))
      fail(Fault::order, {"backward of ", node->name, " gave NaN for input ", i, " of shape ",
                          node->edge(i)->shape, "; ", first_nan(node)});
}

}  // namespace levin::inline v0

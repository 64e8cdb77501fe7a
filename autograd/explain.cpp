#include "explain.h"

#include <cstdio>
#include <map>
#include <set>

#include "../kernels/check.h"
#include "graph.h"

namespace levin::inline v0 {
namespace {

std::string type_and_shape(DType dtype, const Shape& shape) {
  return std::string(name_of(dtype)) + " " + shape.text();
}

std::string number_text(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", number);
  return text;
}

class Explanation {
 public:
  explicit Explanation(const std::vector<Node*>& nodes) {
    for (const Node* node : nodes) names_[node] = "%" + std::to_string(names_.size());
    int leaves = 0;
    for (const Node* node : nodes) {
      leaves += node->is_leaf;
      line(*node);
    }
    text_ += "leaves: " + std::to_string(leaves) +
             ", operations: " + std::to_string(nodes.size() - leaves) + "; they keep " +
             std::to_string(bytes_) + " bytes besides the leaves\n";
  }
  const std::string& text() const { return text_; }

 private:
  void line(const Node& node) {
    text_ += names_[&node] + " = " + node.name;
    const Inspector seen = inspect(node);
    if (!node.is_leaf && !node.released) text_ += "(" + arguments(node, seen) + ")";
    text_ += "  " + type_and_shape(node.dtype, node.shape);
    for (std::size_t i = 0; i < seen.kept.size(); ++i)
      text_ += (i ? "; " : "  keeps ") + kept(seen.kept[i]);
    text_ += node.released ? "  (was run backwards)\n" : "\n";
  }

  static Inspector inspect(const Node& node) {
    Inspector inspector;
    if (!node.type->inspect || node.released) return inspector;
    ThreadState& thread = thread_state();
    thread.inspector = &inspector;
    node.type->inspect(&node, inspector);
    thread.inspector = nullptr;
    return inspector;
  }

  std::string arguments(const Node& node, Inspector seen) const {
    if (seen.arguments.empty()) seen.arguments.resize(node.edge_count);
    std::string text;
    int edge = 0;
    for (const std::optional<double>& number : seen.arguments) {
      if (!text.empty()) text += ", ";
      text += number ? number_text(*number) : operand(node.edge(edge++));
    }
    return text;
  }

  std::string operand(const Node* node) const { return node ? names_.at(node) : "constant"; }

  std::string kept(const Inspector::Kept& kept) {
    const auto made = names_.find(kept.node);
    const bool is_known = kept.node && made != names_.end();
    std::string text = kept.is_output ? "its output"
                       : is_known     ? made->second
                                      : "a constant " + type_and_shape(kept.dtype, kept.shape);
    if (is_known && static_cast<const Node*>(kept.node)->is_leaf) return text;
    if (!counted_.insert(kept.block).second) return text + ", counted above";
    const auto bytes = kept.shape.numel() * static_cast<int64_t>(item_size(kept.dtype));
    bytes_ += bytes;
    return text + ", " + std::to_string(bytes) + " bytes";
  }

  std::map<const NodeBase*, std::string> names_;
  std::set<const Block*> counted_;
  int64_t bytes_ = 0;
  std::string text_;
};

}  // namespace

void Saved::show() const {
  if (!block_) return;
  static_cast<Inspector*>(thread_state().inspector)
      ->kept.push_back({block_.get(), node_.get(), layout_.shape, layout_.dtype, is_output_});
}

std::string explain(const Tensor& tensor) {
  auto* root = static_cast<Node*>(tensor.impl().node.get());
  if (!root) return type_and_shape(tensor.dtype(), tensor.shape()) + " without history\n";
  return Explanation(nodes_from(root, [](const Node&) { return true; })).text();
}

}  // namespace levin::inline v0

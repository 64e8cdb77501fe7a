// The nodes of a recorded graph, for those who look at it from outside the engine.
#pragma once

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "node.h"

namespace levin::inline v0 {

/// `root` and the nodes behind it, each once, in the order in which they were made (where one thread
/// made them). What lies behind a node only where behind(node).
template <class Behind>
std::vector<Node*> nodes_from(Node* root, Behind behind) {
  std::vector<Node*> found{root};
  std::unordered_set<const Node*> seen{root};
  for (std::size_t at = 0; at < found.size(); ++at) {
    Node* node = found[at];
    for (int i = 0; behind(*node) && i < node->edge_count; ++i)
      if (Node* edge = node->edge(i); edge && seen.insert(edge).second) found.push_back(edge);
  }
  std::sort(found.begin(), found.end(),
            [](const Node* a, const Node* b) { return a->number < b->number; });
  return found;
}

}  // namespace levin::inline v0

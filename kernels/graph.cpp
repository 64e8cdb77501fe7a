#include "graph.h"

#include <unordered_set>

#include "check.h"

namespace levin::inline v0 {

Graph::Graph(Device device, const std::deque<Call>& calls) : device_(device), calls_(calls) {
  std::unordered_set<const Block*> blocks;
  for (const Call& call : calls)
    each_operand(call, [&](const Arg& arg, Use) {
      if (blocks.insert(arg.block).second) places_.emplace_back(arg.block, nullptr);
    });
  if (const char* error = capture()) fail(Fault::world, {"a graph of the step ", error});
}

Graph::~Graph() {
  if (graph_) backend(device_).free_graph(graph_);
}

const char* Graph::capture() noexcept {
  Backend& gpu = backend(device_);
  if (graph_) gpu.free_graph(std::exchange(graph_, 0));
  for (auto& [block, place] : places_) place = block->data;
  if (const char* error = gpu.begin_capture()) return error;
  const char* error = nullptr;
  for (const Call& call : calls_)
    if (!error) error = std::visit([&](const auto& c) { return issue(gpu, c); }, call);
  const char* at_end = gpu.end_capture(&graph_);
  if (!error) error = at_end;
  if (error && graph_) gpu.free_graph(std::exchange(graph_, 0));
  return error;
}

bool Graph::has_moved() const {
  for (const auto& [block, place] : places_)
    if (block->data != place) return true;
  return false;
}

const char* Graph::run() noexcept {
  if (has_moved())
    if (const char* error = capture()) return error;
  return backend(device_).replay(graph_);
}

}  // namespace levin::inline v0

// Graph: a GPU's calls as one command, captured once and then launched whole.
#pragma once

#include <deque>
#include <utility>
#include <vector>

#include "calls.h"
#include "cpu/command.h"

namespace levin::inline v0 {

/// The calls stay where they are. Their blocks may move: the graph is then captured anew.
class Graph final : public cpu::Command {
 public:
  /// Captures. Throws std::runtime_error where a call cannot be in a graph.
  Graph(Device device, const std::deque<Call>& calls);
  ~Graph() override;
  const char* run() noexcept override;

 private:
  const char* capture() noexcept;
  bool has_moved() const;

  Device device_;
  const std::deque<Call>& calls_;
  uint64_t graph_ = 0;
  std::vector<std::pair<const Block*, const void*>> places_;  // of the blocks when it was captured
};

}  // namespace levin::inline v0

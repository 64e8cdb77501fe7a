// NodeBase: all that a tensor knows of the node that made it. The node itself is autograd's
// (autograd/node.h).
#pragma once

#include <atomic>
#include <cstdint>

#include "../kernels/ref.h"

namespace levin::inline v0 {

struct NodeBase {
  std::atomic<uint32_t> refs{1};
  void (*destroy)(NodeBase*);
  void release() { destroy(this); }
};

}  // namespace levin::inline v0

// Recorder: a Backend that stands before a device's, runs every call, and keeps it in a Recording,
// so that the calls of two steps can be compared, and repeated without the code that made them.
#pragma once

#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "calls.h"

namespace levin::inline v0 {

/// The calls of one step, in their order. Their operands' blocks are kept alive (see
/// Block::recorded), their layouts are copies.
class Recording {
 public:
  /// Blocks made by this thread from now on count as made inside.
  Recording();
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  void add(Call call);
  /// The step is over: what it made and somebody still holds is an output.
  void end();
  /// Keeps the block no longer; it stays a name for difference().
  void let_go(const Block* block);

  struct Kept {
    int number;      ///< by first appearance
    bool is_inside;  ///< made by the step
    bool is_output = false;
    bool is_alive = true;  ///< still kept
  };
  Device device;  ///< of all calls
  std::vector<Call> calls;
  /// Where the counter of each RandomCall stood after it.
  std::vector<uint64_t> drawn;
  std::unordered_map<const Block*, Kept> blocks;
  /// Why the calls alone are not what happened: a read or write by the host, a value from beside the
  /// backend; "" where they are.
  std::string obstacle;
  /// What the step made that calls point into, and replays would need again: "an optimizer"; null where
  /// it made nothing of the kind.
  const char* made = nullptr;

 private:
  void keep(Arg& arg, Use use);

  uint64_t first_serial_;
  std::deque<Layout> layouts_;  // which stay where they are
};

/// Where an input of a step lies: its first element, counted from its block's; and which bytes of the
/// block the step may use.
struct InputPlace {
  const Block* block;
  int64_t offset;
  std::size_t begin = 0, end = 0;
};

/// "square", "square.d0", "mean", "matmul"
std::string name_of(const Call& call);
/// Its numbers: " 1 0.5"
std::string numbers_of(const Call& call);

/// What tells two recordings of one step apart: "" where calls, numbers and blocks agree (blocks made
/// inside by their order, inputs by their place, all others must be the same), else the first
/// difference in words.
std::string difference(const Recording& before, const std::vector<InputPlace>& inputs_before,
                       const Recording& now, const std::vector<InputPlace>& inputs_now);

/// Put in a device's place by BackendOverride.
class Recorder : public Backend {
 public:
  Recorder(Backend& below, Recording& recording) : below_(below), recording_(recording) {}

  const char* allocate(std::size_t bytes, void** memory) noexcept override {
    return below_.allocate(bytes, memory);
  }
  void deallocate(void* memory, std::size_t bytes) noexcept override {
    below_.deallocate(memory, bytes);
  }
  const char* read(const Block& from, std::size_t offset, void* to,
                   std::size_t bytes) noexcept override;
  const char* write(const void* from, Block& to, std::size_t offset,
                    std::size_t bytes) noexcept override;

  const char* fill(double value, Arg out) noexcept override { return note(FillCall{value, out}); }
  const char* copy(Arg in, Arg out) noexcept override { return note(CopyCall{in, out}); }
  const char* elementwise(const ElementwiseCall& c) noexcept override { return note(c); }
  const char* reduce(const ReduceCall& c) noexcept override { return note(c); }
  const char* scan(const ScanCall& c) noexcept override { return note(c); }
  const char* sort(const SortCall& c) noexcept override { return note(c); }
  const char* mse(const MseCall& c) noexcept override { return note(c); }
  const char* mse_backward(const MseBackwardCall& c) noexcept override { return note(c); }
  const char* cross_entropy(const CrossEntropyCall& c) noexcept override { return note(c); }
  const char* cross_entropy_backward(const CrossEntropyBackwardCall& c) noexcept override {
    return note(c);
  }
  const char* layer_norm(const LayerNormCall& c) noexcept override { return note(c); }
  const char* layer_norm_backward(const LayerNormBackwardCall& c) noexcept override {
    return note(c);
  }
  const char* matmul(const MatmulCall& c) noexcept override { return note(c); }
  const char* linalg(const LinalgCall& c) noexcept override { return note(c); }
  const char* softmax(const SoftmaxCall& c) noexcept override { return note(c); }
  const char* index(const IndexCall& c) noexcept override { return note(c); }
  const char* random(const RandomCall& c) noexcept override { return note(c); }
  const char* accumulate(const AccumulateCall& c) noexcept override { return note(c); }
  const char* optimizer(const OptimizerCall& c) noexcept override {
    return note(OptimizerStep{c.rule, c.numbers, {c.spans, c.spans + c.count}});
  }

  const char* synchronize() noexcept override { return below_.synchronize(); }
  const char* begin_capture() noexcept override { return below_.begin_capture(); }
  const char* end_capture(uint64_t* graph) noexcept override { return below_.end_capture(graph); }
  const char* replay(uint64_t graph) noexcept override { return below_.replay(graph); }
  void free_graph(uint64_t graph) noexcept override { below_.free_graph(graph); }
  DeviceCounts counts() const noexcept override { return below_.counts(); }

 private:
  const char* note(Call call) noexcept;
  void object(const char* obstacle) noexcept;

  Backend& below_;
  Recording& recording_;
};

}  // namespace levin::inline v0

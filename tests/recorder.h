// A Backend that stands before the CPU's, runs every call, and writes it down so that it can be
// shown, compared and run again: what captured steps need of the seam.
#pragma once

#include <levin/kernels/backend.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace levin {

class Recorder : public Backend {
 public:
  /// Blocks that are older than the recorder count as outside: parameters, data, state.
  Recorder();

  /// A line for each call. Blocks are named by their first appearance, those made inside t0, t1, ..,
  /// those from outside p0, p1, ..: two steps that do the same have the same text.
  std::string text() const;
  /// The blocks from outside, in order of appearance.
  std::vector<const Block*> outside() const;
  /// Whether every block made inside is written before it is read: then the calls are all that
  /// happened.
  bool complete() const;
  /// Why the step cannot be replayed: a read or write by the host; "" where there was none.
  const std::string& obstacle() const { return obstacle_; }
  /// Runs the calls again on the same memory.
  void replay();

  const char* allocate(std::size_t bytes, void** memory) noexcept override;
  void deallocate(void* memory, std::size_t bytes) noexcept override;
  const char* read(const Block& from, std::size_t offset, void* to,
                   std::size_t bytes) noexcept override;
  const char* write(const void* from, Block& to, std::size_t offset,
                    std::size_t bytes) noexcept override;
  const char* fill(double value, Arg out) noexcept override;
  const char* copy(Arg in, Arg out) noexcept override;
  const char* elementwise(const ElementwiseCall&) noexcept override;
  const char* reduce(const ReduceCall&) noexcept override;
  const char* scan(const ScanCall&) noexcept override;
  const char* sort(const SortCall&) noexcept override;
  const char* mse(const MseCall&) noexcept override;
  const char* matmul(const MatmulCall&) noexcept override;
  const char* linalg(const LinalgCall&) noexcept override;
  const char* softmax(const SoftmaxCall&) noexcept override;
  const char* index(const IndexCall&) noexcept override;
  const char* random(const RandomCall&) noexcept override;
  const char* accumulate(const AccumulateCall&) noexcept override;
  const char* optimizer(const OptimizerCall&) noexcept override;
  const char* synchronize() noexcept override { return cpu_.synchronize(); }
  const char* make_stream(uint64_t* stream) noexcept override { return cpu_.make_stream(stream); }
  const char* use_stream(uint64_t stream) noexcept override { return cpu_.use_stream(stream); }
  const char* record_event(uint64_t* event) noexcept override { return cpu_.record_event(event); }
  const char* wait_event(uint64_t event) noexcept override { return cpu_.wait_event(event); }
  const char* begin_capture() noexcept override { return cpu_.begin_capture(); }
  const char* end_capture(uint64_t* graph) noexcept override { return cpu_.end_capture(graph); }
  const char* replay(uint64_t graph) noexcept override { return cpu_.replay(graph); }

 private:
  struct Operand {
    std::shared_ptr<Block> block;  // null where the call leaves it out
    Layout layout;
    bool is_output = false;
  };
  struct Call {
    std::string what;
    std::vector<Operand> operands;
    std::function<const char*(Backend&, const std::vector<Operand>&)> run;
  };

  template <class C, class Run>
  const char* record(std::string what, C call, Run run);
  bool is_inside(const Block& block) const { return block.serial >= first_serial_; }

  Backend& cpu_;
  uint64_t first_serial_;
  std::vector<Call> calls_;
  std::string obstacle_;
};

}  // namespace levin

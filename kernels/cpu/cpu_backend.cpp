#include "cpu_backend.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace levin::inline v0 {
namespace {

class CpuBackend final : public Backend {
 public:
  const char* allocate(std::size_t bytes, void** memory) noexcept override {
    *memory = std::aligned_alloc(64, (bytes + 63) / 64 * 64);
    return *memory ? nullptr : "the system has no more memory";
  }
  void deallocate(void* memory, std::size_t) noexcept override { std::free(memory); }
  const char* read(const Block& from, std::size_t offset, void* to,
                   std::size_t bytes) noexcept override {
    if (bytes) std::memcpy(to, static_cast<const char*>(from.data) + offset, bytes);
    return nullptr;
  }
  const char* write(const void* from, Block& to, std::size_t offset,
                    std::size_t bytes) noexcept override {
    if (bytes) std::memcpy(static_cast<char*>(to.data) + offset, from, bytes);
    return nullptr;
  }

  const char* fill(double value, Arg out) noexcept override { return cpu::fill(value, out); }
  const char* copy(Arg in, Arg out) noexcept override { return cpu::copy(in, out); }
  const char* elementwise(const ElementwiseCall& call) noexcept override {
    return cpu::elementwise(call);
  }
  const char* reduce(const ReduceCall& call) noexcept override { return cpu::reduce(call); }
  const char* scan(const ScanCall& call) noexcept override { return cpu::scan(call); }
  const char* sort(const SortCall& call) noexcept override { return cpu::sort(call); }
  const char* mse(const MseCall& call) noexcept override { return cpu::mse(call); }
  const char* mse_backward(const MseBackwardCall& call) noexcept override {
    return cpu::mse_backward(call);
  }
  const char* cross_entropy(const CrossEntropyCall& call) noexcept override {
    return cpu::cross_entropy(call);
  }
  const char* cross_entropy_backward(const CrossEntropyBackwardCall& call) noexcept override {
    return cpu::cross_entropy_backward(call);
  }
  const char* layer_norm(const LayerNormCall& call) noexcept override {
    return cpu::layer_norm(call);
  }
  const char* layer_norm_backward(const LayerNormBackwardCall& call) noexcept override {
    return cpu::layer_norm_backward(call);
  }
  const char* matmul(const MatmulCall& call) noexcept override { return cpu::matmul(call); }
  const char* linalg(const LinalgCall& call) noexcept override { return cpu::linalg(call); }
  const char* softmax(const SoftmaxCall& call) noexcept override { return cpu::softmax(call); }
  const char* index(const IndexCall& call) noexcept override { return cpu::index(call); }
  const char* random(const RandomCall& call) noexcept override { return cpu::random(call); }
  const char* optimizer(const OptimizerCall& call) noexcept override {
    return cpu::optimizer(call);
  }
  const char* accumulate(const AccumulateCall& call) noexcept override {
    return cpu::accumulate(call);
  }

  // Every call has run when it returns.
  const char* synchronize() noexcept override { return nullptr; }
  const char* begin_capture() noexcept override { return kNoGraphs; }
  const char* end_capture(uint64_t*) noexcept override { return kNoGraphs; }
  const char* replay(uint64_t) noexcept override { return kNoGraphs; }
  void free_graph(uint64_t) noexcept override {}
  DeviceCounts counts() const noexcept override { return {}; }

 private:
  static constexpr const char* kNoGraphs = "has no graphs: recordings are replayed by cpu/replay.h";
};

}  // namespace

Backend& cpu_backend() {
  // Never destroyed: memory may come back after main has ended.
  alignas(CpuBackend) static char memory[sizeof(CpuBackend)];
  static Backend* made = new (memory) CpuBackend;
  return *made;
}

}  // namespace levin::inline v0

// The backend of one GPU, and the symbol by which levin finds the backends of all.
#include <memory>

#include "../calls.h"
#include "calls.h"
#include "module.h"

namespace levin::inline v0::cuda {
namespace {

class CudaBackend final : public Backend {
 public:
  explicit CudaBackend(const Host& host) : cpu_(host.cpu) {}
  const char* open(int index, const Host& host) { return gpu_.open(index, host); }

  const char* allocate(std::size_t bytes, void** memory) noexcept override {
    const auto turn = gpu_.turn();
    return gpu_.allocate(bytes, memory);
  }
  // cudaFree waits for all that was issued.
  void deallocate(void* memory, std::size_t) noexcept override {
    const auto turn = gpu_.turn();
    cudaFree(memory);
  }
  const char* read(const Block& from, std::size_t offset, void* to,
                   std::size_t bytes) noexcept override {
    const auto turn = gpu_.turn();
    return gpu_.read(from, offset, to, bytes);
  }
  const char* write(const void* from, Block& to, std::size_t offset,
                    std::size_t bytes) noexcept override {
    const auto turn = gpu_.turn();
    return gpu_.write(from, to, offset, bytes);
  }

  const char* fill(double value, Arg out) noexcept override {
    return run(FillCall{value, out}, [&] { return cuda::fill(gpu_, value, out); });
  }
  const char* copy(Arg in, Arg out) noexcept override {
    return run(CopyCall{in, out}, [&] { return cuda::copy(gpu_, in, out); });
  }
  const char* elementwise(const ElementwiseCall& c) noexcept override {
    return run(c, cuda::elementwise);
  }
  const char* reduce(const ReduceCall& c) noexcept override { return run(c, cuda::reduce); }
  const char* scan(const ScanCall& c) noexcept override { return run(c, cuda::scan); }
  const char* mse(const MseCall& c) noexcept override { return run(c, cuda::mse); }
  const char* mse_backward(const MseBackwardCall& c) noexcept override {
    return run(c, cuda::mse_backward);
  }
  const char* cross_entropy(const CrossEntropyCall& c) noexcept override {
    return run(c, cuda::cross_entropy);
  }
  const char* cross_entropy_backward(const CrossEntropyBackwardCall& c) noexcept override {
    return run(c, cuda::cross_entropy_backward);
  }
  const char* layer_norm(const LayerNormCall& c) noexcept override {
    return run(c, cuda::layer_norm);
  }
  const char* layer_norm_backward(const LayerNormBackwardCall& c) noexcept override {
    return run(c, cuda::layer_norm_backward);
  }
  const char* matmul(const MatmulCall& c) noexcept override { return run(c, cuda::matmul); }
  const char* softmax(const SoftmaxCall& c) noexcept override { return run(c, cuda::softmax); }
  const char* index(const IndexCall& c) noexcept override { return run(c, cuda::index); }
  const char* random(const RandomCall& c) noexcept override { return run(c, cuda::random); }
  const char* accumulate(const AccumulateCall& c) noexcept override {
    return run(c, cuda::accumulate);
  }
  const char* optimizer(const OptimizerCall& c) noexcept override {
    const auto turn = gpu_.turn();
    gpu_.count_call();
    for (int64_t i = 0; i < c.count; ++i) {
      gpu_.uses(c.spans[i].p), gpu_.uses(c.spans[i].g);
      for (const Arg& state : c.spans[i].state) gpu_.uses(state);
    }
    return cuda::optimizer(gpu_, c);
  }
  const char* sort(const SortCall& c) noexcept override {
    return run(c, [&] { return cuda::sort(gpu_, *cpu_, c); });
  }
  const char* linalg(const LinalgCall& c) noexcept override {
    return run(c, [&] { return cuda::linalg(gpu_, *cpu_, c); });
  }

  const char* synchronize() noexcept override {
    const auto turn = gpu_.turn();
    return gpu_.synchronize();
  }
  const char* begin_capture() noexcept override {
    const auto turn = gpu_.turn();
    return gpu_.begin_capture();
  }
  const char* end_capture(uint64_t* graph) noexcept override {
    const auto turn = gpu_.turn();
    return gpu_.end_capture(graph);
  }
  const char* replay(uint64_t graph) noexcept override {
    const auto turn = gpu_.turn();
    return gpu_.replay(graph);
  }
  void free_graph(uint64_t graph) noexcept override {
    const auto turn = gpu_.turn();
    gpu_.free_graph(graph);
  }
  DeviceCounts counts() const noexcept override {
    DeviceCounts counts{};
    counts.raw_allocations = gpu_.allocations();
    counts.synchronizations = gpu_.synchronizations();
    return counts;
  }

 private:
  // Notes who uses what memory, then makes the call.
  template <class C, class F>
  const char* run(const C& call, F f) {
    const auto turn = gpu_.turn();
    gpu_.count_call();
    auto note = [this](const Arg& arg, Use) { gpu_.uses(arg); };
    visit(const_cast<C&>(call), OperandVisitor<decltype(note)>{note});
    if constexpr (requires { f(gpu_, call); })
      return f(gpu_, call);
    else
      return f();
  }

  Gpu gpu_;
  Backend* cpu_;
};

}  // namespace
}  // namespace levin::inline v0::cuda

extern "C" [[gnu::visibility("default")]] const char* levin_cuda_open_v0(
    const levin::cuda::Host* host, levin::Backend** backends, int* count) {
  using namespace levin;
  using namespace levin::cuda;
  *count = 0;
  if (__builtin_strcmp(host->build, kBuild) != 0)
    return "the CUDA module belongs to another build of levin";
  int devices = 0;
  LEVIN_TRY(error_of(cudaGetDeviceCount(&devices)));
  for (int i = 0; i < devices && i < kMostGpus; ++i) {
    auto backend = std::make_unique<CudaBackend>(*host);
    LEVIN_TRY(backend->open(i, *host));
    backends[(*count)++] = backend.release();
  }
  return nullptr;
}

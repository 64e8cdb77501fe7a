// What a GPU can do, whoever asks it, as JSON: bytes a second of a copy (read and written), seconds
// that a launch costs the host, seconds from node to node of a graph, and cublasLt's operations a
// second. LEVIN_BENCH_TINY=1 makes everything small, for the emulator.
#include <cublasLt.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "../kernels/cuda/runtime.h"

namespace {

using namespace levin::cuda;

const bool kTiny = std::getenv("LEVIN_BENCH_TINY") != nullptr;
constexpr std::size_t kWorkspace = 32 << 20;

void check(const char* error, const char* what) {
  if (!error) return;
  std::fprintf(stderr, "ceilings: %s: %s\n", what, error);
  std::exit(1);
}
void check(cudaError_t status, const char* what) { check(error_of(status), what); }
void check(cublasStatus_t status, const char* what) {
  check(status == CUBLAS_STATUS_SUCCESS ? nullptr : cublasLtGetStatusString(status), what);
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void wait(cudaStream_t stream) { check(cudaStreamSynchronize(stream), "waiting"); }

double median(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  return samples[samples.size() / 2];
}

/// Seconds from one idle device to the next, run() being between them.
template <class Run>
double seconds_of(cudaStream_t stream, Run run, int samples = 11) {
  run();
  std::vector<double> seen;
  for (int i = 0; i < samples; ++i) {
    wait(stream);
    const double begin = now();
    run();
    wait(stream);
    seen.push_back(now() - begin);
  }
  return median(seen);
}

void* allocate(std::size_t bytes) {
  void* memory = nullptr;
  check(cudaMalloc(&memory, bytes), "allocating");
  return memory;
}

// Numbers of either sign and of any mantissa, in [1, 2) but for the sign: `set` holds the exponents.
__global__ void fill_kernel(uint32_t* to, uint32_t words, uint32_t set, uint32_t any) {
  const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= words) return;
  uint32_t hash = (i + 1) * 0x9e3779b9u;
  hash = (hash ^ hash >> 16) * 0x85ebca6bu;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
  to[i] = set | ((hash ^ hash >> 16) & any);
}
__global__ void nothing_kernel() {}

void fill(cudaStream_t stream, void* to, std::size_t bytes, bool sixteen_bits) {
  const auto words = static_cast<uint32_t>(bytes / 4);
  check(launch_on(stream, fill_kernel, dim3((words + 255) / 256), dim3(256),
                  static_cast<uint32_t*>(to), words, sixteen_bits ? 0x3f803f80u : 0x3f800000u,
                  sixteen_bits ? 0x807f807fu : 0x807fffffu),
        "filling");
}

double copy_rate(cudaStream_t stream) {
  const std::size_t bytes = kTiny ? 1 << 12 : std::size_t{1} << 30;
  constexpr int kCopies = 8;
  void *from = allocate(bytes), *to = allocate(bytes);
  fill(stream, from, bytes, false);
  const double took = seconds_of(stream, [&] {
    for (int i = 0; i < kCopies; ++i)
      check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream), "copying");
  });
  cudaFree(from), cudaFree(to);
  return 2.0 * static_cast<double>(bytes) * kCopies / took;
}

// Fewer than a stream queues, so that none waits for the device.
double launch_cost(cudaStream_t stream) {
  constexpr int kLaunches = 200;
  std::vector<double> seen;
  for (int i = 0; i < 51; ++i) {
    wait(stream);
    const double begin = now();
    for (int n = 0; n < kLaunches; ++n)
      check(launch_on(stream, nothing_kernel, dim3(1), dim3(32)), "launching");
    seen.push_back((now() - begin) / kLaunches);
  }
  wait(stream);
  return median(seen);
}

double seconds_of_graph(cudaStream_t stream, int nodes) {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capturing");
  for (int i = 0; i < nodes; ++i)
    check(launch_on(stream, nothing_kernel, dim3(1), dim3(32)), "launching");
  check(cudaStreamEndCapture(stream, &graph), "capturing");
  check(cudaGraphInstantiate(&exec, graph, 0), "making a graph");
  const double took =
      seconds_of(stream, [&] { check(cudaGraphLaunch(exec, stream), "launching a graph"); });
  cudaGraphExecDestroy(exec), cudaGraphDestroy(graph);
  return took;
}

double node_gap(cudaStream_t stream) {
  constexpr int kFew = 100, kMany = 1100;
  return (seconds_of_graph(stream, kMany) - seconds_of_graph(stream, kFew)) / (kMany - kFew);
}

struct Gemm {
  const char* name;
  cudaDataType_t type;
  cublasComputeType_t compute;
};

// Of the algorithms that cublasLt proposes the quickest.
double gemm_rate(cudaStream_t stream, cublasLtHandle_t handle, const Gemm& gemm) {
  const int64_t n = kTiny ? 32 : 8192;
  const bool sixteen_bits = gemm.type != CUDA_R_32F;
  const auto bytes = static_cast<std::size_t>(n * n) * (sixteen_bits ? 2 : 4);
  void *a = allocate(bytes), *b = allocate(bytes), *c = allocate(bytes);
  void* workspace = allocate(kWorkspace);
  fill(stream, a, bytes, sixteen_bits), fill(stream, b, bytes, sixteen_bits);

  cublasLtMatmulDescOpaque_t operation;
  cublasLtMatrixLayoutOpaque_t layout;
  cublasLtMatmulPreferenceOpaque_t wish;
  check(cublasLtMatmulDescInit(&operation, gemm.compute, CUDA_R_32F), "describing a product");
  check(cublasLtMatrixLayoutInit(&layout, gemm.type, n, n, n), "describing a matrix");
  check(cublasLtMatmulPreferenceInit(&wish), "wishing");
  const uint64_t room = kWorkspace;
  check(cublasLtMatmulPreferenceSetAttribute(&wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &room,
                                             sizeof(room)),
        "wishing");
  cublasLtMatmulHeuristicResult_t proposed[8];
  int count = 0;
  check(cublasLtMatmulAlgoGetHeuristic(handle, &operation, &layout, &layout, &layout, &layout,
                                       &wish, 8, proposed, &count),
        gemm.name);
  check(count > 0 ? nullptr : "cublasLt has no algorithm", gemm.name);
  double best = 1e30;
  const float one = 1, zero = 0;
  for (int i = 0; i < count; ++i) {
    if (proposed[i].state != CUBLAS_STATUS_SUCCESS) continue;
    const auto run = [&] {
      check(cublasLtMatmul(handle, &operation, &one, a, &layout, b, &layout, &zero, c, &layout, c,
                           &layout, &proposed[i].algo, workspace, kWorkspace, stream),
            gemm.name);
    };
    best = std::min(best, seconds_of(stream, run, 5));
  }
  wait(stream);
  for (void* memory : {a, b, c, workspace}) cudaFree(memory);
  return 2.0 * static_cast<double>(n * n * n) / best;
}

}  // namespace

int main() {
  int devices = 0;
  check(cudaGetDeviceCount(&devices), "looking for a GPU");
  check(cudaSetDevice(0), "taking the GPU");
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
  cublasLtHandle_t handle = nullptr;
  check(cublasLtCreate(&handle), "opening cublasLt");
  std::printf("{\"copy\": %.6g, \"launch\": %.6g, \"graph_node\": %.6g", copy_rate(stream),
              launch_cost(stream), node_gap(stream));
  for (const Gemm& gemm : {Gemm{"gemm_float32", CUDA_R_32F, CUBLAS_COMPUTE_32F},
                           Gemm{"gemm_tf32", CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32},
                           Gemm{"gemm_bfloat16", CUDA_R_16BF, CUBLAS_COMPUTE_32F}})
    std::printf(", \"%s\": %.6g", gemm.name, gemm_rate(stream, handle, gemm));
  std::printf("}\n");
  cublasLtDestroy(handle);
}

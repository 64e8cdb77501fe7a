// Products as cublasLt makes them, by simple loops when the stream comes to them. What does not fit
// together ends the program. LEVIN_EMULATOR_NO_EPILOGUE=1: there are algorithms for the bare product
// only; LEVIN_EMULATOR_NO_ALGORITHM=1: there are none.
#define LEVIN_GPU
#include "cublasLt.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "../../kernels/convert.h"
#include "../../kernels/formulas/evaluate.h"
#include "../../kernels/formulas/math.h"
#include "emulator.h"

struct cublasLtContext {};

namespace emulator {
int algorithms_asked = 0, products_made = 0;
}

namespace {

using levin::BFloat16;
using levin::Float16;
using levin::One;

// ---- What lies in the opaque structs. The mark shows whether it was initialised.

struct Matrix {
  static constexpr uint64_t kMark = 0x4d61747269780001;
  uint64_t mark = kMark;
  cudaDataType_t type;
  int32_t batch = 1;
  uint64_t rows, cols;
  int64_t ld, offset = 0;
};
struct Operation {
  static constexpr uint64_t kMark = 0x4d61747269780002;
  uint64_t mark = kMark;
  cublasComputeType_t compute;
  cudaDataType_t scale;
  int32_t turn_a = CUBLAS_OP_N, turn_b = CUBLAS_OP_N;
  uint32_t epilogue = CUBLASLT_EPILOGUE_DEFAULT, unused = 0;
  const void* bias = nullptr;
};
struct Wish {
  static constexpr uint64_t kMark = 0x4d61747269780003;
  uint64_t mark = kMark;
  uint64_t workspace = 0;
  uint32_t alignments[4] = {256, 256, 256, 256};  // of A, B, C and D
};
struct Algorithm {
  static constexpr uint64_t kMark = 0x4d61747269780004;
  uint64_t mark = kMark;
  uint64_t problem, workspace, bias_alignment;
  uint32_t alignments[4];
};

template <class T, class Opaque>
T opened(const Opaque* opaque) {
  static_assert(sizeof(T) <= sizeof(Opaque));
  T value;
  std::memcpy(static_cast<void*>(&value), opaque, sizeof(T));
  if (value.mark != T::kMark) emulator::fail("cublasLt is given what was not initialised");
  return value;
}
template <class T, class Opaque>
cublasStatus_t keep(const T& value, Opaque* opaque) {
  std::memcpy(opaque, &value, sizeof(T));
  return CUBLAS_STATUS_SUCCESS;
}

template <class T>
T attribute(const void* from, size_t bytes) {
  if (!from || bytes != sizeof(T)) emulator::fail("an attribute of cublasLt has another size");
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

void check(bool right, const char* what) {
  if (!right) emulator::fail(std::string("cublasLt: ") + what);
}

int64_t size_of(cudaDataType_t type) { return type == CUDA_R_64F ? 8 : type == CUDA_R_32F ? 4 : 2; }

// ---- A product, checked

struct Problem {
  Operation operation;
  Matrix a, b, d;
  int64_t m, n, k;
};

void check_matrix(const Matrix& x) {
  check(x.rows > 0 && x.cols > 0, "a matrix is empty");
  check(x.rows <= INT32_MAX && x.cols <= INT32_MAX, "a matrix is too long");
  check(x.ld >= static_cast<int64_t>(x.rows), "the columns of a matrix overlap");
  check(x.batch >= 1 && x.offset >= 0, "a batch is wrong");
}

void check_types(const Problem& p) {
  const cudaDataType_t in = p.a.type, out = p.d.type;
  const bool wide = in == CUDA_R_64F, narrow = size_of(in) == 2;
  check(p.b.type == in, "A and B differ in type");
  check(out == in || (narrow && out == CUDA_R_32F), "the types do not go together");
  check((p.operation.compute == CUBLAS_COMPUTE_64F) == wide, "float64 and the type of sums");
  check(p.operation.scale == (wide ? CUDA_R_64F : CUDA_R_32F), "the type of alpha and beta");
  check(!narrow || p.operation.compute == CUBLAS_COMPUTE_32F, "a fast way of 16-bit types");
}

Problem problem_of(cublasLtMatmulDesc_t operation, cublasLtMatrixLayout_t a,
                   cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d) {
  Problem p{opened<Operation>(operation),
            opened<Matrix>(a),
            opened<Matrix>(b),
            opened<Matrix>(d),
            0,
            0,
            0};
  const Matrix its_c = opened<Matrix>(c);
  check(std::memcmp(&its_c, &p.d, sizeof(Matrix)) == 0, "C and D differ");
  for (const Matrix& matrix : {p.a, p.b, p.d}) {
    check_matrix(matrix);
    check(matrix.batch == p.d.batch, "the batches differ");
  }
  check(p.d.batch == 1 || p.d.offset > 0, "the products of a batch overlap");
  check_types(p);
  const bool turn_a = p.operation.turn_a == CUBLAS_OP_T, turn_b = p.operation.turn_b == CUBLAS_OP_T;
  p.m = static_cast<int64_t>(turn_a ? p.a.cols : p.a.rows);
  p.k = static_cast<int64_t>(turn_a ? p.a.rows : p.a.cols);
  p.n = static_cast<int64_t>(turn_b ? p.b.rows : p.b.cols);
  check(p.k == static_cast<int64_t>(turn_b ? p.b.cols : p.b.rows), "A and B do not fit");
  check(p.m == static_cast<int64_t>(p.d.rows) && p.n == static_cast<int64_t>(p.d.cols),
        "D is not A's and B's product");
  return p;
}

// Tells products apart, but for the bias's address.
uint64_t number_of(Problem p) {
  p.operation.bias = nullptr;
  uint64_t words[sizeof(Problem) / 8], hash = 0;
  std::memcpy(words, static_cast<void*>(&p), sizeof(Problem));
  for (const uint64_t word : words) hash = (hash ^ word) * 0x100000001b3, hash ^= hash >> 29;
  return hash;
}

uint64_t alignment_of(const void* pointer) {
  const auto at = reinterpret_cast<uintptr_t>(pointer) | 256;
  return at & -at;
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value && *value && *value != '0';
}

bool has_bias(const Problem& p) { return p.operation.epilogue & CUBLASLT_EPILOGUE_BIAS; }

// ---- The work

struct Memory {
  const char *a, *b, *bias;
  char *d, *workspace;
};

// An element as cublasLt reads it: the fast ways drop digits.
double read(cublasComputeType_t compute, float x) {
  if (compute == CUBLAS_COMPUTE_32F_FAST_16BF) return widen(levin::to_bfloat16(x));
  if (compute != CUBLAS_COMPUTE_32F_FAST_TF32 || x - x != 0) return x;
  const uint32_t bits = levin::bits_of(x);
  return levin::float_of((bits + 0xfff + (bits >> 13 & 1)) & ~0x1fffu);
}
double read(cublasComputeType_t, double x) { return x; }
double read(cublasComputeType_t, BFloat16 x) { return widen(x); }
double read(cublasComputeType_t, Float16 x) { return widen(x); }

template <class T>
T activated(uint32_t epilogue, T x) {
  if (epilogue & CUBLASLT_EPILOGUE_RELU) return levin::formula::Relu{}.f(One<T>::raw(x)).v;
  if (epilogue & CUBLASLT_EPILOGUE_GELU) return levin::formula::GeluTanh{}.f(One<T>::raw(x)).v;
  return x;
}

// One product of the batch. T: of sums; S: of A and B; R: of D.
template <class T, class S, class R>
void multiply(const Problem& p, const S* a, const S* b, R* d, const R* bias, T alpha, T beta) {
  const auto compute = p.operation.compute;
  const bool turn_a = p.operation.turn_a == CUBLAS_OP_T, turn_b = p.operation.turn_b == CUBLAS_OP_T;
  std::vector<double> left(p.m * p.k), sums(p.m);
  for (int64_t q = 0; q < p.k; ++q)
    for (int64_t i = 0; i < p.m; ++i)
      left[q * p.m + i] = read(compute, a[turn_a ? q + i * p.a.ld : i + q * p.a.ld]);
  for (int64_t j = 0; j < p.n; ++j) {
    for (double& sum : sums) sum = 0;
    for (int64_t q = 0; q < p.k; ++q) {
      const double factor = read(compute, b[turn_b ? j + q * p.b.ld : q + j * p.b.ld]);
      for (int64_t i = 0; i < p.m; ++i) sums[i] += left[q * p.m + i] * factor;
    }
    for (int64_t i = 0; i < p.m; ++i) {
      R& to = d[i + j * p.d.ld];
      One<T> result = One<T>::raw(alpha * static_cast<T>(sums[i]));
      if (beta != 0)
        result = fma(One<T>::raw(beta), One<T>::raw(levin::convert_from<T>(to)), result);
      if (bias) result.v += levin::convert_from<T>(bias[i]);
      to = levin::convert_to<R>(activated(p.operation.epilogue, result.v));
    }
  }
}

template <class T, class S, class R>
std::function<void()> work_of(const Problem& p, const Memory& memory, uint64_t workspace,
                              const void* alpha, const void* beta) {
  return [=, alpha = *static_cast<const T*>(alpha), beta = *static_cast<const T*>(beta)] {
    std::memset(memory.workspace, 0xff, workspace);  // as an algorithm may
    for (int64_t i = 0; i < p.d.batch; ++i)
      multiply(p, reinterpret_cast<const S*>(memory.a) + i * p.a.offset,
               reinterpret_cast<const S*>(memory.b) + i * p.b.offset,
               reinterpret_cast<R*>(memory.d) + i * p.d.offset,
               reinterpret_cast<const R*>(memory.bias), alpha, beta);
  };
}

std::function<void()> work(const Problem& p, const Memory& memory, uint64_t workspace,
                           const void* alpha, const void* beta) {
  const auto with = [&]<class T, class S, class R>(T, S, R) {
    return work_of<T, S, R>(p, memory, workspace, alpha, beta);
  };
  const bool same = p.d.type == p.a.type;
  switch (p.a.type) {
    case CUDA_R_64F:
      return with(double{}, double{}, double{});
    case CUDA_R_16BF:
      return same ? with(0.f, BFloat16{}, BFloat16{}) : with(0.f, BFloat16{}, 0.f);
    case CUDA_R_16F:
      return same ? with(0.f, Float16{}, Float16{}) : with(0.f, Float16{}, 0.f);
    case CUDA_R_32F:
      break;
  }
  return with(0.f, 0.f, 0.f);
}

void check_memory(const Matrix& x, const void* at, uint32_t alignment) {
  check(alignment_of(at) >= alignment, "a matrix is less aligned than was said");
  const int64_t last = static_cast<int64_t>(x.rows) - 1 + (static_cast<int64_t>(x.cols) - 1) * x.ld;
  const int64_t elements = (x.batch - 1) * x.offset + last + 1;
  check(emulator::is_device_memory(at, elements * size_of(x.type)),
        "a matrix does not lie in device memory");
}

void check_bias(const Problem& p, uint64_t alignment) {
  const void* at = p.operation.bias;
  check(at && emulator::is_device_memory(at, p.m * size_of(p.d.type)),
        "the bias does not lie in device memory");
  check(alignment_of(at) >= alignment, "the bias is less aligned than when the plan was made");
  check(alignment_of(at) >= 16, "the bias is not aligned to 16 bytes: kernels may fault");
}

}  // namespace

// ---- The interface

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = new cublasLtContext;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}
const char* cublasLtGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS:
      return "the operation completed successfully";
    case CUBLAS_STATUS_NOT_SUPPORTED:
      return "the requested functionality is not supported";
    case CUBLAS_STATUS_INVALID_VALUE:
      break;
  }
  return "an unsupported value or parameter was passed to the function";
}

cublasStatus_t cublasLtMatmulDescInit(cublasLtMatmulDesc_t to, cublasComputeType_t compute,
                                      cudaDataType_t scale) {
  return keep(Operation{.compute = compute, .scale = scale}, to);
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t to,
                                              cublasLtMatmulDescAttributes_t what,
                                              const void* value, size_t bytes) {
  auto operation = opened<Operation>(to);
  switch (what) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
      operation.turn_a = attribute<int32_t>(value, bytes);
      break;
    case CUBLASLT_MATMUL_DESC_TRANSB:
      operation.turn_b = attribute<int32_t>(value, bytes);
      break;
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
      operation.epilogue = attribute<uint32_t>(value, bytes);
      break;
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      operation.bias = attribute<const void*>(value, bytes);
      break;
  }
  return keep(operation, to);
}

cublasStatus_t cublasLtMatrixLayoutInit(cublasLtMatrixLayout_t to, cudaDataType_t type,
                                        uint64_t rows, uint64_t cols, int64_t ld) {
  return keep(Matrix{.type = type, .rows = rows, .cols = cols, .ld = ld}, to);
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t to,
                                                cublasLtMatrixLayoutAttribute_t what,
                                                const void* value, size_t bytes) {
  auto matrix = opened<Matrix>(to);
  if (what == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT)
    matrix.batch = attribute<int32_t>(value, bytes);
  else
    matrix.offset = attribute<int64_t>(value, bytes);
  return keep(matrix, to);
}

cublasStatus_t cublasLtMatmulPreferenceInit(cublasLtMatmulPreference_t to) {
  return keep(Wish{}, to);
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t to,
                                                    cublasLtMatmulPreferenceAttributes_t what,
                                                    const void* value, size_t bytes) {
  auto wish = opened<Wish>(to);
  if (what == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES)
    wish.workspace = attribute<uint64_t>(value, bytes);
  else
    wish.alignments[what - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES] =
        attribute<uint32_t>(value, bytes);
  return keep(wish, to);
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t operation,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t wishes, int wanted,
                                              cublasLtMatmulHeuristicResult_t* results,
                                              int* found) {
  ++emulator::algorithms_asked;
  const Problem p = problem_of(operation, a, b, c, d);
  const auto wish = opened<Wish>(wishes);
  check(wanted >= 1, "no algorithm is wanted");
  const uint32_t epilogue = p.operation.epilogue;
  const uint32_t activation = epilogue & ~uint32_t{CUBLASLT_EPILOGUE_BIAS};
  check(epilogue == CUBLASLT_EPILOGUE_DEFAULT || activation == 0 ||
            activation == CUBLASLT_EPILOGUE_RELU || activation == CUBLASLT_EPILOGUE_GELU,
        "an unknown epilogue");
  *found = 0;
  if (is_set("LEVIN_EMULATOR_NO_ALGORITHM") ||
      (is_set("LEVIN_EMULATOR_NO_EPILOGUE") && epilogue != CUBLASLT_EPILOGUE_DEFAULT))
    return CUBLAS_STATUS_NOT_SUPPORTED;
  Algorithm algorithm{.problem = number_of(p),
                      .workspace = p.k < 64 ? 0 : std::min<uint64_t>(wish.workspace, 1 << 20),
                      .bias_alignment = has_bias(p) ? alignment_of(p.operation.bias) : 0,
                      .alignments = {}};
  std::memcpy(algorithm.alignments, wish.alignments, sizeof(wish.alignments));
  *results = {};
  results->workspaceSize = algorithm.workspace;
  results->state = CUBLAS_STATUS_SUCCESS;
  *found = 1;
  return keep(algorithm, &results->algo);
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t operation, const void* alpha,
                              const void* A, cublasLtMatrixLayout_t a, const void* B,
                              cublasLtMatrixLayout_t b, const void* beta, const void* C,
                              cublasLtMatrixLayout_t c, void* D, cublasLtMatrixLayout_t d,
                              const cublasLtMatmulAlgo_t* algo, void* workspace,
                              size_t workspace_bytes, cudaStream_t stream) {
  const Problem p = problem_of(operation, a, b, c, d);
  const auto algorithm = opened<Algorithm>(algo);
  check(algorithm.problem == number_of(p), "the algorithm was chosen for another product");
  check(C == D && A != D && B != D, "C is not D, or a factor is");
  check_memory(p.a, A, algorithm.alignments[0]);
  check_memory(p.b, B, algorithm.alignments[1]);
  check_memory(p.d, D, algorithm.alignments[3]);
  if (has_bias(p)) check_bias(p, algorithm.bias_alignment);
  check(workspace_bytes >= algorithm.workspace &&
            emulator::is_device_memory(workspace, workspace_bytes),
        "there is too little memory to work in");
  const Memory memory{static_cast<const char*>(A), static_cast<const char*>(B),
                      has_bias(p) ? static_cast<const char*>(p.operation.bias) : nullptr,
                      static_cast<char*>(D), static_cast<char*>(workspace)};
  ++emulator::products_made;
  emulator::enqueue(stream, work(p, memory, algorithm.workspace, alpha, beta));
  return CUBLAS_STATUS_SUCCESS;
}

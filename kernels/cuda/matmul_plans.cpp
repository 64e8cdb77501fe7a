#include "matmul_plans.h"

#include <cstring>
#include <utility>

namespace levin::inline v0::cuda {
namespace {

const char* lt_error(cublasStatus_t status) {
  return status == CUBLAS_STATUS_SUCCESS ? nullptr : cublasLtGetStatusString(status);
}

// ---- What cublasLt is asked for

// How far `count` lines of `length` elements lie apart; 0 where these do not lie side by side, or
// the lines overlap.
int64_t apart(int64_t count, int64_t stride, int64_t length, int64_t inner_stride) {
  if (length != 1 && inner_stride != 1) return 0;
  const int64_t apart = count == 1 ? length : stride;
  return apart >= length ? apart : 0;
}

// False where cublasLt cannot read the matrices. Of a vector, which is both, the long way.
bool find_side(const Matrices& x, int64_t rows, int64_t columns, PlanKey::Side* side) {
  const int64_t by_rows = apart(rows, x.row, columns, x.column);
  const int64_t by_columns = apart(columns, x.column, rows, x.row);
  *side = {by_columns > by_rows ? by_columns : by_rows, by_columns > by_rows, x.next,
           alignment_of(x.data)};
  return side->apart > 0 && side->next >= 0;
}

// False where cublasLt cannot make the product.
bool find_key(const Product& x, MatmulPrecision precision, PlanKey* key) {
  constexpr int64_t kMost = INT32_MAX;
  if (!is_floating(x.dtype) || x.k == 0) return false;
  if (x.count > kMost || x.m > kMost || x.n > kMost || x.k > kMost) return false;
  *key = {x.count, x.m, x.n, x.k, {}, {}, {}, 0, {}, {}, {}, {}};
  key->dtype = static_cast<int64_t>(x.dtype);
  key->precision = static_cast<int64_t>(x.dtype == kFloat32 ? precision : MatmulPrecision::highest);
  key->c = {apart(x.m, x.c.row, x.n, x.c.column), false, x.c.next, alignment_of(x.c.data)};
  return key->c.apart && find_side(x.a, x.m, x.k, &key->a) && find_side(x.b, x.k, x.n, &key->b);
}

// ---- Plans

cudaDataType_t type_of(int64_t dtype) {
  switch (static_cast<DType>(dtype)) {
    case DType::float64:
      return CUDA_R_64F;
    case DType::bfloat16:
      return CUDA_R_16BF;
    case DType::float16:
      return CUDA_R_16F;
    default:
      return CUDA_R_32F;
  }
}

cublasComputeType_t compute_of(const PlanKey& key) {
  if (static_cast<DType>(key.dtype) == kFloat64) return CUBLAS_COMPUTE_64F;
  switch (static_cast<MatmulPrecision>(key.precision)) {
    case MatmulPrecision::high:
      return CUBLAS_COMPUTE_32F_FAST_TF32;
    case MatmulPrecision::bf16:
      return CUBLAS_COMPUTE_32F_FAST_16BF;
    case MatmulPrecision::highest:
      break;
  }
  return CUBLAS_COMPUTE_32F;
}

const char* set(cublasLtMatmulDescOpaque_t& operation, cublasLtMatmulDescAttributes_t what,
                const auto& value) {
  return lt_error(cublasLtMatmulDescSetAttribute(&operation, what, &value, sizeof(value)));
}
const char* set(cublasLtMatrixLayoutOpaque_t& layout, cublasLtMatrixLayoutAttribute_t what,
                const auto& value) {
  return lt_error(cublasLtMatrixLayoutSetAttribute(&layout, what, &value, sizeof(value)));
}
const char* set(cublasLtMatmulPreferenceOpaque_t& preference,
                cublasLtMatmulPreferenceAttributes_t what, const auto& value) {
  return lt_error(cublasLtMatmulPreferenceSetAttribute(&preference, what, &value, sizeof(value)));
}

// Rows and columns are ours.
const char* make_layout(const PlanKey& key, int64_t dtype, const PlanKey::Side& side, int64_t rows,
                        int64_t columns, cublasLtMatrixLayoutOpaque_t* layout) {
  if (!side.by_columns) std::swap(rows, columns);
  LEVIN_TRY(lt_error(cublasLtMatrixLayoutInit(layout, type_of(dtype), rows, columns, side.apart)));
  if (key.count == 1) return nullptr;
  LEVIN_TRY(set(*layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, static_cast<int32_t>(key.count)));
  return set(*layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, side.next);
}

const char* describe(const PlanKey& key, Plan* plan) {
  const auto scale = static_cast<DType>(key.dtype) == kFloat64 ? CUDA_R_64F : CUDA_R_32F;
  LEVIN_TRY(lt_error(cublasLtMatmulDescInit(&plan->operation, compute_of(key), scale)));
  const auto turn = [](const PlanKey::Side& side) -> int32_t {
    return side.by_columns ? CUBLAS_OP_T : CUBLAS_OP_N;
  };
  LEVIN_TRY(set(plan->operation, CUBLASLT_MATMUL_DESC_TRANSA, turn(key.b)));
  LEVIN_TRY(set(plan->operation, CUBLASLT_MATMUL_DESC_TRANSB, turn(key.a)));
  LEVIN_TRY(
      set(plan->operation, CUBLASLT_MATMUL_DESC_EPILOGUE, static_cast<uint32_t>(key.epilogue)));
  LEVIN_TRY(make_layout(key, key.dtype, key.a, key.m, key.k, &plan->a));
  LEVIN_TRY(make_layout(key, key.dtype, key.b, key.k, key.n, &plan->b));
  return make_layout(key, key.out, key.c, key.m, key.n, &plan->c);
}

// Asks for the algorithm. There may be none, at least with the epilogue.
const char* choose(cublasLtHandle_t handle, const PlanKey& key, std::size_t workspace, Plan* plan) {
  cublasLtMatmulPreferenceOpaque_t wish;
  LEVIN_TRY(lt_error(cublasLtMatmulPreferenceInit(&wish)));
  LEVIN_TRY(set(wish, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, static_cast<uint64_t>(workspace)));
  const auto align = [&](cublasLtMatmulPreferenceAttributes_t what, const PlanKey::Side& side) {
    return set(wish, what, static_cast<uint32_t>(side.alignment));
  };
  LEVIN_TRY(align(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, key.b));
  LEVIN_TRY(align(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, key.a));
  LEVIN_TRY(align(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, key.c));
  LEVIN_TRY(align(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, key.c));
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(
      handle, &plan->operation, &plan->b, &plan->a, &plan->c, &plan->c, &wish, 1, &found, &count);
  plan->possible =
      status == CUBLAS_STATUS_SUCCESS && count == 1 && found.state == CUBLAS_STATUS_SUCCESS;
  plan->algorithm = found.algo;
  return nullptr;
}

}  // namespace

int64_t alignment_of(const void* pointer) {
  const auto at = reinterpret_cast<uintptr_t>(pointer);
  return at % 256 == 0 ? 256 : static_cast<int64_t>(at & -at);
}

// ---- The products of one GPU

Products::~Products() {
  if (handle_) cublasLtDestroy(handle_);
  if (workspace_) cudaFree(workspace_);
}

const char* Products::open(Gpu& gpu) {
  int major = 0;
  LEVIN_TRY(
      error_of(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, gpu.index())));
  workspace_bytes_ = std::size_t{major >= 9 ? 32u : 4u} << 20;
  // Its address stays: captured graphs hold it.
  LEVIN_TRY(gpu.allocate_own(workspace_bytes_, &workspace_));
  return lt_error(cublasLtCreate(&handle_));
}

std::size_t Products::Hash::operator()(const PlanKey& key) const {
  static_assert(std::has_unique_object_representations_v<PlanKey>);
  uint64_t words[sizeof(PlanKey) / 8], hash = 0;
  std::memcpy(words, &key, sizeof(PlanKey));
  for (const uint64_t word : words) hash = (hash ^ word) * 0x9e3779b97f4a7c15, hash ^= hash >> 32;
  return hash;
}

// Null where cublasLt has none.
const char* Products::find(const PlanKey& key, const Product& x, Plan** plan) {
  auto found = plans_.find(key);
  if (found == plans_.end()) {
    if (plans_.size() == kMostPlans) plans_.clear();
    found = plans_.emplace(key, Plan{}).first;
    LEVIN_TRY(describe(key, &found->second));
    // Its alignment is part of the choice.
    if (key.has_bias())
      LEVIN_TRY(set(found->second.operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, x.bias));
    LEVIN_TRY(choose(handle_, key, workspace_bytes_, &found->second));
  }
  *plan = found->second.possible ? &found->second : nullptr;
  return nullptr;
}

const char* Products::multiply(Gpu& gpu, const Product& x, MatmulPrecision precision, int epilogue,
                               DType out, bool* done) {
  *done = false;
  PlanKey key;
  if (!find_key(x, precision, &key)) return nullptr;
  key.epilogue = epilogue;
  key.out = static_cast<int64_t>(out);
  if (key.has_bias()) key.bias_alignment = alignment_of(x.bias);
  Plan* plan = nullptr;
  LEVIN_TRY(find(key, x, &plan));
  if (!plan) return nullptr;
  *done = true;
  if (key.has_bias()) LEVIN_TRY(set(plan->operation, CUBLASLT_MATMUL_DESC_BIAS_POINTER, x.bias));
  const float factors[] = {static_cast<float>(x.alpha), static_cast<float>(x.beta)};
  const bool wide = x.dtype == kFloat64;
  const void* alpha = wide ? static_cast<const void*>(&x.alpha) : &factors[0];
  const void* beta = wide ? static_cast<const void*>(&x.beta) : &factors[1];
  return lt_error(cublasLtMatmul(handle_, &plan->operation, alpha, x.b.data, &plan->b, x.a.data,
                                 &plan->a, beta, x.c.data, &plan->c, x.c.data, &plan->c,
                                 &plan->algorithm, workspace_, workspace_bytes_, gpu.stream()));
}

}  // namespace levin::inline v0::cuda

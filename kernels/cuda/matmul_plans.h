// Products by cublasLt, and what is kept of them: a plan for each kind of product, so that a product
// that was made before creates nothing.
#pragma once

#include <cublasLt.h>

#include <unordered_map>

#include "matmul.h"

namespace levin::inline v0::cuda {

int64_t alignment_of(const void* pointer);

/// All that a plan depends on. A matrix is rows, or (by columns) columns, that lie `apart`.
struct PlanKey {
  struct Side {
    int64_t apart, by_columns, next, alignment;
    bool operator==(const Side&) const = default;
  };
  int64_t count, m, n, k;
  Side a, b, c;
  int64_t bias_alignment, dtype, out, precision, epilogue;

  bool has_bias() const { return epilogue & CUBLASLT_EPILOGUE_BIAS; }
  bool operator==(const PlanKey&) const = default;
};

/// What cublasLt made of a key. It owns no memory elsewhere.
struct Plan {
  cublasLtMatmulDescOpaque_t operation;
  cublasLtMatrixLayoutOpaque_t a, b, c;
  cublasLtMatmulAlgo_t algorithm;
  bool possible;
};

/// The products of one GPU.
class Products {
 public:
  Products() = default;
  Products(const Products&) = delete;
  Products& operator=(const Products&) = delete;
  ~Products();
  const char* open(Gpu&);

  /// Makes a product, with the bias where the epilogue has one, into elements of type `out`. *done
  /// says whether cublasLt could: it reads only matrices that are contiguous in one direction,
  /// writes only rows, and need not have the epilogue.
  const char* multiply(Gpu&, const Product&, MatmulPrecision, int epilogue, DType out, bool* done);

 private:
  struct Hash {
    std::size_t operator()(const PlanKey&) const;
  };
  static constexpr std::size_t kMostPlans = 4096;

  const char* find(const PlanKey&, const Product&, Plan**);

  cublasLtHandle_t handle_ = nullptr;
  void* workspace_ = nullptr;
  std::size_t workspace_bytes_ = 0;
  std::unordered_map<PlanKey, Plan, Hash> plans_;
};

}  // namespace levin::inline v0::cuda

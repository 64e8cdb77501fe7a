// The table of inner loops that is compiled once for each instruction set and chosen when the
// program starts.
#pragma once

#include <atomic>
#include <cstdint>

#include "../backend.h"
#include "../convert.h"
#include "../lanes.h"
#include "../op.h"

namespace levin::inline v0 {

/// n elements of a formula: contiguous operands of the compute type; predicates write bool. in[3]
/// is g.
using TileFunction = void (*)(const void* const* in, void* out, const double* numbers, int64_t n);

/// c = activation(alpha a b + beta c + bias) for one pair of matrices, strides in elements; S is the
/// type of the elements, T that of the arithmetic. gemm() reads a in place where a_row or a_column is
/// 1 and scratch is null; else it packs kRowBlock rows of a block of k there at a time.
template <class T, class S = T>
struct GemmProblem {
  int64_t m, n, k;
  const S* a;
  int64_t a_row, a_column;
  const S* b;
  int64_t b_row, b_column;
  S* c;
  int64_t c_row, c_column;
  const S* bias;  // [n], stride 1, or null
  T alpha, beta;
  bool relu = false;                  // as activation
  TileFunction activation = nullptr;  // null for none, and for relu
  T* scratch = nullptr;
};

/// A product's sums are taken over blocks of k: of equal length, at most this.
inline constexpr int64_t kMostBlock = 256;
/// Rows of a that stay in the second cache for a block of k.
template <class T>
inline constexpr int64_t kRowBlock = 3072 / sizeof(T);

/// A part of a parameter and of what an optimizer remembers of it; states may be null.
template <class T>
struct UpdateRow {
  T* p;
  const T* g;
  T* state[kMaxStates];
  int64_t n;
};

/// One update of a row by a rule, and by what the rule's advance() gave.
template <class T>
using UpdateFunction = void (*)(const UpdateRow<T>& row, const void* rule, const void* factors);

/// Rows [count, classes] with a class for each, their losses and (or null) their slopes times scale.
template <class T>
struct EntropyRows {
  const T* x;
  const int64_t* target;
  T *loss, *slopes;
  T scale;
  int64_t count, classes, ignored;
};

/// Rows [count, size] of layer normalisation, and what the backward pass reads of a row.
template <class T>
struct NormRows {
  const T *x, *weight;  // weight may be null
  T *mean, *scale;
  int64_t count, size;
};

/// The loops that depend on the element type.
template <class T>
struct RowLoops {
  /// Sum in the fixed lanes; at most kSumBlock elements.
  T (*sum_block)(const T* x, int64_t n);
  /// sum_block of at least kFewElements in parts: `x` goes on a multiple of kLanes elements behind the
  /// last part; the lanes start at 0.
  void (*add_to_lanes)(const T* x, int64_t n, T* lanes);
  T (*sum_of_lanes)(const T* lanes);
  /// sum_block of each row.
  void (*sum_rows)(const T* x, int64_t rows, int64_t n, T* out);
  /// The sum of each of at most kSumColumns columns, rows `row_stride` apart.
  void (*sum_columns)(const T* x, int64_t rows, int64_t row_stride, int64_t columns, T* out);
  T (*square_distance_block)(const T* x, const T* target, int64_t n);
  T (*square_deviation_block)(const T* x, T mean, int64_t n);
  void (*square_slope)(const T* x, const T* target, T g, T scale, int64_t n, T* out);
  /// The largest (or smallest) element; NaN where there is one.
  T (*extreme_block)(const T* x, int64_t n, bool largest);
  void (*softmax)(const T* x, T* out, int64_t rows, int64_t n, bool log);
  void (*softmax_backward)(const T* y, const T* g, T* out, int64_t rows, int64_t n, bool log);
  void (*entropy)(const EntropyRows<T>&);
  /// out = x g
  void (*scale)(const T* x, T g, int64_t n, T* out);
  void (*layer_norm)(const NormRows<T>&, T eps, const T* bias, T* out);
  /// sums [2, size]: the gradients of weight and bias. dx or sums may be null.
  void (*layer_norm_backward)(const NormRows<T>&, const T* g, T* dx, T* sums);
  void (*gemm)(const GemmProblem<T>&);
  UpdateFunction<T> update[kRules];
};

/// Columns that are summed at a time: 1 KiB of them, whose lanes stay in the cache.
template <class T>
inline constexpr int64_t kSumColumns = 1024 / sizeof(T);

/// The compute types, in the order of the tables.
enum ComputeType : uint8_t { kComputeF32, kComputeF64, kComputeI64, kComputeTypes };

struct Isa {
  const char* name;
  TileFunction tiles[kOps][kOpParts][kComputeTypes];
  RowLoops<float> f32;
  RowLoops<double> f64;
  /// n elements of a type to float32 (not of floats), and float32 to 16-bit floats; by element type.
  void (*widen[kDTypes])(const void* from, float* to, int64_t n);
  void (*narrow[kDTypes])(const float* from, void* to, int64_t n);
};

void fill_baseline(Isa* isa);
void fill_avx2(Isa* isa);
void fill_avx512(Isa* isa);

/// Null before the first call of isa().
extern constinit std::atomic<const Isa*> chosen_isa;
const Isa& choose_isa();

/// The best one this machine runs; the environment variable LEVIN_ISA=baseline|avx2 forces a lower
/// one.
inline const Isa& isa() {
  const Isa* chosen = chosen_isa.load(std::memory_order_acquire);
  return chosen ? *chosen : choose_isa();
}

template <class T>
const RowLoops<T>& row_loops();
template <>
inline const RowLoops<float>& row_loops<float>() {
  return isa().f32;
}
template <>
inline const RowLoops<double>& row_loops<double>() {
  return isa().f64;
}

}  // namespace levin::inline v0

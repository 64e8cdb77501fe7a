// Decompositions of batches of matrices, by Eigen.
#define EIGEN_MPL2_ONLY
#define EIGEN_DONT_PARALLELIZE
// Eigen cuts long sums to fit the machine's caches: cut here by one size, they give the same bits
// on every machine.
#define EIGEN_TEST_SPECIFIC_BLOCKING_SIZES 1
#define EIGEN_TEST_SPECIFIC_BLOCKING_SIZE_K 256
#define EIGEN_TEST_SPECIFIC_BLOCKING_SIZE_M 128
#define EIGEN_TEST_SPECIFIC_BLOCKING_SIZE_N 512
// In a namespace of its own: a program that uses Eigen too, compiled for other instructions, must
// not get these functions when it is linked, nor give its own.
#define Eigen levin_eigen

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <atomic>
#include <cstdio>
#include <type_traits>

#include "../pool.h"
#include "../thread_state.h"
#include "cpu_backend.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
auto matrix_at(T* data, int64_t rows, int64_t columns) {
  using Rows =
      Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Maybe = std::conditional_t<std::is_const_v<T>, const Rows, Rows>;
  return Eigen::Map<Maybe>(data, rows, columns);
}

// One problem of a batch; false where it has no result. Eigen computes on matrices of its own: the
// order of its sums depends on their alignment, which a batch's matrices do not share.
template <class T>
bool run_one(LinalgKind kind, int64_t n, int64_t columns, const T* a, const T* b, T* out) {
  if (n == 0 || columns == 0) {  // Eigen adds offsets to the null pointer of an empty matrix
    if (kind == LinalgKind::det) *out = T(1);
    return true;
  }
  if (kind == LinalgKind::cholesky) {
    const Eigen::LLT<Matrix<T>> factors(matrix_at(a, n, n));
    const Matrix<T> lower = factors.matrixL();
    matrix_at(out, n, n) = lower;
    return factors.info() == Eigen::Success && (lower.diagonal().array() > 0).all();
  }
  const Eigen::PartialPivLU<Matrix<T>> factors(matrix_at(a, n, n));
  if (kind == LinalgKind::det) {
    *out = factors.determinant();
    return true;
  }
  if ((factors.matrixLU().diagonal().array() == 0).any()) return false;
  Matrix<T> x;
  if (kind == LinalgKind::inverse)
    x = factors.inverse();
  else
    x = factors.solve(matrix_at(b, n, columns));
  matrix_at(out, n, columns) = x;
  return true;
}

// "is not possible: matrix [1, 0] is singular"
const char* no_result(LinalgKind kind, const Layout& a, int64_t at) {
  int64_t place[kMaxDims];
  const int leading = a.dim() - 2;
  for (int d = leading - 1; d >= 0; at /= a.shape[d--]) place[d] = at % a.shape[d];
  char* text = thread_state().error;
  int used = 0;
  const auto add = [&](const char* format, auto... what) {
    used += std::snprintf(text + used, sizeof(ThreadState::error) - used, format, what...);
  };
  add("is not possible: %s", leading ? "matrix" : "the matrix");
  for (int d = 0; d < leading; ++d) add(d ? ", %lld" : " [%lld", static_cast<long long>(place[d]));
  add("%s is %s", leading ? "]" : "",
      kind == LinalgKind::cholesky ? "not positive definite" : "singular");
  return text;
}

template <class T>
const char* run(const LinalgCall& call) {
  const Layout& layout = *call.a.layout;
  const bool scalar = call.kind == LinalgKind::det;
  const int64_t n = layout.shape.back(), columns = scalar ? 1 : call.out.layout->shape.back();
  const int64_t step = scalar ? 1 : n * columns;
  const int64_t count = Shape(layout.shape.begin(), layout.dim() - 2).numel();
  const T* a = data_of<const T>(call.a);
  const T* b = call.b.block ? data_of<const T>(call.b) : nullptr;
  T* out = data_of<T>(call.out);
  std::atomic<int64_t> failed{count};
  std::atomic<bool> no_memory{false};
  parallel_for(count, 300000 / (n * n * n + 1) + 1, [&](int64_t begin, int64_t end) {
    try {
      for (int64_t i = begin; i < end; ++i) {
        if (run_one(call.kind, n, columns, a + i * n * n, b ? b + i * step : b, out + i * step))
          continue;
        for (int64_t first = failed; i < first && !failed.compare_exchange_weak(first, i);) {
        }
      }
    } catch (const std::bad_alloc&) {
      no_memory = true;
    }
  });
  if (no_memory) return "needs more memory than there is";
  return failed < count ? no_result(call.kind, layout, failed) : nullptr;
}

}  // namespace

const char* linalg(const LinalgCall& call) {
  if (call.a.layout->dtype == kFloat32) return run<float>(call);
  if (call.a.layout->dtype == kFloat64) return run<double>(call);
  return "needs float32 or float64";
}

}  // namespace levin::inline v0::cpu

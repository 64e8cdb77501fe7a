// Batched matrix products: each pair of matrices is one problem of gemm.h, large ones cut over the
// pool.
#include <algorithm>

#include "../pool.h"
#include "cpu_backend.h"
#include "isa.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

constexpr int64_t kSmall = 300000;  // multiply-adds below which threads cost more than they give
constexpr int64_t kCut =
    96;  // rows or columns of c in one piece: whole tiles of every instruction set
constexpr int64_t kNarrowRows = 48, kNarrowColumns = 64;  // of c, in float32 at one time

void multiply(const GemmProblem<float>& x) { row_loops<float>().gemm(x); }
void multiply(const GemmProblem<double>& x) { row_loops<double>().gemm(x); }

template <class S>
void widen(const S* x, int64_t row, int64_t column, int64_t rows, int64_t columns, float* to) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) *to++ = convert_from<float>(x[i * row + j * column]);
}

// 16-bit elements pass through float32 buffers that stay in the cache, block of k by block of k as
// in gemm(): c has the sums of converted operands, rounded once.
template <class S>
void multiply(const GemmProblem<float, S>& x) {
  float a[kNarrowRows * kMostBlock], b[kMostBlock * kNarrowColumns];
  float c[kNarrowRows * kNarrowColumns], bias[kNarrowColumns];
  const int64_t blocks = x.k <= kMostBlock ? 1 : (x.k + kMostBlock - 1) / kMostBlock;
  const int64_t length = (x.k + blocks - 1) / blocks;
  for (int64_t j = 0; j < x.n; j += kNarrowColumns) {
    const int64_t n = std::min(kNarrowColumns, x.n - j);
    if (x.bias) widen(x.bias + j, 0, 1, 1, n, bias);
    for (int64_t i = 0; i < x.m; i += kNarrowRows) {
      const int64_t m = std::min(kNarrowRows, x.m - i);
      S* to = x.c + i * x.c_row + j * x.c_column;
      if (x.beta != 0) widen(to, x.c_row, x.c_column, m, n, c);
      for (int64_t block = 0; block < blocks; ++block) {
        const int64_t from = block * length, k = std::min(length, x.k - from);
        widen(x.a + i * x.a_row + from * x.a_column, x.a_row, x.a_column, m, k, a);
        widen(x.b + from * x.b_row + j * x.b_column, x.b_row, x.b_column, k, n, b);
        const bool last = block == blocks - 1;
        multiply(GemmProblem<float>{m, n, k, a, k, 1, b, n, 1, c, n, 1,
                                    x.bias && last ? bias : nullptr, x.alpha,
                                    block == 0 ? x.beta : 1});
      }
      for (int64_t r = 0; r < m; ++r)
        for (int64_t q = 0; q < n; ++q)
          to[r * x.c_row + q * x.c_column] = convert_to<S>(c[r * n + q]);
    }
  }
}

// Integers wrap around.
template <class S>
void multiply(const GemmProblem<int64_t, S>& x) {
  for (int64_t i = 0; i < x.m; ++i) {
    for (int64_t j = 0; j < x.n; ++j) {
      uint64_t sum = 0;
      for (int64_t p = 0; p < x.k; ++p)
        sum += uint64_t(x.a[i * x.a_row + p * x.a_column]) *
               uint64_t(x.b[p * x.b_row + j * x.b_column]);
      S& to = x.c[i * x.c_row + j * x.c_column];
      sum *= uint64_t(x.alpha);
      if (x.beta != 0) sum += uint64_t(x.beta) * uint64_t(to);
      if (x.bias) sum += uint64_t(x.bias[j]);
      to = static_cast<S>(sum);
    }
  }
}

template <class T, class S>
void run_problem(const GemmProblem<T, S>& problem) {
  if (problem.m * problem.n * problem.k < kSmall) return multiply(problem);
  const bool by_rows = problem.m >= problem.n;
  parallel_for(by_rows ? problem.m : problem.n, kCut, [&](int64_t begin, int64_t end) {
    GemmProblem<T, S> piece = problem;
    if (by_rows) {
      piece.m = end - begin;
      piece.a += begin * problem.a_row;
      piece.c += begin * problem.c_row;
    } else {
      piece.n = end - begin;
      piece.b += begin * problem.b_column;
      piece.c += begin * problem.c_column;
      if (piece.bias) piece.bias += begin;
    }
    multiply(piece);
  });
}

// Calls f(element offset) for every matrix of a batch.
struct Batch {
  Walk walk;
  int64_t count;
  explicit Batch(const Layout& layout) {
    Layout leading;
    leading.offset = layout.offset;
    for (int d = 0; d < layout.dim() - 2; ++d) {
      leading.strides[d] = layout.strides[d];
      leading.shape.push_back(layout.shape[d]);
    }
    walk = Walk(leading);
    count = leading.numel();
  }
  int64_t offset(int64_t i) const {
    int64_t result = 0;
    walk.runs(i, 1, [&](int64_t at, int64_t, int64_t) { result = at; });
    return result;
  }
};

template <class T, class S>
void run(const MatmulCall& call) {
  const Layout &a = *call.a.layout, &b = *call.b.layout, &c = *call.c.layout;
  const int d = c.dim();
  GemmProblem<T, S> problem{};
  problem.m = c.shape[d - 2];
  problem.n = c.shape[d - 1];
  problem.k = a.shape[d - 1];
  problem.a_row = a.strides[d - 2], problem.a_column = a.strides[d - 1];
  problem.b_row = b.strides[d - 2], problem.b_column = b.strides[d - 1];
  problem.c_row = c.strides[d - 2], problem.c_column = c.strides[d - 1];
  problem.alpha = static_cast<T>(call.alpha);
  problem.beta = static_cast<T>(call.beta);
  if (call.bias.block) problem.bias = data_of<S>(call.bias);
  const S* a_data = static_cast<const S*>(call.a.block->data);
  const S* b_data = static_cast<const S*>(call.b.block->data);
  S* c_data = static_cast<S*>(call.c.block->data);
  const auto run_at = [&](GemmProblem<T, S>& one, int64_t a_at, int64_t b_at, int64_t c_at) {
    one.a = a_data + a_at;
    one.b = b_data + b_at;
    one.c = c_data + c_at;
    run_problem(one);
  };
  if (d == 2) return run_at(problem, a.offset, b.offset, c.offset);
  const Batch as(a), bs(b), cs(c);
  const int64_t grain = kSmall / (problem.m * problem.n * problem.k + 1) + 1;
  parallel_for(cs.count, grain, [&](int64_t begin, int64_t end) {
    GemmProblem<T, S> one = problem;
    for (int64_t i = begin; i < end; ++i) run_at(one, as.offset(i), bs.offset(i), cs.offset(i));
  });
}

}  // namespace

const char* matmul(const MatmulCall& call) {
  const DType dtype = call.c.layout->dtype;
  if (dtype == kBool) return "needs numbers";
  with_type(dtype, [&](auto element) {
    using S = decltype(element);
    using Wide = std::conditional_t<std::is_integral_v<S>, int64_t, float>;
    run<std::conditional_t<std::is_floating_point_v<S>, S, Wide>, S>(call);
  });
  return nullptr;
}

}  // namespace levin::inline v0::cpu

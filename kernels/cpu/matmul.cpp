// Batched matrix products: each pair of matrices is one problem of gemm.h, large ones cut over the
// pool.
#include "../pool.h"
#include "cpu_backend.h"
#include "isa.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

constexpr int64_t kSmall = 300000;  // multiply-adds below which threads cost more than they give
constexpr int64_t kCut =
    96;  // rows or columns of c in one piece: whole tiles of every instruction set

template <class T>
void run_problem(const GemmProblem<T>& problem) {
  if (problem.m * problem.n * problem.k < kSmall) return row_loops<T>().gemm(problem);
  const bool by_rows = problem.m >= problem.n;
  parallel_for(by_rows ? problem.m : problem.n, kCut, [&](int64_t begin, int64_t end) {
    GemmProblem<T> piece = problem;
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
    row_loops<T>().gemm(piece);
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

template <class T>
void run(const MatmulCall& call) {
  const Layout &a = *call.a.layout, &b = *call.b.layout, &c = *call.c.layout;
  const int d = c.dim();
  GemmProblem<T> problem{};
  problem.m = c.shape[d - 2];
  problem.n = c.shape[d - 1];
  problem.k = a.shape[d - 1];
  problem.a_row = a.strides[d - 2], problem.a_column = a.strides[d - 1];
  problem.b_row = b.strides[d - 2], problem.b_column = b.strides[d - 1];
  problem.c_row = c.strides[d - 2], problem.c_column = c.strides[d - 1];
  problem.alpha = static_cast<T>(call.alpha);
  problem.beta = static_cast<T>(call.beta);
  if (call.bias.block) problem.bias = data_of<T>(call.bias);
  const T* a_data = static_cast<const T*>(call.a.block->data);
  const T* b_data = static_cast<const T*>(call.b.block->data);
  T* c_data = static_cast<T*>(call.c.block->data);
  const auto run_at = [&](GemmProblem<T>& one, int64_t a_at, int64_t b_at, int64_t c_at) {
    one.a = a_data + a_at;
    one.b = b_data + b_at;
    one.c = c_data + c_at;
    run_problem(one);
  };
  if (d == 2) return run_at(problem, a.offset, b.offset, c.offset);
  const Batch as(a), bs(b), cs(c);
  const int64_t grain = kSmall / (problem.m * problem.n * problem.k + 1) + 1;
  parallel_for(cs.count, grain, [&](int64_t begin, int64_t end) {
    GemmProblem<T> one = problem;
    for (int64_t i = begin; i < end; ++i) run_at(one, as.offset(i), bs.offset(i), cs.offset(i));
  });
}

}  // namespace

const char* matmul(const MatmulCall& call) {
  if (call.c.layout->dtype == kFloat32)
    run<float>(call);
  else if (call.c.layout->dtype == kFloat64)
    run<double>(call);
  else
    return "needs float32 or float64";
  return nullptr;
}

}  // namespace levin::inline v0::cpu

// Batched matrix products: each pair of matrices is one problem of gemm.h, large ones cut over the
// pool.
#include <algorithm>
#include <atomic>
#include <exception>

#include "../pool.h"
#include "blas.h"
#include "command.h"
#include "cpu_backend.h"
#include "isa.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

constexpr int64_t kSmall = 300000;  // multiply-adds below which threads cost more than they give
constexpr int64_t kPiece = 32;      // rows or columns of c that no two threads share: whole vectors
constexpr int64_t kNarrowRows = 48, kNarrowColumns = 64;  // of c, in float32 at one time

// Rows of a that lie whole pages apart push each other out of the cache; of a large a every tile
// would come from far away. gemm() can read no matrix in place that is contiguous in no direction.
template <class T>
bool packs_a(const GemmProblem<T>& x) {
  if (x.a_row != 1 && x.a_column != 1) return true;
  const int64_t apart = x.a_column == 1 ? x.a_row : x.a_column;
  return x.n > 64 && (x.m * x.k > 900000 || apart * sizeof(T) % 4096 == 0);
}

// False where there is no memory.
template <class T>
requires std::is_floating_point_v<T>
bool multiply(const GemmProblem<T>& x) {
  if (blas_multiply(x)) [[unlikely]]
    return true;
  if (!packs_a(x)) return row_loops<T>().gemm(x), true;
  const int64_t elements = std::min(x.m, kRowBlock<T>) * std::min(x.k, kMostBlock);
  try {
    const Ref<Block> scratch = Block::make(elements * sizeof(T), kCPU);
    GemmProblem<T> packed = x;
    packed.scratch = static_cast<T*>(scratch->data);
    row_loops<T>().gemm(packed);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

template <class S>
void widen(const S* x, int64_t row, int64_t column, int64_t rows, int64_t columns, float* to) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) *to++ = convert_from<float>(x[i * row + j * column]);
}

// 16-bit elements pass through float32 buffers that stay in the cache, block of k by block of k as
// in gemm(): c has the sums of converted operands, rounded once.
template <class S>
requires(sizeof(S) == 2) bool multiply(const GemmProblem<float, S>& x) {
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
  return true;
}

// Integers wrap around.
template <class S>
bool multiply(const GemmProblem<int64_t, S>& x) {
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
  return true;
}

// A large product is cut into one piece for each thread along c's longer side: products of their
// own, since every piece packs what it reads.
template <class T, class S>
bool run_problem(const GemmProblem<T, S>& x) {
  const int64_t work = x.m * x.n * x.k;
  if (work < kSmall) return multiply(x);
  const bool by_rows = x.m >= x.n;
  const int64_t pieces = std::min<int64_t>(num_threads(), 2 * work / kSmall);
  const int64_t length = (std::max(x.m, x.n) + pieces - 1) / pieces;
  std::atomic<bool> done = true;
  parallel_for(by_rows ? x.m : x.n, (length + kPiece - 1) / kPiece * kPiece,
               [&](int64_t begin, int64_t end) {
                 GemmProblem<T, S> piece = x;
                 if (by_rows) {
                   piece.m = end - begin;
                   piece.a += begin * x.a_row;
                   piece.c += begin * x.c_row;
                 } else {
                   piece.n = end - begin;
                   piece.b += begin * x.b_column;
                   piece.c += begin * x.c_column;
                   if (x.bias) piece.bias += begin;
                 }
                 if (!multiply(piece)) done = false;
               });
  return done;
}

// Where the matrices of a batch lie behind the first.
struct Batch {
  Walk walk;
  int64_t count;
  explicit Batch(const Layout& layout) {
    Layout leading;
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
bool run_batch(const MatmulCall& call, const GemmProblem<T, S>& problem) {
  const Batch as(*call.a.layout), bs(*call.b.layout), cs(*call.c.layout);
  const int64_t grain = kSmall / (problem.m * problem.n * problem.k + 1) + 1;
  std::atomic<bool> done = true;
  parallel_for(cs.count, grain, [&](int64_t begin, int64_t end) {
    GemmProblem<T, S> one = problem;
    for (int64_t i = begin; i < end; ++i) {
      one.a = problem.a + as.offset(i);
      one.b = problem.b + bs.offset(i);
      one.c = problem.c + cs.offset(i);
      if (!run_problem(one)) done = false;
    }
  });
  return done;
}

constexpr const char* kNoActivation = "needs float32 or float64 for an activation";

// The first of a call's products.
template <class T, class S>
GemmProblem<T, S> problem_of(const MatmulCall& call) {
  const Layout &a = *call.a.layout, &b = *call.b.layout, &c = *call.c.layout;
  const int d = c.dim();
  GemmProblem<T, S> x{};
  x.m = c.shape[d - 2];
  x.n = c.shape[d - 1];
  x.k = a.shape[d - 1];
  x.a = data_of<S>(call.a);
  x.a_row = a.strides[d - 2], x.a_column = a.strides[d - 1];
  x.b = data_of<S>(call.b);
  x.b_row = b.strides[d - 2], x.b_column = b.strides[d - 1];
  x.c = data_of<S>(call.c);
  x.c_row = c.strides[d - 2], x.c_column = c.strides[d - 1];
  x.alpha = static_cast<T>(call.alpha);
  x.beta = static_cast<T>(call.beta);
  if (call.bias.block) x.bias = data_of<S>(call.bias);
  if (call.activation) {
    x.relu = *call.activation == Op::relu;
    constexpr ComputeType kType = sizeof(S) == 4 ? kComputeF32 : kComputeF64;
    if (!x.relu) x.activation = isa().tiles[static_cast<int>(*call.activation)][0][kType];
  }
  return x;
}

template <class T, class S>
const char* run(const MatmulCall& call) {
  if (call.activation && !std::is_floating_point_v<S>) return kNoActivation;
  const auto x = problem_of<T, S>(call);
  const bool done = call.c.layout->dim() == 2 ? run_problem(x) : run_batch(call, x);
  return done ? nullptr : "needs more memory than the system has";
}

// A small product that needs no memory.
template <class T>
std::unique_ptr<Command> prepare_product(const MatmulCall& call) {
  const auto problem = problem_of<T, T>(call);
  if (call.c.layout->dim() != 2 || problem.m * problem.n * problem.k >= kSmall ||
      packs_a(problem) || blas_is_chosen())
    return nullptr;
  return command([x = problem, a = Place<T>(call.a), b = Place<T>(call.b), c = Place<T>(call.c),
                  bias = Place<T>(call.bias), gemm = row_loops<T>().gemm]() mutable {
    x.a = a.get(), x.b = b.get(), x.c = c.get(), x.bias = bias.get();
    gemm(x);
    return nullptr;
  });
}

}  // namespace

std::unique_ptr<Command> prepare(const MatmulCall& call) {
  const DType dtype = call.c.layout->dtype;
  if (dtype == kFloat32) return prepare_product<float>(call);
  return dtype == kFloat64 ? prepare_product<double>(call) : nullptr;
}

const char* matmul(const MatmulCall& call) {
  if (const char* error = blas_error()) [[unlikely]]
    return error;
  const DType dtype = call.c.layout->dtype;
  if (dtype == kFloat32) return run<float, float>(call);
  if (dtype == kBool) return "needs numbers";
  return with_type(dtype, [&](auto element) {
    using S = decltype(element);
    using Wide = std::conditional_t<std::is_integral_v<S>, int64_t, float>;
    return run<std::conditional_t<std::is_floating_point_v<S>, S, Wide>, S>(call);
  });
}

}  // namespace levin::inline v0::cpu

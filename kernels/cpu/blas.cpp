#include "blas.h"

#include <dlfcn.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace levin::inline v0 {
namespace {

// CBLAS's numbers
constexpr int kRowMajor = 101, kPlain = 111, kTransposed = 112;

template <class T>
using CblasGemm = void (*)(int order, int a_form, int b_form, int m, int n, int k, T alpha,
                           const T* a, int lda, const T* b, int ldb, T beta, T* c, int ldc);

struct Blas {
  const char* error = nullptr;
  CblasGemm<float> sgemm = nullptr;
  CblasGemm<double> dgemm = nullptr;
};

// A build without threads comes first: levin's pool cuts the work.
constexpr const char* kLibraries[] = {"/usr/lib/x86_64-linux-gnu/openblas-serial/libopenblas.so.0",
                                      "libopenblas.so.0", "libopenblas.so"};

Blas load() {
  Blas blas;
  const char* const chosen = std::getenv("LEVIN_MATMUL");
  if (!chosen || !*chosen || std::strcmp(chosen, "levin") == 0) return blas;
  if (std::strcmp(chosen, "openblas") != 0) {
    blas.error = "cannot run: LEVIN_MATMUL is neither levin nor openblas";
    return blas;
  }
  void* library = nullptr;
  for (const char* name : kLibraries)
    if (!library) library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    blas.error = "cannot run: LEVIN_MATMUL=openblas, but libopenblas.so.0 cannot be loaded";
    return blas;
  }
  blas.sgemm = reinterpret_cast<CblasGemm<float>>(dlsym(library, "cblas_sgemm"));
  blas.dgemm = reinterpret_cast<CblasGemm<double>>(dlsym(library, "cblas_dgemm"));
  const auto set_threads =
      reinterpret_cast<void (*)(int)>(dlsym(library, "openblas_set_num_threads"));
  if (!blas.sgemm || !blas.dgemm || !set_threads)
    blas.error = "cannot run: LEVIN_MATMUL=openblas, but libopenblas.so.0 lacks CBLAS functions";
  else
    set_threads(1);
  return blas;
}

const Blas& blas() {
  static const Blas loaded = load();
  return loaded;
}

// Of a matrix [rows, columns]: its form, and how far its rows (columns, where transposed) are apart.
// False where CBLAS has no such form.
bool form_of(int64_t rows, int64_t columns, int64_t row, int64_t column, int* form, int* apart) {
  *form = column == 1 ? kPlain : kTransposed;
  if (column != 1) std::swap(row, column), std::swap(rows, columns);
  *apart = static_cast<int>(row);
  return column == 1 && row >= columns && row <= INT_MAX;
}

template <class T>
bool multiply(CblasGemm<T> gemm, const GemmProblem<T>& x) {
  int a_form, b_form, c_form, lda, ldb, ldc;
  if (!gemm || x.m == 0 || x.n == 0 || x.k == 0 || std::max({x.m, x.n, x.k}) > INT_MAX ||
      x.c_column != 1 || !form_of(x.m, x.k, x.a_row, x.a_column, &a_form, &lda) ||
      !form_of(x.k, x.n, x.b_row, x.b_column, &b_form, &ldb) ||
      !form_of(x.m, x.n, x.c_row, x.c_column, &c_form, &ldc))
    return false;
  gemm(kRowMajor, a_form, b_form, static_cast<int>(x.m), static_cast<int>(x.n),
       static_cast<int>(x.k), x.alpha, x.a, lda, x.b, ldb, x.beta, x.c, ldc);
  if (x.bias || x.relu || x.activation) {  // levin's product of nothing adds them
    GemmProblem<T> rest = x;
    rest.k = 0;
    rest.beta = 1;
    row_loops<T>().gemm(rest);
  }
  return true;
}

}  // namespace

const char* blas_error() { return blas().error; }
bool blas_is_chosen() { return blas().error || blas().sgemm; }
bool blas_multiply(const GemmProblem<float>& x) { return multiply(blas().sgemm, x); }
bool blas_multiply(const GemmProblem<double>& x) { return multiply(blas().dgemm, x); }

}  // namespace levin::inline v0

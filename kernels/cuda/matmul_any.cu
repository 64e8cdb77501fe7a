// The products that cublasLt does not make: of integers, which wrap around, of matrices that are
// contiguous in no direction, and of no columns (k = 0). An element a thread, with the CPU's order of
// additions (cpu/gemm.h), so also with its bits.
#define LEVIN_GPU
#include "../convert.h"
#include "../formulas/one.h"
#include "elements.h"
#include "matmul.h"

namespace levin::inline v0::cuda {
namespace {

constexpr int64_t kMostBlock = 256;  // of k, summed from 0; as in cpu/isa.h

// Where the thread's element of each matrix lies. False where the thread has none.
struct Spot {
  int64_t row, column, a, b, c;
  __device__ bool find(const Product& x) {
    const int64_t i = thread_number();
    if (i >= x.count * x.m * x.n) return false;
    const int64_t line = i / x.n, matrix = line / x.m;
    column = i - line * x.n;
    row = line - matrix * x.m;
    a = matrix * x.a.next + row * x.a.row;
    b = matrix * x.b.next + column * x.b.column;
    c = matrix * x.c.next + row * x.c.row + column * x.c.column;
    return true;
  }
};

template <class S>
__device__ S& element(const Matrices& matrices, int64_t at) {
  return static_cast<S*>(matrices.data)[at];
}

// The type that elements S are computed in.
template <class S>
using Computed = std::conditional_t<std::is_integral_v<S>, int64_t,
                                    std::conditional_t<sizeof(S) == 8, double, float>>;

template <class T, class S>
__device__ One<T> loaded(S x) {
  return One<T>::raw(convert_from<T>(x));
}

template <class T>
__device__ One<T> multiply_add(One<T> a, One<T> b, One<T> c) {
  if constexpr (std::is_integral_v<T>)
    return a * b + c;
  else
    return fma(a, b, c);
}

template <class T, class S>
__global__ void product_kernel(Product x, T alpha, T beta, int64_t block) {
  using V = One<T>;
  Spot at;
  if (!at.find(x)) return;
  S& c = element<S>(x.c, at.c);
  V result(0);
  int64_t p = 0;
  do {  // once where k is 0
    V sum(0);
    for (const int64_t end = p + block < x.k ? p + block : x.k; p < end; ++p)
      sum = multiply_add(loaded<T>(element<S>(x.a, at.a + p * x.a.column)),
                         loaded<T>(element<S>(x.b, at.b + p * x.b.row)), sum);
    if (alpha != 1) sum = V::raw(alpha) * sum;
    if (p > block)
      result = result + sum;
    else
      result = beta != 0 ? multiply_add(V::raw(beta), loaded<T>(c), sum) : sum;
  } while (p < x.k);
  if (x.bias) result = result + loaded<T>(static_cast<const S*>(x.bias)[at.column]);
  c = convert_to<S>(result.v);
}

template <class T, class S>
__global__ void bias_kernel(Product x, const float* sums, T beta) {
  using V = One<T>;
  Spot at;
  if (!at.find(x)) return;
  S& c = element<S>(x.c, at.c);
  V result;
  if (!sums)
    result = loaded<T>(c);
  else {
    result = loaded<T>(sums[thread_number()]);
    if (beta != 0) result = multiply_add(V::raw(beta), loaded<T>(c), result);
  }
  result = result + loaded<T>(static_cast<const S*>(x.bias)[at.column]);
  c = convert_to<S>(result.v);
}

dim3 blocks_of(const Product& x) { return blocks_for(x.count * x.m * x.n, kThreads); }

}  // namespace

const char* multiply_any(Gpu& gpu, const Product& x) {
  const int64_t blocks = x.k <= kMostBlock ? 1 : blocks_for(x.k, kMostBlock);
  const int64_t block = blocks_for(x.k, blocks);
  return with_type(x.dtype, [&](auto element) {
    using S = decltype(element);
    using T = Computed<S>;
    return gpu.launch(product_kernel<T, S>, blocks_of(x), kThreads, x, static_cast<T>(x.alpha),
                      static_cast<T>(x.beta), block);
  });
}

const char* add_bias(Gpu& gpu, const Product& x, const float* sums) {
  return with_type(x.dtype, [&](auto element) {
    using S = decltype(element);
    using T = Computed<S>;
    return gpu.launch(bias_kernel<T, S>, blocks_of(x), kThreads, x, sums, static_cast<T>(x.beta));
  });
}

}  // namespace levin::inline v0::cuda

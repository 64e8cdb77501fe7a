// W6: matrix products into memory that is there, in float32 and float64, and what the processor's
// multiply-adds could do. LEVIN_MATMUL=openblas measures OpenBLAS through levin.
#include <immintrin.h>
#include <levin/kernels/backend.h>
#include <levin/kernels/cpu/isa.h>
#include <levin/tensor/factories.h>

#include <cstring>

#include "workload.h"

namespace {

using namespace levin;

// ---- The peak: accumulators that never leave their registers (all loops unrolled, or gcc keeps them
// in memory), more than latency needs

constexpr int kSteps = 1000, kAccumulators = 24, kFewAccumulators = 12;

[[gnu::target("avx512f")]] void multiply_add_512() {
  __m512 sums[kAccumulators], factor = _mm512_set1_ps(0.5f);
#pragma GCC unroll 24
  for (__m512& sum : sums) sum = factor;
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 24
    for (int i = 0; i < kAccumulators; ++i) sums[i] = _mm512_fmadd_ps(sums[i], factor, factor);
#pragma GCC unroll 24
    for (int i = 0; i < kAccumulators; ++i) asm volatile("" : "+v"(sums[i]));
  }
}

[[gnu::target("avx2,fma")]] void multiply_add_256() {
  __m256 sums[kFewAccumulators], factor = _mm256_set1_ps(0.5f);
#pragma GCC unroll 12
  for (__m256& sum : sums) sum = factor;
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kFewAccumulators; ++i) sums[i] = _mm256_fmadd_ps(sums[i], factor, factor);
#pragma GCC unroll 12
    for (int i = 0; i < kFewAccumulators; ++i) asm volatile("" : "+x"(sums[i]));
  }
}

void multiply_add_128() {
  __m128 sums[kFewAccumulators], factor = _mm_set1_ps(0.5f);
#pragma GCC unroll 12
  for (__m128& sum : sums) sum = factor;
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (int i = 0; i < kFewAccumulators; ++i)
      sums[i] = _mm_add_ps(_mm_mul_ps(sums[i], factor), factor);
#pragma GCC unroll 12
    for (int i = 0; i < kFewAccumulators; ++i) asm volatile("" : "+x"(sums[i]));
  }
}

// Reports seconds for one multiply-add of float32.
void add_peak() {
  const char* const name = isa().name;
  const bool is_512 = std::strcmp(name, "avx512") == 0, is_256 = std::strcmp(name, "avx2") == 0;
  const auto loop = is_512 ? multiply_add_512 : is_256 ? multiply_add_256 : multiply_add_128;
  const double each = is_512 ? kAccumulators * 16 : kFewAccumulators * (is_256 ? 8 : 4);
  add_workload("fma_peak/by_hand", [=](benchmark::State& state) {
    for (auto _ : state) loop();
    state.counters["each"] = benchmark::Counter(
        each * kSteps, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  });
}

// ---- Products

// c [m, n] = a [m, k] b [k, n]; a transposed one lies in memory as its transpose.
struct Product {
  int64_t m, n, k;
  bool a_transposed = false, b_transposed = false, with_bias = false;
};

Layout transposed(Layout layout, bool really) {
  if (!really) return layout;
  std::swap(layout.shape[0], layout.shape[1]);
  std::swap(layout.strides[0], layout.strides[1]);
  return layout;
}

void add_product(const std::string& name, const Product& p, DType dtype) {
  const auto run = [p, dtype](benchmark::State& state) {
    const auto matrix = [dtype](int64_t rows, int64_t columns, bool turned) {
      return rand(turned ? Shape{columns, rows} : Shape{rows, columns}).to(dtype);
    };
    const Tensor a = matrix(p.m, p.k, p.a_transposed), b = matrix(p.k, p.n, p.b_transposed),
                 c = matrix(p.m, p.n, false), bias = rand({p.n}).to(dtype);
    const Layout a_layout = transposed(a.layout(), p.a_transposed),
                 b_layout = transposed(b.layout(), p.b_transposed);
    MatmulCall call{.a = {a.impl().block.get(), &a_layout},
                    .b = {b.impl().block.get(), &b_layout},
                    .c = {c.impl().block.get(), &c.layout()}};
    if (p.with_bias) call.bias = {bias.impl().block.get(), &bias.layout()};
    measure(state, [&] { benchmark::DoNotOptimize(backend(kCPU).matmul(call)); });
    const double flops = 2.0 * static_cast<double>(p.m * p.n * p.k);
    state.counters["flop/s"] =
        benchmark::Counter(flops, benchmark::Counter::kIsIterationInvariantRate);
  };
  const bool large = p.m * p.n * p.k >= 300000;  // others stay on one thread
  add_workload(name + "/levin", run, large ? Threads::one_and_two : Threads::one);
}

void add_products(char letter, DType dtype) {
  for (const int64_t n : {4, 8, 16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048})
    add_product(letter + ("gemm_" + std::to_string(n)), {n, n, n}, dtype);
  // What training steps ask for: the seed's, W2's and W3's.
  const Product products[] = {{10, 10, 5, false, true, true},
                              {10, 5, 10, true},
                              {64, 128, 784, false, true},
                              {128, 784, 64, true},
                              {64, 10, 128, false, true},
                              {10, 128, 64, true},
                              {64, 128, 10},
                              {256, 1024, 1024, false, true},
                              {256, 1024, 1024},
                              {1024, 1024, 256, true}};
  for (const Product& p : products)
    add_product(letter + ("gemm_" + std::to_string(p.m) + "x" + std::to_string(p.n) + "x" +
                          std::to_string(p.k) + "_" + (p.a_transposed ? "t" : "n") +
                          (p.b_transposed ? "t" : "n")),
                p, dtype);
}

const bool kAdded = [] {
  add_peak();
  add_products('s', kFloat32);
  add_products('d', kFloat64);
  return true;
}();

}  // namespace

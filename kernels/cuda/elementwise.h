// The kernels of every formula: one for contiguous elements of one floating type, 16 bytes at a time,
// computed in float32; one for any layout and type, for each type that it is computed in.
#pragma once

#define LEVIN_GPU
#include "../formulas/evaluate.h"
#include "../formulas/math.h"
#include "elements.h"

namespace levin::inline v0::cuda {

/// Contiguous operands, all float32, bfloat16 or float16, 16-byte aligned; a null one is its number.
/// out is of that type, or of bools.
struct Packed {
  const void* in[4];
  void* out;
  double numbers[4];
  DType type;
};

struct Strided {
  Indexer<5> indexer;  // the last one is out
  const void* in[4];
  DType types[4];
  void* out;
  DType out_type;
  double numbers[4];
};

struct ElementwiseKernels {
  const char* (*packed)(Gpu&, const Packed&, int64_t n);
  const char* (*strided[3])(Gpu&, const Strided&, int64_t n);  // float32, float64, int64
};
using ElementwiseTable = ElementwiseKernels[kOps][kOpParts];

namespace {

// ---- Packed: 8 elements a thread

constexpr int kPerThread = 8;

// Where the first of a thread's elements with number e and those behind it lie. 16 bytes: 4 floats, the
// next 4 a block's width away, so that the lanes of a warp read memory without gaps; or 8 narrow ones.
struct PackedPlace {
  int64_t base;
  int thread, threads;
  bool wide;
  __device__ int64_t of(int e) const {
    if (!wide) return base + thread * kPerThread + e;
    return base + e / 4 * (4 * threads) + thread * 4 + e % 4;
  }
};

union SixteenBytes {
  uint4 whole;
  float floats[4];
  uint16_t halves[8];
};

__device__ inline float widened(uint16_t bits, DType type) {
  return type == DType::bfloat16 ? widen(BFloat16{bits}) : widen(Float16{bits});
}
__device__ inline uint16_t narrowed(float x, DType type) {
  return type == DType::bfloat16 ? to_bfloat16(x).bits : to_float16(x).bits;
}

__device__ inline void load_packed(const void* from, DType type, const PackedPlace& place,
                                   int64_t n, float (&x)[kPerThread]) {
  if (place.base + int64_t{kPerThread} * place.threads > n) {
    for (int e = 0; e < kPerThread; ++e)
      x[e] = place.of(e) < n ? load_as<float>(from, type, place.of(e)) : 0;
    return;
  }
  SixteenBytes bytes;
  if (place.wide) {
    for (int half = 0; half < 2; ++half) {
      bytes.whole =
          *reinterpret_cast<const uint4*>(static_cast<const float*>(from) + place.of(4 * half));
      for (int e = 0; e < 4; ++e) x[4 * half + e] = bytes.floats[e];
    }
  } else {
    bytes.whole = *reinterpret_cast<const uint4*>(static_cast<const uint16_t*>(from) + place.of(0));
    for (int e = 0; e < kPerThread; ++e) x[e] = widened(bytes.halves[e], type);
  }
}

__device__ inline void store_packed(const float (&x)[kPerThread], DType type,
                                    const PackedPlace& place, int64_t n, void* to) {
  if (place.base + int64_t{kPerThread} * place.threads > n) {
    for (int e = 0; e < kPerThread; ++e)
      if (place.of(e) < n) store_as<float>(to, type, place.of(e), x[e]);
    return;
  }
  SixteenBytes bytes;
  if (place.wide) {
    for (int half = 0; half < 2; ++half) {
      for (int e = 0; e < 4; ++e) bytes.floats[e] = x[4 * half + e];
      *reinterpret_cast<uint4*>(static_cast<float*>(to) + place.of(4 * half)) = bytes.whole;
    }
  } else {
    for (int e = 0; e < kPerThread; ++e) bytes.halves[e] = narrowed(x[e], type);
    *reinterpret_cast<uint4*>(static_cast<uint16_t*>(to) + place.of(0)) = bytes.whole;
  }
}

__device__ inline void store_packed(const bool (&x)[kPerThread], DType, const PackedPlace& place,
                                    int64_t n, void* to) {
  for (int e = 0; e < kPerThread; ++e)
    if (place.of(e) < n) static_cast<bool*>(to)[place.of(e)] = x[e];
}

template <class T>
__device__ T element_of(One<T> x) {
  return x.v;
}
__device__ inline bool element_of(OneMask m) { return m.m; }

template <class F, OpPart part>
__global__ void packed_kernel(Packed p, int64_t n) {
  using V = One<float>;
  const F formula = formula_with<F>(p.numbers);
  const PackedPlace place{static_cast<int64_t>(blockIdx.x) * blockDim.x * kPerThread,
                          static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x),
                          p.type == DType::float32};
  float x[4][kPerThread];
  for (int k = 0; k < 4; ++k) {
    if (!reads<F, part, V>(k)) continue;
    if (p.in[k])
      load_packed(p.in[k], p.type, place, n, x[k]);
    else
      for (int e = 0; e < kPerThread; ++e) x[k][e] = convert_to<float>(p.numbers[3 - k]);
  }
  using Result = decltype(element_of(evaluate<F, part>(formula, {V(0), V(0), V(0), V(0)})));
  Result result[kPerThread];
  for (int e = 0; e < kPerThread; ++e) {
    V values[4];
    for (int k = 0; k < 4; ++k) values[k] = reads<F, part, V>(k) ? V::raw(x[k][e]) : V(0);
    result[e] = element_of(evaluate<F, part>(formula, values));
  }
  store_packed(result, p.type, place, n, p.out);
}

template <class F, OpPart part>
const char* run_packed(Gpu& gpu, const Packed& p, int64_t n) {
  return gpu.launch(packed_kernel<F, part>, blocks_for(n, kThreads * kPerThread), kThreads, p, n);
}

// ---- Strided: an element a thread

template <class F, OpPart part, class T>
__global__ void strided_kernel(Strided s, int64_t n) {
  using V = One<T>;
  const int64_t i = thread_number();
  if (i >= n) return;
  int64_t at[5];
  s.indexer.find(i, at);
  V values[4];
  for (int k = 0; k < 4; ++k) {
    values[k] = V(0);
    if (!reads<F, part, V>(k)) continue;
    values[k] =
        V::raw(s.in[k] ? load_as<T>(s.in[k], s.types[k], at[k]) : convert_to<T>(s.numbers[3 - k]));
  }
  const auto result = element_of(evaluate<F, part>(formula_with<F>(s.numbers), values));
  if constexpr (__is_same(decltype(result), const bool))
    store_as<bool>(s.out, s.out_type, at[4], result);
  else
    store_as<T>(s.out, s.out_type, at[4], result);
}

template <class F, OpPart part, class T>
const char* run_strided(Gpu& gpu, const Strided& s, int64_t n) {
  return gpu.launch(strided_kernel<F, part, T>, blocks_for(n, kThreads), kThreads, s, n);
}

// ---- The table

template <class F, OpPart part>
void fill_part(ElementwiseKernels& kernels) {
  if constexpr (requires { F::kIntegersOnly; }) {
    if constexpr (part == OpPart::f) kernels.strided[2] = run_strided<F, part, int64_t>;
  } else if constexpr (has_part<F, One<float>, part>()) {
    kernels.packed = run_packed<F, part>;
    kernels.strided[0] = run_strided<F, part, float>;
    kernels.strided[1] = run_strided<F, part, double>;
    if constexpr (part == OpPart::f && !requires { F::kFloatsOnly; })
      kernels.strided[2] = run_strided<F, part, int64_t>;
  }
}

// Every fourth formula: the files that are compiled side by side take a part each.
template <int number, class F>
void fill_formula(ElementwiseTable& table, Op op) {
  if constexpr (number >= 0) {
    ElementwiseKernels* kernels = table[static_cast<int>(op)];
    fill_part<F, OpPart::f>(kernels[0]);
    fill_part<F, OpPart::d0>(kernels[1]);
    fill_part<F, OpPart::d1>(kernels[2]);
    fill_part<F, OpPart::d2>(kernels[3]);
  }
}

template <int part>
void fill_part_of_table(ElementwiseTable& table) {
#define OP(name, Struct, arguments, parameters) \
  fill_formula<static_cast<int>(Op::name) % 4 == part ? 0 : -1, formula::Struct>(table, Op::name);
#define FORMULA OP
#include "../ops.def"
#undef FORMULA
#undef OP
}

}  // namespace

void fill_elementwise_0(ElementwiseTable&);
void fill_elementwise_1(ElementwiseTable&);
void fill_elementwise_2(ElementwiseTable&);
void fill_elementwise_3(ElementwiseTable&);

}  // namespace levin::inline v0::cuda

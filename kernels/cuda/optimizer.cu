// A step of an optimizer: one pass over its spans, as many in a launch as a kernel's parameters hold.
#define LEVIN_GPU
#include "../formulas/math.h"
#include "../formulas/optimizers.h"
#include "calls.h"
#include "elements.h"

namespace levin::inline v0::cuda {
namespace {

// A thread takes two times 16 bytes of each operand.
template <class T>
constexpr int kPerLoad = 16 / sizeof(T);
template <class T>
constexpr int kPerThread = 2 * kPerLoad<T>;
template <class T>
constexpr int64_t kPerBlock = kThreads* kPerThread<T>;

template <class Rule, class T>
struct Part {
  T* p;
  const T* g;
  T* state[Rule::kStates];  // null where the rule does not use it now
  int64_t count;
  int32_t first_block;
  bool aligned;
};

// A kernel's parameters have 4096 bytes.
template <class Rule>
constexpr int kMostParts = (4000 - sizeof(Rule)) /
                           (sizeof(Part<Rule, double>) + sizeof(typename Rule::Factors));

template <class Rule, class T>
struct Parts {
  int count;
  Part<Rule, T> part[kMostParts<Rule>];
};

// What the host computes for each step.
template <class Rule>
struct Numbers {
  Rule rule;
  typename Rule::Factors factors[kMostParts<Rule>];
};

template <class Rule>
struct Advance {
  const double* numbers;
  int count;
  double* counters[kMostParts<Rule>];

  Numbers<Rule> operator()() const {
    Numbers<Rule> result{};
    std::memcpy(&result.rule, numbers, sizeof(Rule));
    for (int i = 0; i < count; ++i) result.factors[i] = result.rule.advance(counters[i]);
    return result;
  }
};

// The number of the part that a block works at: the last one that begins there or before.
template <class Rule, class T>
__device__ int part_of(const Parts<Rule, T>& parts, int block) {
  int low = 0, high = parts.count;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    (parts.part[middle].first_block <= block ? low : high) = middle;
  }
  return low;
}

template <class T>
union SixteenBytes {
  uint4 whole;
  T elements[kPerLoad<T>];
};

// The thread's elements of the `left` ones that begin there. A block that is not whole, or not
// aligned, is read element by element.
template <class T>
__device__ inline void load_part(const T* from, int64_t left, bool whole, T (&x)[kPerThread<T>]) {
  if (whole) {
    for (int i = 0; i < 2; ++i) {
      SixteenBytes<T> bytes;
      bytes.whole = reinterpret_cast<const uint4*>(from)[i * kThreads + threadIdx.x];
      for (int e = 0; e < kPerLoad<T>; ++e) x[i * kPerLoad<T> + e] = bytes.elements[e];
    }
  } else {
    for (int e = 0; e < kPerThread<T>; ++e) {
      const int at = e * kThreads + threadIdx.x;
      x[e] = at < left ? from[at] : T(0);
    }
  }
}

template <class T>
__device__ inline void store_part(const T (&x)[kPerThread<T>], int64_t left, bool whole, T* to) {
  if (whole) {
    for (int i = 0; i < 2; ++i) {
      SixteenBytes<T> bytes;
      for (int e = 0; e < kPerLoad<T>; ++e) bytes.elements[e] = x[i * kPerLoad<T> + e];
      reinterpret_cast<uint4*>(to)[i * kThreads + threadIdx.x] = bytes.whole;
    }
  } else {
    for (int e = 0; e < kPerThread<T>; ++e) {
      const int at = e * kThreads + threadIdx.x;
      if (at < left) to[at] = x[e];
    }
  }
}

template <class Rule, class T>
__global__ void update_kernel(Parts<Rule, T> parts, Gpu::Fresh<Numbers<Rule>> numbers) {
  using V = One<T>;
  constexpr int n = kPerThread<T>;
  const int number = part_of(parts, blockIdx.x);
  const Part<Rule, T> part = parts.part[number];
  const Rule rule = numbers.get().rule;
  const auto factors = numbers.get().factors[number];
  const int64_t base = (blockIdx.x - part.first_block) * kPerBlock<T>, left = part.count - base;
  const bool whole = part.aligned && left >= kPerBlock<T>;
  T p[n], g[n], state[Rule::kStates][n] = {};
  load_part(part.p + base, left, whole, p);
  load_part(part.g + base, left, whole, g);
  for (int s = 0; s < Rule::kStates; ++s)
    if (part.state[s]) load_part(part.state[s] + base, left, whole, state[s]);
  for (int e = 0; e < n; ++e) {
    V parameter = V::raw(p[e]), states[Rule::kStates];
    for (int s = 0; s < Rule::kStates; ++s) states[s] = V::raw(state[s][e]);
    rule.update(factors, V::raw(g[e]), parameter, states);
    p[e] = parameter.v;
    for (int s = 0; s < Rule::kStates; ++s) state[s][e] = states[s].v;
  }
  store_part(p, left, whole, part.p + base);
  for (int s = 0; s < Rule::kStates; ++s)
    if (part.state[s]) store_part(state[s], left, whole, part.state[s] + base);
}

bool aligned(const void* memory) { return reinterpret_cast<uintptr_t>(memory) % 16 == 0; }

template <class Rule, class T>
Part<Rule, T> part_of(const Span& span, int64_t first_block) {
  Part<Rule, T> part{data_of<T>(span.p),
                     data_of<T>(span.g),
                     {},
                     span.count,
                     static_cast<int32_t>(first_block),
                     aligned(data_of<T>(span.p)) && aligned(data_of<T>(span.g))};
  for (int s = 0; s < Rule::kStates; ++s) {
    if (!span.state[s].block) continue;
    part.state[s] = data_of<T>(span.state[s]);
    part.aligned &= aligned(part.state[s]);
  }
  return part;
}

template <class Rule, class T>
const char* run_parts(Gpu& gpu, const double* numbers, const Span* spans, int count) {
  Parts<Rule, T> parts{count, {}};
  Advance<Rule> advance{numbers, count, {}};
  int64_t blocks = 0;
  for (int i = 0; i < count; ++i) {
    parts.part[i] = part_of<Rule, T>(spans[i], blocks);
    advance.counters[i] = spans[i].counters;
    blocks += blocks_for(spans[i].count, kPerBlock<T>);
  }
  Gpu::Fresh<Numbers<Rule>> fresh;
  static_assert(sizeof(parts) + sizeof(fresh) <= 4096);
  LEVIN_TRY(gpu.fresh(advance, &fresh));
  if (blocks == 0) return nullptr;
  return gpu.launch(update_kernel<Rule, T>, blocks, kThreads, parts, fresh);
}

template <class Rule>
const char* run(Gpu& gpu, const OptimizerCall& call) {
  const auto type_of = [&](int64_t i) { return call.spans[i].p.layout->dtype; };
  for (int64_t first = 0; first < call.count;) {
    const DType type = type_of(first);
    if (type != kFloat32 && type != kFloat64) return "needs float32 or float64";
    int count = 1;
    while (count < kMostParts<Rule> && first + count < call.count && type_of(first + count) == type)
      ++count;
    const auto launch = type == kFloat32 ? run_parts<Rule, float> : run_parts<Rule, double>;
    LEVIN_TRY(launch(gpu, call.numbers, call.spans + first, count));
    first += count;
  }
  return nullptr;
}

template <class... Rules>
const char* run_rule(Gpu& gpu, const OptimizerCall& call, formula::RuleList<Rules...>) {
  const char* error = nullptr;
  ((call.rule == Rules::kRule ? void(error = run<Rules>(gpu, call)) : void()), ...);
  return error;
}

}  // namespace

const char* optimizer(Gpu& gpu, const OptimizerCall& call) {
  return run_rule(gpu, call, formula::Rules());
}

}  // namespace levin::inline v0::cuda

// gather, scatter and scatter_add by an int64 index. What reaches one element lies on one line of the
// index, along the call's dimension: one thread takes it in order. On short lines, and where there are
// many, a thread walks along each; otherwise positions are sorted, and a thread takes those of an
// element.
#include <bit>

#include "calls.h"
#include "sort_keys.h"

namespace levin::inline v0::cuda {
namespace {

constexpr int64_t kShortLine = 16, kManyLines = 4096;

// The index, the operand that moves along with it, and the one that is reached through it, all with
// the index's shape: `step` further for each position.
struct Paths {
  Layout index, near, far;
  int dim;
  int64_t range = 1, step = 0, length = 1;

  Paths(const Layout& its_index, const Layout& its_near, const Layout& its_far, int its_dim)
      : index(its_index), near(its_near), far(its_far), dim(its_dim) {
    if (far.dim() > 0) {
      range = far.shape[dim], step = far.strides[dim];
      far.strides[dim] = 0;
    }
    if (index.dim() > 0) length = index.shape[dim];
    near.shape = far.shape = index.shape;
  }
};

// Where the index picks whole slices whose last dimension lies in a row: their elements as 16 bytes
// each. False, and unchanged, where they cannot be.
bool widen(Paths& paths, const IndexCall& call) {
  const auto width = static_cast<int64_t>(16 / item_size(call.source.layout->dtype));
  const int last = paths.index.dim() - 1;
  if (last < 0 || last == paths.dim || paths.index.strides[last] != 0) return false;
  if (paths.index.shape[last] % width != 0 || paths.step % width != 0) return false;
  const auto fits = [&](const Layout& layout) {
    bool all = layout.strides[last] == 1 && layout.offset % width == 0;
    for (int d = 0; d < last; ++d) all &= layout.shape[d] == 1 || layout.strides[d] % width == 0;
    return all;
  };
  const auto bits = reinterpret_cast<uintptr_t>(call.source.block->data) |
                    reinterpret_cast<uintptr_t>(call.out.block->data);
  if (!fits(paths.near) || !fits(paths.far) || bits % 16 != 0) return false;
  for (Layout* layout : {&paths.near, &paths.far}) {
    for (int d = 0; d < last; ++d) layout->strides[d] /= width;
    layout->offset /= width;
  }
  for (Layout* layout : {&paths.index, &paths.near, &paths.far}) layout->shape[last] /= width;
  paths.step /= width;
  return true;
}

// Positions as kernels read them.
struct Positions {
  const int64_t* index;
  int64_t range;
  Fault* fault;

  __device__ bool find(int64_t at, int64_t* position) const {
    *position = index[at];
    if (*position >= 0 && *position < range) return true;
    *fault = Fault::index;
    return false;
  }
};

// ---- gather

template <class S>
__global__ void gather_kernel(Indexer<3> indexer, Positions positions, int64_t step,
                              const S* source, S* out, int64_t n) {
  const int64_t i = thread_number();
  if (i >= n) return;
  int64_t at[3], position;
  indexer.find(i, at);
  if (positions.find(at[0], &position)) out[at[1]] = source[at[2] + position * step];
}

template <class S>
const char* gather(Gpu& gpu, const Paths& paths, const Positions& positions,
                   const IndexCall& call) {
  const int64_t n = paths.index.numel();
  return gpu.launch(gather_kernel<S>, blocks_for(n, kThreads), kThreads,
                    Indexer<3>({&paths.index, &paths.near, &paths.far}), positions, paths.step,
                    static_cast<const S*>(call.source.block->data),
                    static_cast<S*>(call.out.block->data), n);
}

// ---- scatter

// Lines of an index that differ, and the elements that each of its positions stands for.
struct Lines {
  Indexer<3> lines, slice;
  int64_t count, slice_size;
  int64_t length, index_stride, near_stride, range, step;  // along a line
  int position_bits = 0;  // of a sorted key: those of the line's element

  // `chosen` as layouts of the dimensions that it is true for.
  template <class Chosen>
  static Indexer<3> part(const Paths& paths, bool with_offset, int64_t* size, Chosen chosen) {
    Layout layouts[] = {paths.index, paths.near, paths.far};
    for (Layout& layout : layouts) {
      if (!with_offset) layout.offset = 0;
      for (int d = 0; d < layout.dim(); ++d)
        if (d == paths.dim || !chosen(d)) layout.shape[d] = 1;
    }
    *size = layouts[0].numel();
    return Indexer<3>({&layouts[0], &layouts[1], &layouts[2]});
  }

  explicit Lines(const Paths& paths)
      : lines(part(paths, true, &count, [&](int d) { return paths.index.strides[d] != 0; })),
        slice(part(paths, false, &slice_size, [&](int d) { return paths.index.strides[d] == 0; })),
        length(paths.length),
        index_stride(paths.index.dim() ? paths.index.strides[paths.dim] : 0),
        near_stride(paths.index.dim() ? paths.near.strides[paths.dim] : 0),
        range(paths.range),
        step(paths.step),
        position_bits(std::bit_width(static_cast<uint64_t>(length - 1))) {}

  // Where in the three operands an element of a line's slices begins.
  __device__ void find(int64_t line, int64_t of_slice, int64_t (&at)[3]) const {
    int64_t inner[3];
    lines.find(line, at);
    slice.find(of_slice, inner);
    for (int k = 0; k < 3; ++k) at[k] += inner[k];
  }
};

struct Quotient {
  int64_t whole, rest;
  __device__ Quotient(int64_t a, int64_t b) {
    if (a <= UINT32_MAX && b <= UINT32_MAX)  // a division of 64 bits takes long
      whole = static_cast<uint32_t>(a) / static_cast<uint32_t>(b);
    else
      whole = a / b;
    rest = a - whole * b;
  }
};

template <class S>
__device__ S added(S a, S b) {
  if constexpr (std::is_integral_v<S>)
    return static_cast<S>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  else if constexpr (std::is_floating_point_v<S>)
    return a + b;
  else
    return convert_to<S>(widen(a) + widen(b));
}

// One thread for each line and element of its slices.
template <class S, bool add>
__global__ void walk_kernel(Lines lines, Positions positions, const S* source, S* out) {
  const Quotient place(thread_number(), lines.slice_size);
  if (place.whole >= lines.count) return;
  int64_t at[3], position;
  lines.find(place.whole, place.rest, at);
  for (int64_t i = 0; i < lines.length; ++i) {
    if (!positions.find(at[0] + i * lines.index_stride, &position)) continue;
    const S value = source[at[1] + i * lines.near_stride];
    S* to = out + at[2] + position * lines.step;
    if constexpr (add)
      *to = added(*to, value);
    else
      *to = value;
  }
}

// A key: the line, the position on it, and the element of the line. Those that reach the same elements
// of out lie behind each other, in order.
constexpr uint64_t kNoKey = ~uint64_t{0};

__global__ void keys_kernel(Lines lines, Positions positions, uint64_t* keys, int64_t n) {
  const int64_t i = thread_number();
  if (i >= n) return;
  const Quotient place(i, lines.length);
  int64_t at[3], position;
  lines.lines.find(place.whole, at);
  keys[i] = kNoKey;
  if (!positions.find(at[0] + place.rest * lines.index_stride, &position)) return;
  const auto cell = static_cast<uint64_t>(place.whole * lines.range + position);
  keys[i] = cell << lines.position_bits | static_cast<uint64_t>(place.rest);
}

// The keys of one cell, from the first on.
struct Run {
  const uint64_t* keys;
  int64_t n;
  int bits;

  __device__ uint64_t cell(int64_t i) const { return keys[i] >> bits; }
  __device__ bool holds(int64_t i, uint64_t its_cell) const {
    return i >= 0 && i < n && cell(i) == its_cell;
  }
  __device__ int64_t element(int64_t i) const {
    return static_cast<int64_t>(keys[i] & ((uint64_t{1} << bits) - 1));
  }
};

// sum + the source's elements that the run from `first` on names, several loads at a time.
template <class S>
__device__ S add_run(S sum, const Run& run, int64_t first, const S* source, int64_t stride) {
  constexpr int kAhead = 8;
  const uint64_t cell = run.cell(first);
  for (;; first += kAhead) {
    S x[kAhead];
    bool held[kAhead];
    for (int k = 0; k < kAhead; ++k) {
      held[k] = run.holds(first + k, cell);
      if (held[k]) x[k] = source[run.element(first + k) * stride];
    }
    for (int k = 0; k < kAhead; ++k)
      if (held[k]) sum = added(sum, x[k]);
    if (!held[kAhead - 1]) return sum;
  }
}

// One thread for each key and element of its slice: the first key of a run adds it all up; without
// sums, the last one moves its own.
template <class S, bool add>
__global__ void runs_kernel(Lines lines, Run run, const S* source, S* out) {
  const Quotient place(thread_number(), lines.slice_size);
  const int64_t i = place.whole;
  if (i >= run.n || run.keys[i] == kNoKey) return;
  const uint64_t cell = run.cell(i);
  if (run.holds(add ? i - 1 : i + 1, cell)) return;
  const Quotient line(static_cast<int64_t>(cell), lines.range);
  int64_t at[3];
  lines.find(line.whole, place.rest, at);
  S* to = out + at[2] + line.rest * lines.step;
  if constexpr (add)
    *to = add_run(*to, run, i, source + at[1], lines.near_stride);
  else
    *to = source[at[1] + run.element(i) * lines.near_stride];
}

template <class S, bool add>
const char* scatter(Gpu& gpu, const Paths& paths, const Positions& positions,
                    const IndexCall& call) {
  const Lines lines(paths);
  const auto* source = static_cast<const S*>(call.source.block->data);
  auto* out = static_cast<S*>(call.out.block->data);
  if (lines.length <= kShortLine || lines.count >= kManyLines)
    return gpu.launch(walk_kernel<S, add>, blocks_for(lines.count * lines.slice_size, kThreads),
                      kThreads, lines, positions, source, out);
  if (lines.count * lines.range >> (63 - lines.position_bits)) return "has too large an index";
  const int64_t n = lines.count * lines.length;
  auto* keys = static_cast<uint64_t*>(gpu.workspace(n * sizeof(uint64_t)));
  if (!keys) return "needs more memory than there is";
  LEVIN_TRY(gpu.launch(keys_kernel, blocks_for(n, kThreads), kThreads, lines, positions, keys, n));
  LEVIN_TRY(sort_keys(gpu, keys, n));
  return gpu.launch(runs_kernel<S, add>, blocks_for(n * lines.slice_size, kThreads), kThreads,
                    lines, Run{keys, n, lines.position_bits}, source, out);
}

// ---- Which of them

// For elements that are moved as they are: any type of their size.
template <class S>
const char* move(Gpu& gpu, const Paths& paths, const Positions& positions, const IndexCall& call) {
  if (call.kind == IndexKind::gather) return gather<S>(gpu, paths, positions, call);
  return scatter<S, false>(gpu, paths, positions, call);
}

}  // namespace

const char* index(Gpu& gpu, const IndexCall& call) {
  const bool gathers = call.kind == IndexKind::gather;
  Paths paths(*call.index.layout, *(gathers ? call.out : call.source).layout,
              *(gathers ? call.source : call.out).layout, call.dim);
  if (paths.index.numel() == 0) return nullptr;
  const Positions positions{static_cast<const int64_t*>(call.index.block->data), paths.range,
                            gpu.fault()};
  const DType type = call.source.layout->dtype;
  if (call.kind == IndexKind::scatter_add)
    return with_type(type, [&](auto element) {
      return scatter<decltype(element), true>(gpu, paths, positions, call);
    });
  if (widen(paths, call)) return move<uint4>(gpu, paths, positions, call);
  if (item_size(type) == 8) return move<uint64_t>(gpu, paths, positions, call);
  if (item_size(type) == 4) return move<uint32_t>(gpu, paths, positions, call);
  if (item_size(type) == 2) return move<uint16_t>(gpu, paths, positions, call);
  return move<uint8_t>(gpu, paths, positions, call);
}

}  // namespace levin::inline v0::cuda

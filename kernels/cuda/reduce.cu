// Reductions of any layout. Results whose elements lie beside each other are lines (lines.h); where it
// is the results that lie beside each other, each column of a block of threads takes one.
#include "calls.h"
#include "lines.h"

namespace levin::inline v0::cuda {
namespace {

// ---- What is done with the elements load(0) .. load(n - 1), at most kSumBlock, the first of which has
// the number `start` among all of the result. line() is for the first of `width` threads of a warp;
// column() for those of a column (threadIdx.y), whose parts join_column() makes one.

template <class T>
struct Sum {
  using Part = T;
  __device__ static T combine(T a, T b) { return plus(a, b); }
  __device__ static T value_of(T sum) { return sum; }
  template <int width, class Load>
  __device__ static T line(int64_t, int64_t n, Load load) {
    return sum_block<width, T>(n, load);
  }
  template <class Load>
  __device__ static T column(int64_t, int64_t n, Load load) {
    return sum_in_lane<T>(threadIdx.y, static_cast<int>(n), load);
  }
};

// In the order of the elements: one thread multiplies what all have loaded.
template <class T>
struct Product {
  using Part = T;
  __device__ static T combine(T a, T b) {
    if constexpr (std::is_same_v<T, int64_t>)
      return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
    else
      return a * b;
  }
  __device__ static T value_of(T product) { return product; }
  template <int width, class Load>
  __device__ static T line(int64_t, int64_t n, Load load) {
    constexpr int kPerThread = 8, kTile = kPerThread * width;
    LEVIN_SHARED(T, tiles, kPerThread * kThreads);
    T* const tile = tiles + threadIdx.x / width * kTile;
    const int thread = threadIdx.x % width;
    const int most =
        __shfl_sync(kAllLanes, static_cast<int>(n), 0);  // the other line may be absent
    T product = 1;
    for (int i = 0; i < most; i += kTile) {
      LEVIN_UNROLL(kPerThread)
      for (int at = thread; at < kTile; at += width)
        if (i + at < n) tile[at] = load(i + at);
      __syncwarp();
      const int here = n - i < kTile ? static_cast<int>(n - i) : kTile;
      if (thread == 0) {
        LEVIN_UNROLL(8)
        for (int at = 0; at < here; ++at) product = combine(product, tile[at]);
      }
      __syncwarp();
    }
    return product;
  }
  template <class Load>
  __device__ static T column(int64_t, int64_t n, Load load) {
    T product = 1;
    if (threadIdx.y != 0) return product;
    LEVIN_UNROLL(8)
    for (int i = 0; i < n; ++i) product = combine(product, load(i));
    return product;
  }
};

template <class T>
struct Found {
  static constexpr int64_t kNone = -1;
  T value;
  int64_t position;
};

// The first largest (or smallest) element; the first NaN wins.
template <class T>
struct Extreme {
  using Part = Found<T>;
  bool largest;
  __device__ bool better(const Part& a, const Part& b) const {
    if (a.position == Part::kNone || b.position == Part::kNone) return b.position != Part::kNone;
    const bool a_is_nan = a.value != a.value, b_is_nan = b.value != b.value;
    if (a_is_nan != b_is_nan) return b_is_nan;
    if (a_is_nan || a.value == b.value) return b.position < a.position;
    return largest ? b.value > a.value : b.value < a.value;
  }
  __device__ Part combine(const Part& a, const Part& b) const { return better(a, b) ? b : a; }
  __device__ static T value_of(const Part& part) { return part.value; }
  template <class Load>
  __device__ Part every(int first, int step, int64_t start, int64_t n, Load load) const {
    Part found{T(0), Part::kNone};
    LEVIN_UNROLL(8)
    for (int i = first; i < n; i += step) found = combine(found, Part{load(i), start + i});
    return found;
  }
  template <int width, class Load>
  __device__ Part line(int64_t start, int64_t n, Load load) const {
    Part found = every(threadIdx.x % width, width, start, n, load);
    for (int apart = width / 2; apart; apart /= 2)
      found = combine(found, Part{__shfl_xor_sync(kAllLanes, found.value, apart),
                                  __shfl_xor_sync(kAllLanes, found.position, apart)});
    return found;
  }
  template <class Load>
  __device__ Part column(int64_t start, int64_t n, Load load) const {
    return every(threadIdx.y, blockDim.y, start, n, load);
  }
};

// ---- Kinds of line (lines.h)

/// What becomes of the parts of lines.
template <class T, class Operation>
struct Finisher {
  using Part = typename Operation::Part;
  Operation operation;
  T divisor;      // of floats
  bool position;  // the result is not the value, but where it was found
  void* out;
  int64_t out_offset;
  DType out_type;

  __device__ Part combine(const Part& a, const Part& b) const { return operation.combine(a, b); }
  __device__ void finish(const Part& part, int64_t line) const {
    if constexpr (!std::is_same_v<Part, T>) {
      if (position)
        return store_as<int64_t>(out, out_type, out_offset + line,
                                 part.position == Part::kNone ? 0 : part.position);
    }
    T value = Operation::value_of(part);
    if constexpr (std::is_floating_point_v<T>) value = value / divisor;
    store_as<T>(out, out_type, out_offset + line, value);
  }
};

/// Element `index` of a line that starts at `from`. A call: it is compiled once.
template <class T>
__device__ __noinline__ T load_anywhere(const Indexer<1>& indexer, const void* data, DType type,
                                        int64_t from, int64_t index) {
  int64_t at[1];
  indexer.find(index, at);
  return load_as<T>(data, type, from + at[0]);
}

/// Elements are of type S and `stride` apart, or (void) of any type and anywhere.
template <class T, class Operation, class S>
struct Reducer : Finisher<T, Operation> {
  using typename Finisher<T, Operation>::Part;
  const void* data;
  DType type;
  Indexer<1> kept, reduced;
  int64_t stride;
  const T* means;  // not null: elements are squares of how far they are from their line's mean

  /// load(i) gives element start + i of a line.
  __device__ auto loader(int64_t line, int64_t start) const {
    int64_t base[1];
    kept.find(line, base);
    const T mean = means ? means[line] : T(0);
    return [this, from = base[0], start, mean](int i) {
      T x;
      if constexpr (std::is_void_v<S>)
        x = load_anywhere<T>(reduced, data, type, from, start + i);
      else
        x = convert_from<T>(static_cast<const S*>(data)[from + (start + i) * stride]);
      return means ? (x - mean) * (x - mean) : x;
    };
  }
  template <int width>
  __device__ Part block(int64_t line, int64_t start, int64_t n) const {
    return this->operation.template line<width>(start, n, loader(line, start));
  }
  __device__ Part column(int64_t line, int64_t start, int64_t n) const {
    return this->operation.column(start, n, loader(line, start));
  }
};

// ---- Columns

constexpr int kColumns = 32, kMostRows = 32, kMostColumnThreads = kColumns * kMostRows;

/// For threadIdx.y == 0: the parts of the threads of a column. Rows j + half are combined with row j.
template <class Kind, class Part>
__device__ Part join_column(const Kind& kind, Part part) {
  LEVIN_SHARED(Part, parts, kMostColumnThreads);
  const int row = threadIdx.y, at = row * kColumns + threadIdx.x;
  parts[at] = part;
  for (int half = blockDim.y / 2; half; half /= 2) {
    __syncthreads();
    if (row < half) parts[at] = kind.combine(parts[at], parts[at + half * kColumns]);
  }
  return parts[at];
}

/// A block of threads for kColumns results and kSumBlock of their elements.
template <class Kind>
__global__ void __launch_bounds__(kMostColumnThreads, 1)
    columns_kernel(const __grid_constant__ Kind kind, int64_t results, int64_t n,
                   typename Kind::Part* parts) {
  const int64_t across = blocks_for(results, kColumns);
  const int64_t result = blockIdx.x % across * kColumns + threadIdx.x, piece = blockIdx.x / across;
  const int64_t start = piece * kSumBlock, left = n - start;
  const bool there = result < results;
  const int64_t count = !there ? 0 : left < kSumBlock ? left : kSumBlock;
  const auto part = join_column(kind, kind.column(there ? result : 0, start, count));
  if (!there || threadIdx.y != 0) return;
  if (parts)
    parts[piece * results + result] = part;
  else
    kind.finish(part, result);
}

// ---- The call

/// The input's layout split in two: the other part's dimensions have size 1.
struct Split {
  Layout kept, reduced;
  explicit Split(const ReduceCall& call) : kept(*call.in.layout), reduced(*call.in.layout) {
    for (int d = 0; d < kept.dim(); ++d) (call.dims >> d & 1 ? kept : reduced).shape[d] = 1;
    reduced.offset = 0;
  }
};

int64_t size_of(int64_t stride) { return stride < 0 ? -stride : stride; }

struct Plan {
  Indexer<1> kept, reduced;
  int64_t results, n, stride;
  bool columns;

  explicit Plan(const Split& split)
      : kept({&split.kept}),
        reduced({&split.reduced}),
        results(split.kept.numel()),
        n(split.reduced.numel()),
        stride(reduced.dims ? reduced.strides[0][reduced.dims - 1] : 0) {
    const int last = kept.dims - 1;
    columns = reduced.dims && kept.dims && kept.sizes[last] >= 8 &&
              size_of(kept.strides[0][last]) < size_of(stride);
  }
  int64_t pieces() const { return blocks_for(n, columns ? kSumBlock : kPiece); }
};

template <class T, class Operation, class S>
const char* run(Gpu& gpu, const Plan& plan, const Reducer<T, Operation, S>& kind, void* memory) {
  using Kind = Reducer<T, Operation, S>;
  const int64_t pieces = plan.pieces();
  auto* parts = static_cast<typename Kind::Part*>(pieces > 1 ? memory : nullptr);
  if (plan.columns) {
    const int64_t blocks = blocks_for(plan.results, kColumns) * (pieces > 1 ? pieces : 1);
    const dim3 threads(kColumns, plan.n < kFewElements ? kFewLanes : kMostRows);
    LEVIN_TRY(gpu.launch_together(columns_kernel<Kind>, blocks, threads, kind, plan.results, plan.n,
                                  parts));
  } else {
    LEVIN_TRY(launch_lines(gpu, kind, plan.results, plan.n, parts));
  }
  return combine_parts(gpu, static_cast<const Finisher<T, Operation>&>(kind), plan.results, pieces,
                       parts);
}

template <class T, class Operation, class S>
const char* reduce_from(Gpu& gpu, const ReduceCall& call, const Plan& plan, Operation operation) {
  const bool var = call.kind == Reduction::var,
             position = call.kind == Reduction::argmax || call.kind == Reduction::argmin;
  const Layout& out = *call.out.layout;
  Reducer<T, Operation, S> kind{
      {operation, T(1), position, call.out.block->data, out.offset, out.dtype},
      call.in.block->data,
      call.in.layout->dtype,
      plan.kept,
      plan.reduced,
      plan.stride,
      nullptr};
  if (call.kind == Reduction::mean || var) kind.divisor = static_cast<T>(plan.n);
  const std::size_t bytes_of_means = var ? (plan.results * sizeof(T) + 15) / 16 * 16 : 0;
  const std::size_t bytes =
      bytes_of_means + bytes_of_parts<Finisher<T, Operation>>(plan.results, plan.pieces());
  char* memory = bytes ? static_cast<char*>(gpu.workspace(bytes)) : nullptr;
  if (bytes && !memory) return "needs memory to work in, of which there is none";
  char* parts = memory + bytes_of_means;
  if (!var) return run(gpu, plan, kind, parts);
  auto means = kind;
  means.out = memory;
  means.out_offset = 0;
  means.out_type = DTypeOf<T>::value;
  LEVIN_TRY(run(gpu, plan, means, parts));
  const double divisor = static_cast<double>(plan.n) - call.correction;
  kind.means = reinterpret_cast<const T*>(memory);
  kind.divisor = static_cast<T>(divisor > 0 ? divisor : 0);
  return run(gpu, plan, kind, parts);
}

// What is used most has kernels for its elements' own type, the rest the general ones.
template <class T, class Operation>
const char* reduce_by(Gpu& gpu, const ReduceCall& call, Operation operation) {
  constexpr bool sums = std::is_same_v<Operation, Sum<T>>;
  const Plan plan{Split(call)};
  if (plan.results == 0) return nullptr;
  const DType type = plan.reduced.dims > 1 ? kBool : call.in.layout->dtype;
  if constexpr (!std::is_same_v<Operation, Product<T>>)
    if (type == DTypeOf<T>::value) return reduce_from<T, Operation, T>(gpu, call, plan, operation);
  if constexpr (sums && std::is_same_v<T, float>) {
    if (type == kBFloat16) return reduce_from<T, Operation, BFloat16>(gpu, call, plan, operation);
    if (type == kFloat16) return reduce_from<T, Operation, Float16>(gpu, call, plan, operation);
  }
  return reduce_from<T, Operation, void>(gpu, call, plan, operation);
}

template <class T>
const char* reduce_typed(Gpu& gpu, const ReduceCall& call) {
  switch (call.kind) {
    case Reduction::prod:
      return reduce_by<T>(gpu, call, Product<T>{});
    case Reduction::max:
    case Reduction::argmax:
      return reduce_by<T>(gpu, call, Extreme<T>{true});
    case Reduction::min:
    case Reduction::argmin:
      return reduce_by<T>(gpu, call, Extreme<T>{false});
    case Reduction::sum:
    case Reduction::mean:
    case Reduction::var:
      break;
  }
  return reduce_by<T>(gpu, call, Sum<T>{});
}

}  // namespace

const char* reduce(Gpu& gpu, const ReduceCall& call) {
  return with_compute_type(call.in.layout->dtype,
                           [&](auto zero) { return reduce_typed<decltype(zero)>(gpu, call); });
}

}  // namespace levin::inline v0::cuda

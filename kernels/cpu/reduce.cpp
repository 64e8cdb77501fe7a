// Reductions: the reduced elements of one result are brought into a row and reduced in the fixed
// lanes (rows.h), so a result's bits depend on nothing but those elements in their order.
#include <numeric>

#include "../pool.h"
#include "cpu_backend.h"
#include "isa.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

constexpr int64_t kGrain = 32768;

// The input's layout split into kept and reduced dimensions.
struct Split {
  Layout kept, reduced;
  explicit Split(const ReduceCall& call) {
    const Layout& in = *call.in.layout;
    for (int d = 0; d < in.dim(); ++d) {
      Layout& part = call.dims >> d & 1 ? reduced : kept;
      part.strides[part.dim()] = in.strides[d];
      part.shape.push_back(in.shape[d]);
    }
    kept.offset = in.offset;
  }
};

// Integers wrap around.
template <class T>
using Wrapping = std::conditional_t<std::is_same_v<T, int64_t>, uint64_t, T>;

struct Add {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<Wrapping<T>>(a) + static_cast<Wrapping<T>>(b));
  }
};
struct Multiply {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(static_cast<Wrapping<T>>(a) * static_cast<Wrapping<T>>(b));
  }
};

// Combines the results of blocks pairwise, neighbours first, until one is left.
template <class T, class Combine>
T combine_pairwise(T* results, int64_t count, Combine combine) {
  for (; count > 1; count = (count + 1) / 2) {
    for (int64_t i = 0; i < count / 2; ++i)
      results[i] = combine(results[2 * i], results[2 * i + 1]);
    if (count % 2) results[count / 2] = results[count - 1];
  }
  return results[0];
}

// block(start, n) for every block of a long row, in parallel, combined pairwise. A row of more
// blocks than `results` holds is cut where that tree has its root.
template <class T, class Combine, class Block>
T over_blocks(int64_t from, int64_t n, Combine combine, Block block) {
  if (n <= kSumBlock) return block(from, n);
  constexpr int64_t kBlocks = 512;
  if (n > kBlocks * kSumBlock) {
    int64_t half = kBlocks * kSumBlock;
    while (2 * half < n) half *= 2;
    return combine(over_blocks<T>(from, half, combine, block),
                   over_blocks<T>(from + half, n - half, combine, block));
  }
  T results[kBlocks];
  const int64_t blocks = (n + kSumBlock - 1) / kSumBlock;
  parallel_for(blocks, kGrain / kSumBlock, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t start = i * kSumBlock;
      results[i] = block(from + start, n - start < kSumBlock ? n - start : kSumBlock);
    }
  });
  return combine_pairwise(results, blocks, combine);
}

// A row of reduced elements, gathered block by block where it does not already lie in one piece.
template <class T>
struct Row {
  const Walk& walk;
  DType dtype;
  const void* data;
  bool in_place;

  const T* block(int64_t start, int64_t n, T* buffer) const {
    if (in_place) return static_cast<const T*>(data) + walk.offset() + start;
    gather_tile(walk, dtype, data, start, n, buffer);
    return buffer;
  }
};

template <class T>
T sum_row(const Row<T>& row, int64_t n) {
  return over_blocks<T>(0, n, Add(), [&](int64_t start, int64_t count) {
    T buffer[kSumBlock];
    const T* x = row.block(start, count, buffer);
    if constexpr (std::is_same_v<T, int64_t>)
      return std::accumulate(x, x + count, T(0), Add());
    else
      return row_loops<T>().sum_block(x, count);
  });
}

// In the order of the elements inside a block.
template <class T>
T product_of_row(const Row<T>& row, int64_t n) {
  return over_blocks<T>(0, n, Multiply(), [&](int64_t start, int64_t count) {
    T buffer[kSumBlock];
    const T* x = row.block(start, count, buffer);
    return std::accumulate(x, x + count, T(1), Multiply());
  });
}

template <class T>
T square_deviation(const Row<T>& row, int64_t n, T mean) {
  return over_blocks<T>(0, n, Add(), [&](int64_t start, int64_t count) {
    T buffer[kSumBlock], means[kSumBlock];
    for (int64_t i = 0; i < count; ++i) means[i] = mean;
    return row_loops<T>().square_distance_block(row.block(start, count, buffer), means, count);
  });
}

// Position of the first largest (or smallest) element; the first NaN wins. Its value goes to
// *value.
template <class T>
int64_t best_position(const Row<T>& row, int64_t n, bool largest, T* value) {
  int64_t best = 0;
  T buffer[kSumBlock];
  for (int64_t start = 0; start < n; start += kSumBlock) {
    const int64_t count = n - start < kSumBlock ? n - start : kSumBlock;
    const T* x = row.block(start, count, buffer);
    for (int64_t i = 0; i < count; ++i) {
      const bool better = largest ? x[i] > *value : x[i] < *value;
      if (start + i == 0 || better || (x[i] != x[i] && *value == *value)) {
        best = start + i;
        *value = x[i];
      }
    }
  }
  return best;
}

template <class T, class R>
void reduce_row(const ReduceCall& call, const Row<T>& row, int64_t n, R* result) {
  switch (call.kind) {
    case Reduction::sum:
      *result = convert_to<R>(sum_row(row, n));
      return;
    case Reduction::prod:
      *result = convert_to<R>(product_of_row(row, n));
      return;
    case Reduction::max:
    case Reduction::min:
    case Reduction::argmax:
    case Reduction::argmin: {
      T value{};
      const bool largest = call.kind == Reduction::max || call.kind == Reduction::argmax;
      const int64_t position = best_position(row, n, largest, &value);
      const bool wants_value = call.kind == Reduction::max || call.kind == Reduction::min;
      *result = wants_value ? convert_to<R>(value) : convert_to<R>(position);
      return;
    }
    case Reduction::mean:
    case Reduction::var:
      break;
  }
  if constexpr (std::is_floating_point_v<T>) {
    const T mean = sum_row(row, n) / static_cast<T>(n);
    if (call.kind == Reduction::mean) {
      *result = convert_to<R>(mean);
      return;
    }
    const double divisor = static_cast<double>(n) - call.correction;
    *result =
        convert_to<R>(square_deviation(row, n, mean) / static_cast<T>(divisor > 0 ? divisor : 0));
  }
}

// Sum over the leading dimension of a matrix: whole vectors of columns at a time, the same lanes
// for each.
template <class T>
bool sum_leading(const ReduceCall& call, const Split& split, int64_t results, int64_t n) {
  const bool sums = call.kind == Reduction::sum || call.kind == Reduction::mean;
  const Walk columns(split.kept);
  if (!sums || split.reduced.dim() != 1 || !columns.contiguous() || n > kSumBlock || n == 0)
    return false;
  if (call.in.layout->dtype != DTypeOf<T>::value || call.out.layout->dtype != DTypeOf<T>::value)
    return false;
  const T* in = data_of<T>(call.in);
  T* out = data_of<T>(call.out);
  const int64_t stride = split.reduced.strides[0];
  const int64_t grain =
      (kGrain / n + 15) / 16 * 16 + 16;  // whole vectors, so that no cut changes a column's path
  parallel_for(results, grain, [&](int64_t begin, int64_t end) {
    row_loops<T>().sum_columns(in + begin, n, stride, end - begin, out + begin);
    if (call.kind == Reduction::mean)
      for (int64_t i = begin; i < end; ++i) out[i] /= static_cast<T>(n);
  });
  return true;
}

template <class T>
void reduce_typed(const ReduceCall& call) {
  const Split split(call);
  const int64_t results = split.kept.numel(), n = split.reduced.numel();
  if constexpr (std::is_floating_point_v<T>)
    if (sum_leading<T>(call, split, results, n)) return;
  const DType dtype = call.in.layout->dtype;
  const Walk kept(split.kept), reduced_shape(split.reduced);
  const bool in_place = dtype == DTypeOf<T>::value && reduced_shape.contiguous();
  with_type(call.out.layout->dtype, [&](auto element) {
    using R = decltype(element);
    R* out = data_of<R>(call.out);
    const int64_t grain = kGrain / (n + 1) + 1;
    parallel_for(results, grain, [&](int64_t begin, int64_t end) {
      int64_t i = begin;
      kept.runs(begin, end - begin, [&](int64_t at, int64_t stride, int64_t count) {
        for (int64_t j = 0; j < count; ++j) {
          Layout row_layout = split.reduced;
          row_layout.offset = at + j * stride;
          const Walk walk(row_layout);
          reduce_row(call, Row<T>{walk, dtype, call.in.block->data, in_place}, n, out + i++);
        }
      });
    });
  });
}

}  // namespace

const char* reduce(const ReduceCall& call) {
  with_compute_type(call.in.layout->dtype, [&](auto zero) { reduce_typed<decltype(zero)>(call); });
  return nullptr;
}

const char* mse(const MseCall& call) {
  const int64_t n = call.x.layout->numel();
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    const T *x = data_of<T>(call.x), *target = data_of<T>(call.target);
    const T sum = over_blocks<T>(0, n, Add(), [&](int64_t start, int64_t count) {
      return row_loops<T>().square_distance_block(x + start, target + start, count);
    });
    *data_of<T>(call.out) = call.mean ? sum / static_cast<T>(n) : sum;
  };
  call.x.layout->dtype == kFloat64 ? run(double{}) : run(float{});
  return nullptr;
}

}  // namespace levin::inline v0::cpu

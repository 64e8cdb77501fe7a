// Reductions: the reduced elements of one result are brought into a row and reduced in the fixed
// lanes (rows.h), so a result's bits depend on nothing but those elements in their order.
#include <algorithm>
#include <numeric>

#include "blocks.h"
#include "command.h"
#include "cpu_backend.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

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

// A row of reduced elements: in one piece, or (data is null) gathered block by block.
template <class T>
struct Row {
  const T* data;
  const Walk* walk;
  DType dtype;
  const void* from;

  const T* block(int64_t start, int64_t n, T* buffer) const {
    if (data) return data + start;
    gather_tile(*walk, dtype, from, start, n, buffer);
    return buffer;
  }
};

template <class T>
T sum_row(const Row<T>& row, int64_t n) {
  return over_blocks<T>(n, Add(), [&](int64_t start, int64_t count) {
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
  return over_blocks<T>(n, Multiply(), [&](int64_t start, int64_t count) {
    T buffer[kSumBlock];
    const T* x = row.block(start, count, buffer);
    return std::accumulate(x, x + count, T(1), Multiply());
  });
}

template <class T>
T square_deviation(const Row<T>& row, int64_t n, T mean) {
  return over_blocks<T>(n, Add(), [&](int64_t start, int64_t count) {
    T buffer[kSumBlock];
    return row_loops<T>().square_deviation_block(row.block(start, count, buffer), mean, count);
  });
}

// The largest (or smallest) of a block; NaN where there is one.
template <class T>
T extreme_of(const T* x, int64_t n, bool largest) {
  if constexpr (std::is_same_v<T, int64_t>)
    return largest ? *std::max_element(x, x + n) : *std::min_element(x, x + n);
  else
    return row_loops<T>().extreme_block(x, n, largest);
}

// Position of the first largest (or smallest) element; the first NaN wins. Its value goes to
// *value. Only a block that has a better one is searched for it.
template <class T>
int64_t best_position(const Row<T>& row, int64_t n, bool largest, T* value) {
  int64_t best = 0;
  T buffer[kSumBlock];
  for (int64_t start = 0; start < n; start += kSumBlock) {
    const int64_t count = n - start < kSumBlock ? n - start : kSumBlock;
    const T* x = row.block(start, count, buffer);
    const T found = extreme_of(x, count, largest);
    const bool better = largest ? found > *value : found < *value;
    if (start != 0 && !better && (found == found || *value != *value)) continue;
    const T* at = std::find_if(x, x + count, [found](T element) {
      return element == found || (found != found && element != element);
    });
    best = start + (at - x);
    *value = *at;
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

// The sum (or mean) of each of `columns` columns, rows `row_stride` apart.
template <class T>
void sum_columns(const T* x, int64_t rows, int64_t row_stride, int64_t columns, bool mean, T* out) {
  constexpr int64_t kMost = kSumColumns<T>;
  parallel_rows((columns + kMost - 1) / kMost, rows * kMost, [=](int64_t begin, int64_t end) {
    for (int64_t c = begin * kMost; c < end * kMost && c < columns; c += kMost) {
      const int64_t count = columns - c < kMost ? columns - c : kMost;
      row_loops<T>().sum_columns(x + c, rows, row_stride, count, out + c);
      for (int64_t i = c; mean && i < c + count; ++i) out[i] /= static_cast<T>(rows);
    }
  });
}

template <class T>
void sum_rows(const T* x, int64_t rows, int64_t n, bool mean, T* out) {
  parallel_rows(rows, n, [=](int64_t begin, int64_t end) {
    if (n <= kSumBlock)
      row_loops<T>().sum_rows(x + begin * n, end - begin, n, out + begin);
    else
      for (int64_t r = begin; r < end; ++r) out[r] = sum_of(x + r * n, n);
    for (int64_t r = begin; mean && r < end; ++r) out[r] /= static_cast<T>(n);
  });
}

// A contiguous operand as [outer, n, inner], of which n is reduced; false where it is none.
struct Dense {
  int64_t outer = 1, n = 1, inner = 1;

  bool fits(const ReduceCall& call) {
    const Layout& in = *call.in.layout;
    int64_t* part = &outer;
    for (int d = 0; d < in.dim(); ++d) {
      if (in.shape[d] == 1) continue;
      const bool reduced = call.dims >> d & 1;
      if (reduced && part == &inner) return false;
      if (reduced)
        part = &n;
      else if (part == &n)
        part = &inner;
      *part *= in.shape[d];
    }
    return in.contiguous();
  }
};

template <class T>
void sum_row_to(const T* x, int64_t n, bool mean, T* out) {
  const T sum = sum_of(x, n);
  *out = mean ? sum / static_cast<T>(n) : sum;
}

// All elements of a contiguous operand.
template <class T>
bool sum_all(const ReduceCall& call) {
  const Layout& in = *call.in.layout;
  if (call.dims + 1 != 1u << in.dim() || !in.contiguous()) return false;
  sum_row_to(data_of<T>(call.in), in.numel(), call.kind == Reduction::mean, data_of<T>(call.out));
  return true;
}

template <class T>
void sum_dense(const Dense& dense, bool mean, const T* x, T* out) {
  const int64_t outer = dense.outer, n = dense.n, inner = dense.inner;
  if (inner != 1) {
    // Many small matrices are shared out, of few large ones the columns.
    parallel_rows(outer, n * inner, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        sum_columns(x + i * n * inner, n, inner, inner, mean, out + i * inner);
    });
  } else if (outer != 1) {
    sum_rows(x, outer, n, mean, out);
  } else {
    sum_row_to(x, n, mean, out);
  }
}

// Columns that lie beside each other, rows at any distance.
template <class T>
bool sum_leading(const ReduceCall& call, const Split& split) {
  const Walk columns(split.kept);
  if (split.reduced.dim() != 1 || !columns.contiguous()) return false;
  sum_columns(data_of<T>(call.in), split.reduced.shape[0], split.reduced.strides[0],
              split.kept.numel(), call.kind == Reduction::mean, data_of<T>(call.out));
  return true;
}

// Is it a sum whose elements are read and written as they are?
template <class T>
bool is_sum_of(const ReduceCall& call) {
  return std::is_floating_point_v<T> && call.in.layout->dtype == DTypeOf<T>::value &&
         call.out.layout->dtype == DTypeOf<T>::value &&
         (call.kind == Reduction::sum || call.kind == Reduction::mean);
}

// What the ways below do not do.
template <class T>
[[gnu::noinline]] void reduce_rows(const ReduceCall& call, const Split& split) {
  const DType dtype = call.in.layout->dtype;
  const int64_t results = split.kept.numel(), n = split.reduced.numel();
  const Walk kept(split.kept), reduced(split.reduced);
  const bool in_place = dtype == DTypeOf<T>::value && reduced.contiguous();
  const auto* data = static_cast<const char*>(call.in.block->data);
  with_type(call.out.layout->dtype, [&](auto element) {
    using R = decltype(element);
    R* out = data_of<R>(call.out);
    parallel_rows(results, n, [&](int64_t begin, int64_t end) {
      R* result = out + begin;
      kept.runs(begin, end - begin, [&](int64_t at, int64_t stride, int64_t count) {
        for (int64_t j = 0; j < count; ++j, at += stride) {
          const char* from = data + at * static_cast<int64_t>(item_size(dtype));
          reduce_row(
              call,
              Row<T>{in_place ? reinterpret_cast<const T*>(from) : nullptr, &reduced, dtype, from},
              n, result++);
        }
      });
    });
  });
}

template <class T>
void reduce_typed(const ReduceCall& call) {
  if constexpr (std::is_floating_point_v<T>) {
    const bool sums = is_sum_of<T>(call), mean = call.kind == Reduction::mean;
    if (sums && sum_all<T>(call)) return;
    if (Dense dense; sums && dense.fits(call))
      return sum_dense(dense, mean, data_of<T>(call.in), data_of<T>(call.out));
    const Split split(call);
    if (sums && sum_leading<T>(call, split)) return;
    reduce_rows<T>(call, split);
  } else {
    reduce_rows<T>(call, Split(call));
  }
}

template <class T>
std::unique_ptr<Command> prepare_sum(const ReduceCall& call) {
  Dense dense;
  if (!is_sum_of<T>(call) || !dense.fits(call)) return nullptr;
  const bool mean = call.kind == Reduction::mean;
  return command([dense, mean, x = Place<T>(call.in), out = Place<T>(call.out)] {
    sum_dense<T>(dense, mean, x.get(), out.get());
    return nullptr;
  });
}

}  // namespace

std::unique_ptr<Command> prepare(const ReduceCall& call) {
  return call.in.layout->dtype == kFloat64 ? prepare_sum<double>(call) : prepare_sum<float>(call);
}

const char* reduce(const ReduceCall& call) {
  with_compute_type(call.in.layout->dtype, [&](auto zero) { reduce_typed<decltype(zero)>(call); });
  return nullptr;
}

}  // namespace levin::inline v0::cpu

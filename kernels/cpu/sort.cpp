// The order of rows. Equal elements are told apart by their position, so that any way of sorting
// gives the one stable order, and std::sort needs no memory.
#include <algorithm>
#include <numeric>

#include "../pool.h"
#include "cpu_backend.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

template <class T>
bool less(T a, T b) {
  return a < b || (b != b && a == a);
}

template <class T>
void sort_row(const T* x, int64_t* index, int64_t n, bool descending) {
  std::iota(index, index + n, 0);
  if (descending)
    std::sort(index, index + n, [x](int64_t i, int64_t j) {
      return less(x[j], x[i]) || (!less(x[i], x[j]) && i < j);
    });
  else
    std::sort(index, index + n, [x](int64_t i, int64_t j) {
      return less(x[i], x[j]) || (!less(x[j], x[i]) && i < j);
    });
}

}  // namespace

const char* sort(const SortCall& call) {
  const Layout& layout = *call.x.layout;
  if (layout.dtype != compute_type(layout.dtype)) return "needs float32, float64 or int64";
  const int64_t n = layout.dim() ? layout.shape.back() : 1;
  if (n == 0) return nullptr;
  auto* index = data_of<int64_t>(call.index);
  with_compute_type(layout.dtype, [&](auto zero) {
    const auto* x = data_of<const decltype(zero)>(call.x);
    parallel_for(layout.numel() / n, 4096 / n + 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin * n; i < end * n; i += n)
        sort_row(x + i, index + i, n, call.descending);
    });
  });
  return nullptr;
}

}  // namespace levin::inline v0::cpu

// The cross entropy of class indices, forward and backward.
#include "blocks.h"
#include "cpu_backend.h"
#include "walk.h"

namespace levin::inline v0::cpu {
namespace {

template <class T>
int64_t counted(const EntropyRows<T>& rows) {
  int64_t count = 0;
  for (int64_t r = 0; r < rows.count; ++r) count += rows.target[r] != rows.ignored;
  return count;
}

template <class T>
bool in_range(const EntropyRows<T>& rows) {
  bool all = true;
  for (int64_t r = 0; r < rows.count; ++r) {
    const int64_t target = rows.target[r];
    all &= (target >= 0 && target < rows.classes) || target == rows.ignored;
  }
  return all;
}

template <class T>
const char* forward(const CrossEntropyCall& call) {
  EntropyRows<T> rows{};
  rows.count = call.target.layout->numel();
  rows.classes = call.x.layout->shape.back();
  rows.ignored = call.ignored;
  rows.x = data_of<T>(call.x);
  rows.target = data_of<int64_t>(call.target);
  rows.loss = data_of<T>(call.losses);
  if (!in_range(rows)) return "has a target that is no class";
  const T divisor = call.mean ? static_cast<T>(counted(rows)) : T(1);
  rows.scale = 1 / divisor;
  if (call.slopes.block) rows.slopes = data_of<T>(call.slopes);
  parallel_rows(rows.count, rows.classes, [&rows](int64_t begin, int64_t end) {
    EntropyRows<T> part = rows;
    part.x += begin * rows.classes;
    part.target += begin;
    part.loss += begin;
    if (part.slopes) part.slopes += begin * rows.classes;
    part.count = end - begin;
    row_loops<T>().entropy(part);
  });
  if (call.out.block) *data_of<T>(call.out) = sum_of(rows.loss, rows.count) / divisor;
  return nullptr;
}

// A gradient of 1 leaves slopes that lie in their place already as they are.
template <class T>
void backward(const CrossEntropyBackwardCall& call) {
  const Shape& shape = call.slopes.layout->shape;
  const int64_t rows = shape[0], classes = shape[1];
  const T *slopes = data_of<T>(call.slopes), *g = data_of<T>(call.g);
  T* dx = data_of<T>(call.dx);
  const int64_t step = call.g.layout->dim();  // from one row's gradient to the next
  parallel_rows(rows, classes, [=](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      if (g[r * step] != 1 || dx != slopes)
        row_loops<T>().scale(slopes + r * classes, g[r * step], classes, dx + r * classes);
  });
}

}  // namespace

const char* cross_entropy(const CrossEntropyCall& call) {
  return call.x.layout->dtype == kFloat64 ? forward<double>(call) : forward<float>(call);
}

const char* cross_entropy_backward(const CrossEntropyBackwardCall& call) {
  call.slopes.layout->dtype == kFloat64 ? backward<double>(call) : backward<float>(call);
  return nullptr;
}

}  // namespace levin::inline v0::cpu

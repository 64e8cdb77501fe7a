// Loops of softmax, and of the cross entropy of class indices.
#pragma once

#include "rows.h"

namespace levin::inline v0 {
namespace {

// out = e^(x - largest); gives the sum.
template <class T>
T exponentials(const T* x, T largest, int64_t n, T* out) {
  using V = Vec<T>;
  const auto power = [=](int64_t i, int64_t count) {
    const V y = exp(V::load_first(x + i, count) - V(largest));
    y.store_first(out + i, count);
    __builtin_prefetch(x + n + i);  // the next row: memory has nothing else to do
    return y;
  };
  if (n < 64)  // in one loop: what was just stored in part cannot be loaded at once
    return sum_by_length<T>(
        n, [=](int64_t i, int64_t count) { return first_or(power(i, count), count, V(0)); });
  map_row<T>(n, power);
  return sum_block(out, n);
}

// The sum of e^(x - largest), which goes to `out` where that is not null.
template <class T>
T sum_of_exponentials(const T* x, T largest, int64_t n, T* out) {
  return sum_blocks<T>(n, [=](int64_t start, int64_t count) {
    T buffer[kSumBlock];
    return exponentials(x + start, largest, count, out ? out + start : buffer);
  });
}

// softmax: e^(x - max) / sum; log_softmax: (x - max) - log sum.
template <class T>
void softmax_row(const T* x, T* out, int64_t n, bool log_form) {
  using V = Vec<T>;
  const T largest = largest_of(x, n);
  const T sum = sum_of_exponentials(x, largest, n, log_form ? nullptr : out);
  const T log_sum = log_form ? log(One<T>::raw(sum)).v : T(0);
  map_row<T>(n, [=](int64_t i, int64_t count) {
    const V y = log_form ? (V::load_first(x + i, count) - V(largest)) - V(log_sum)
                         : V::load_first(out + i, count) / V(sum);
    y.store_first(out + i, count);
  });
}

template <class T>
void softmax_rows(const T* x, T* out, int64_t rows, int64_t n, bool log_form) {
  for (int64_t i = 0; i < rows * n; i += n) softmax_row(x + i, out + i, n, log_form);
}

// softmax: y (g - sum(g y)); log_softmax: g - e^y sum(g).
template <class T>
void softmax_rows_backward(const T* y, const T* g, T* out, int64_t rows, int64_t n, bool log_form) {
  using V = Vec<T>;
  for (; rows > 0; --rows, y += n, g += n, out += n) {
    const T sum = sum_row<T>(n, [=](int64_t i, int64_t count) {
      const V slope = V::load_first(g + i, count);
      return log_form ? slope : slope * V::load_first(y + i, count);
    });
    map_row<T>(n, [=](int64_t i, int64_t count) {
      const V value = V::load_first(y + i, count), slope = V::load_first(g + i, count);
      (log_form ? slope - exp(value) * V(sum) : value * (slope - V(sum)))
          .store_first(out + i, count);
    });
  }
}

// loss = -log_softmax(x)[target]; slope = scale (softmax(x) - onehot), or 0 where the target is
// ignored. A row comes from memory once: the rest happens while it is in the cache.
template <class T>
void entropy_rows(const EntropyRows<T>& given) {
  using V = Vec<T>;
  const EntropyRows<T> rows = given;
  const int64_t n = rows.classes;
  for (int64_t r = 0; r < rows.count; ++r) {
    const T* x = rows.x + r * n;
    const int64_t target = rows.target[r];
    const bool ignored = target == rows.ignored;
    const T largest = largest_of(x, n);
    T* slopes = rows.slopes ? rows.slopes + r * n : nullptr;
    const T sum = sum_of_exponentials(x, largest, n, slopes);
    rows.loss[r] = ignored ? T(0) : -((x[target] - largest) - log(One<T>::raw(sum)).v);
    if (!slopes) continue;
    const T factor = ignored ? T(0) : rows.scale / sum;
    map_row<T>(n, [=](int64_t i, int64_t count) {
      (V::load_first(slopes + i, count) * V(factor)).store_first(slopes + i, count);
    });
    if (!ignored) slopes[target] -= rows.scale;
  }
}

template <class T>
void scale(const T* x, T g, int64_t n, T* out) {
  map_row<T>(n, [=](int64_t i, int64_t count) {
    (Vec<T>::load_first(x + i, count) * Vec<T>(g)).store_first(out + i, count);
  });
}

}  // namespace
}  // namespace levin::inline v0

// Indices: what may stand between brackets.
//
//     x[0], x[-1]                                 one slice of the first dimension: a view
//     x[{0, 2}]                                   the same of the first two
//     x[{Slice(1, -1, 2)}], x[Slice(1)]           Python's x[1:-1:2], x[1:]: a view
//     x[{Slice(None, 3), Ellipsis, 0, None}]      x[:3, ..., 0, None]: a view
//     x[index], x[{Slice(), index}]               slices at the positions that an int64 tensor holds
//     x[{rows, columns}]                          elements: the tensors' shapes broadcast
//     x[mask], x[{Slice(), mask}]                 where a bool tensor is true; it stands for as many
//                                                 dimensions as it has
//     x.index_put_({0, Slice(1)}, values)         x[0, 1:] = values; with history too
//     x.index_put({rows, columns}, values, true)  a copy with values added
//
// Rules: negative positions count from the end, those of tensors too; out of range is
// std::out_of_range. Dimensions that are not named are whole. Where tensors stand side by side,
// their common shape takes the place of the dimensions that they index, else it comes first;
// integers and 0-d tensors are taken before that and do not count. What a tensor picks is a copy;
// a mask is read on the host, since the result's size depends on it. `x[{}]` is x[0]: C++ takes the
// braces for an empty number.
#pragma once

#include <initializer_list>
#include <optional>
#include <vector>

#include "../tensor/tensor.h"

namespace levin::inline v0 {

/// A new dimension of size 1; as a bound of a Slice: to the end.
struct NoneType {
  operator std::optional<int64_t>() const { return {}; }
};
inline constexpr NoneType None;
/// As many whole dimensions as are left.
struct EllipsisType {};
inline constexpr EllipsisType Ellipsis;

/// Python's start:stop:step; bounds may be negative, too large, or None; step is positive.
struct Slice {
  std::optional<int64_t> start, stop, step;
  Slice(std::optional<int64_t> its_start = {}, std::optional<int64_t> its_stop = {},
        std::optional<int64_t> its_step = {})
      : start(its_start), stop(its_stop), step(its_step) {}
};

/// One of the indices: an integer, Slice, None, Ellipsis, or a tensor (int64 or bool).
struct TensorIndex {
  enum Kind : uint8_t { integer, slice, none, ellipsis, tensor } kind;
  int64_t position = 0;
  Slice range;
  Tensor indices;

  template <std::integral T>
  requires(!std::is_same_v<T, bool>) TensorIndex(T at)
      : kind(integer), position(static_cast<int64_t>(at)) {}
  TensorIndex(Slice its_range) : kind(slice), range(its_range) {}
  TensorIndex(NoneType) : kind(none) {}
  TensorIndex(EllipsisType) : kind(ellipsis) {}
  TensorIndex(Tensor its_indices) : kind(tensor), indices(std::move(its_indices)) {}
};

/// The list of them. A single one converts.
class Indices {
 public:
  Indices(std::initializer_list<TensorIndex> list) : list_(list) {}
  Indices(std::vector<TensorIndex> list) : list_(std::move(list)) {}
  template <std::integral T>
  requires(!std::is_same_v<T, bool>) Indices(T at) : list_{at} {}
  Indices(const Tensor& indices) : list_{indices} {}
  Indices(Slice range) : list_{range} {}
  Indices(NoneType none) : list_{none} {}
  Indices(EllipsisType ellipsis) : list_{ellipsis} {}

  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }
  std::size_t size() const { return list_.size(); }

 private:
  std::vector<TensorIndex> list_;
};

}  // namespace levin::inline v0

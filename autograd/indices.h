// Indices: what may stand between brackets, `x[{Slice(1, -1, 2), 0, Ellipsis, None}]`.
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

/// Python's start:stop:step; bounds may be negative or None, step is positive.
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

/// The list of them. A single tensor or Slice converts.
class Indices {
 public:
  Indices(std::initializer_list<TensorIndex> list) : list_(list) {}
  Indices(std::vector<TensorIndex> list) : list_(std::move(list)) {}
  Indices(const Tensor& indices) : list_{indices} {}
  Indices(Slice range) : list_{range} {}

  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }
  std::size_t size() const { return list_.size(); }

 private:
  std::vector<TensorIndex> list_;
};

}  // namespace levin::inline v0

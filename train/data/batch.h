// Batch: what a dataset gives for one sample and a loader for many: a tensor, a tuple of tensors,
// or tensors by name.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../tensor/tensor.h"
#include "../inline_list.h"

namespace levin::inline v0::data {

/// `const auto& [x, gt] = batch;` takes a pair apart; `batch[2]`, `batch["labels"]` reach one
/// tensor. Copies share the tensors.
class Batch {
 public:
  using Names = std::vector<std::string>;

  Batch() = default;
  Batch(Tensor tensor) { items_.push_back(std::move(tensor)); }
  Batch(std::initializer_list<Tensor> tuple) : items_(tuple) {}
  /// Throws std::invalid_argument for a name that comes twice.
  Batch(std::initializer_list<std::pair<const char*, Tensor>> named);
  /// `count` undefined tensors, named as `like`.
  Batch(int count, const Batch& like) : names_(like.names_) {
    for (int i = 0; i < count; ++i) items_.push_back({});
  }

  int size() const { return items_.size(); }
  bool has_names() const { return names_ != nullptr; }
  /// Empty where the tensors have no names.
  const Names& names() const;
  Tensor* begin() { return items_.begin(); }
  Tensor* end() { return items_.end(); }
  const Tensor* begin() const { return items_.begin(); }
  const Tensor* end() const { return items_.end(); }

  /// Throws std::out_of_range.
  const Tensor& operator[](int i) const;
  /// Throws std::out_of_range, with the names there are.
  const Tensor& operator[](std::string_view name) const;
  Tensor& item(int i) { return items_[i]; }
  /// The only tensor. Throws std::invalid_argument where there are several.
  const Tensor& tensor() const;

  /// The first or second of exactly two tensors: what `[x, gt]` reads. Throws std::invalid_argument.
  template <std::size_t i>
  const Tensor& get() const {
    check_pair();
    return items_[i];
  }

 private:
  void check_pair() const;

  InlineList<Tensor, 4> items_;
  std::shared_ptr<const Names> names_;
};

}  // namespace levin::inline v0::data

template <>
struct std::tuple_size<levin::data::Batch> : std::integral_constant<std::size_t, 2> {};
template <std::size_t i>
struct std::tuple_element<i, levin::data::Batch> {
  using type = const levin::Tensor;
};

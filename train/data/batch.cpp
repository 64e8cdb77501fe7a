#include "batch.h"

#include <algorithm>

#include "../../kernels/check.h"

namespace levin::inline v0::data {

Batch::Batch(std::initializer_list<std::pair<const char*, Tensor>> named) {
  auto names = std::make_shared<Names>();
  for (const auto& [name, tensor] : named) {
    check(std::find(names->begin(), names->end(), name) == names->end(),
          {"batch: the name '", name, "' comes twice"});
    names->emplace_back(name);
    items_.push_back(tensor);
  }
  names_ = std::move(names);
}

const Batch::Names& Batch::names() const {
  static const Names* none = new Names;  // never destroyed: batches may outlive main
  return names_ ? *names_ : *none;
}

const Tensor& Batch::operator[](int i) const {
  if (i < 0 || i >= size()) fail(Fault::index, {"batch[", i, "]: it has ", size(), " tensors"});
  return items_[i];
}

const Tensor& Batch::operator[](std::string_view name) const {
  std::string known;
  for (int i = 0; i < static_cast<int>(names().size()); ++i) {
    if (names()[i] == name) return items_[i];
    known += (i ? ", '" : "'") + names()[i] + "'";
  }
  fail(Fault::index, {"batch[\"", name, "\"]: it has the names [", known, "]"});
}

const Tensor& Batch::tensor() const {
  check(size() == 1, {"batch: it has ", size(), " tensors where one is needed"});
  return items_[0];
}

void Batch::check_pair() const {
  check(size() == 2, {"batch: [x, gt] takes exactly two tensors, it has ", size()});
}

}  // namespace levin::inline v0::data

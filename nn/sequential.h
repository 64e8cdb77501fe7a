// Sequential: modules one after the other.
#pragma once

#include <initializer_list>

#include "module.h"

namespace levin::inline v0::nn {

/// `Sequential{Linear(64, 32), ReLU(), Linear(32, 10)}`; the parts are named "0", "1", ... With
/// braces they are made from left to right, and so draw their initial values in this order; with
/// parentheses the compiler chooses the order.
class Sequential : public Module {
 public:
  template <class... Modules>
  requires(sizeof...(Modules) > 1 || !(std::is_same_v<std::remove_cvref_t<Modules>, Sequential> ||
                                       ...)) explicit Sequential(Modules&&... modules)
      : Sequential(std::vector<AnyModule>{std::forward<Modules>(modules)...}) {}
  explicit Sequential(std::vector<AnyModule> modules);

  Tensor forward(const Tensor& x) override;
  void members(Members& m) override;
  std::size_t size() const { return modules_.size(); }
  /// Throws std::out_of_range.
  Module& operator[](std::size_t i) const { return *modules_.at(i); }

 private:
  std::vector<AnyModule> modules_;
  std::vector<std::string> names_;
};

}  // namespace levin::inline v0::nn

// Sequential: modules one after the other.
#pragma once

#include "module_list.h"

namespace levin::inline v0::nn {

/// `Sequential{Linear(64, 32), ReLU(), Linear(32, 10)}`: a ModuleList that calls its parts one after
/// the other.
class Sequential : public ModuleList {
 public:
  template <class... Modules>
  requires(sizeof...(Modules) != 1 || !(std::is_same_v<std::remove_cvref_t<Modules>, Sequential> ||
                                        ...)) explicit Sequential(Modules&&... modules)
      : ModuleList(std::vector<AnyModule>{std::forward<Modules>(modules)...}) {}
  explicit Sequential(std::vector<AnyModule> modules) : ModuleList(std::move(modules)) {}

  Tensor forward(const Tensor& x) override;
  void set_name(std::string name) override { Module::set_name(std::move(name)); }
};

}  // namespace levin::inline v0::nn

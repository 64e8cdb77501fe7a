// ModuleList: modules by number, for a forward() that goes through them itself.
#pragma once

#include "module.h"

namespace levin::inline v0::nn {

/// `ModuleList layers{Linear(4, 8), Linear(8, 8)}`; the parts are named "0", "1", ... With braces
/// they are made from left to right, and so draw their initial values in this order; with
/// parentheses the compiler chooses the order.
class ModuleList : public Module {
 public:
  template <class... Modules>
  requires(sizeof...(Modules) != 1 ||
           !(std::is_base_of_v<ModuleList, std::remove_cvref_t<Modules>> ||
             ...)) explicit ModuleList(Modules&&... modules)
      : ModuleList(std::vector<AnyModule>{std::forward<Modules>(modules)...}) {}
  explicit ModuleList(std::vector<AnyModule> modules);

  void members(Members& m) override;
  /// It is not called itself, so its parts bear its name: errors say `model.layers.0`.
  void set_name(std::string name) override;
  void append(AnyModule module);
  std::size_t size() const { return modules_.size(); }
  /// Throws std::out_of_range.
  Module& operator[](std::size_t i) const { return *modules_.at(i); }

 private:
  std::vector<AnyModule> modules_;
  std::vector<std::string> names_;
};

}  // namespace levin::inline v0::nn

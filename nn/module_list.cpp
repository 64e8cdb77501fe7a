#include "module_list.h"

namespace levin::inline v0::nn {

ModuleList::ModuleList(std::vector<AnyModule> modules) {
  for (AnyModule& module : modules) append(std::move(module));
}

void ModuleList::set_name(std::string name) {
  Module::set_name(name);
  for (std::size_t i = 0; i < size(); ++i)
    modules_[i]->set_name(name.empty() ? names_[i] : name + "." + names_[i]);
}

void ModuleList::append(AnyModule module) {
  check(static_cast<bool>(module), {"ModuleList: an empty AnyModule"});
  names_.push_back(std::to_string(size()));
  module->set_name(names_.back());
  modules_.push_back(std::move(module));
}

void ModuleList::members(Members& m) {
  for (std::size_t i = 0; i < size(); ++i) m(names_[i].c_str(), modules_[i]);
}

}  // namespace levin::inline v0::nn

#include "sequential.h"

namespace levin::inline v0::nn {

Sequential::Sequential(std::vector<AnyModule> modules) : modules_(std::move(modules)) {
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    names_.push_back(std::to_string(i));
    modules_[i]->set_name(names_[i]);
  }
}

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  for (const AnyModule& module : modules_) y = (*module)(y);
  return y;
}

void Sequential::members(Members& m) {
  for (std::size_t i = 0; i < modules_.size(); ++i) m(names_[i].c_str(), modules_[i]);
}

}  // namespace levin::inline v0::nn

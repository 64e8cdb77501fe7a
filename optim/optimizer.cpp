#include "optimizer.h"

#include "../kernels/check.h"

namespace levin::inline v0::optim {

void Optimizer::zero_grad(bool set_to_none) {
  for (int group = 0; group < group_count(); ++group)
    for (const Tensor& parameter : parameters(group)) parameter.zero_grad(set_to_none);
}

AnyOptimizer Optimizer::rebound(const std::function<Tensor(const Tensor&)>&) const {
  fail(Fault::order, {type_name(), ": has no rebound(): it cannot be copied to another model"});
}

void Optimizer::set_momentum(int, double) {
  fail({type_name(), ": has neither momentum nor betas"});
}

void check_parameters(const char* optimizer, const std::vector<Tensor>& parameters,
                      const std::vector<Tensor>& known) {
  check(!parameters.empty(), {optimizer, ": got an empty list of parameters"});
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Tensor& parameter = parameters[i];
    check(parameter.is_leaf() && is_floating(parameter.dtype()),
          {optimizer, ": parameter ", i, " of shape ", parameter.shape(),
           " is not a floating leaf tensor"});
    bool repeated = false;
    for (std::size_t j = 0; j < i; ++j) repeated |= parameters[j].is_same(parameter);
    for (const Tensor& other : known) repeated |= other.is_same(parameter);
    check(!repeated,
          {optimizer, ": parameter ", i, " of shape ", parameter.shape(), " appears twice"});
  }
}

}  // namespace levin::inline v0::optim

// Optimizer: what all optimizers have. OptimizerState: what a checkpoint keeps of one.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "../kernels/handle.h"
#include "../tensor/tensor.h"

namespace levin::inline v0::optim {

/// Numbers ("param_groups.0.lr") and tensors ("state.2.momentum_buffer", with the parameter's
/// number), by name.
struct OptimizerState {
  std::vector<std::pair<std::string, double>> numbers;
  std::vector<std::pair<std::string, Tensor>> tensors;
};

/// Changes parameters by their gradients. Parameters without a gradient are left alone.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// One update of every parameter that has a gradient.
  virtual void step() = 0;
  /// "SGD"
  virtual std::string type_name() const = 0;
  virtual OptimizerState state_dict() const = 0;
  /// Throws std::invalid_argument where the state is of another number of groups or parameters;
  /// then nothing changes.
  virtual void load_state_dict(const OptimizerState& state) = 0;
  virtual int group_count() const = 0;
  virtual const std::vector<Tensor>& parameters(int group) const = 0;
  virtual double lr(int group = 0) const = 0;
  virtual void set_lr(int group, double lr) = 0;

  /// Forgets the gradients of all parameters (or sets them to zeros).
  void zero_grad(bool set_to_none = true);
};

/// An optimizer of any type; copies share it.
using AnyOptimizer = Handle<Optimizer>;

/// What every optimizer asks of its parameters: floating leaves, none of them twice.
void check_parameters(const char* optimizer, const std::vector<Tensor>& parameters,
                      const std::vector<Tensor>& known);

}  // namespace levin::inline v0::optim

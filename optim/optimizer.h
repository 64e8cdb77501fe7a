// Optimizer: what all optimizers have. OptimizerState: what a checkpoint keeps of one.
#pragma once

#include <functional>
#include <optional>
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

class Optimizer;
/// An optimizer of any type; copies share it.
using AnyOptimizer = Handle<Optimizer>;

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
  /// The same optimizer, with copies of its numbers and state, for another model's parameters:
  /// `counterpart` gives for each of this one's parameters the other's. Throws std::logic_error
  /// where a type of one's own does not have it.
  virtual AnyOptimizer rebound(const std::function<Tensor(const Tensor&)>& counterpart) const;
  /// Do both stand for one optimizer?
  virtual bool is_same(const Optimizer& other) const { return this == &other; }

  virtual int group_count() const = 0;
  virtual const std::vector<Tensor>& parameters(int group) const = 0;
  virtual double lr(int group = 0) const = 0;
  virtual void set_lr(int group, double lr) = 0;
  /// The rate from which schedules start: lr at the time when the first scheduler was made.
  virtual double initial_lr(int group) const { return lr(group); }
  virtual void set_initial_lr(int /*group*/, double /*lr*/) {}
  /// momentum, or the first of betas; none where the optimizer has neither.
  virtual std::optional<double> momentum(int /*group*/) const { return {}; }
  /// Throws std::invalid_argument where the optimizer has none.
  virtual void set_momentum(int group, double momentum);
  virtual std::optional<double> weight_decay(int /*group*/) const { return {}; }

  /// Forgets the gradients of all parameters (or sets them to zeros).
  void zero_grad(bool set_to_none = true);
};

/// What every optimizer asks of its parameters: floating leaves, none of them twice.
void check_parameters(const char* optimizer, const std::vector<Tensor>& parameters,
                      const std::vector<Tensor>& known);

}  // namespace levin::inline v0::optim

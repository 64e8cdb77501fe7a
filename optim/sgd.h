// SGD with momentum.
#pragma once

#include <initializer_list>

#include "../kernels/backend.h"
#include "optimizer.h"

namespace levin::inline v0::optim {

/// torch.optim.SGD's options and defaults.
struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
  bool maximize = false;
};

/// g += weight_decay p; m = momentum m + (1 - dampening) g (g itself the first time); p -= lr m, or
/// p -= lr (g + momentum m) with nesterov, or p -= lr g without momentum. maximize turns the
/// gradient's sign first.
class SGD : public Optimizer {
 public:
  struct Group {
    std::vector<Tensor> params;
    SGDOptions options = {};
  };
  /// Throws std::invalid_argument for options that PyTorch refuses, and for parameters that are no
  /// leaves.
  explicit SGD(std::vector<Tensor> parameters, const SGDOptions& options = {});
  explicit SGD(std::vector<Group> groups);

  void add_param_group(Group group);
  void step() override;
  std::string type_name() const override { return "SGD"; }
  OptimizerState state_dict() const override;
  void load_state_dict(const OptimizerState& state) override;
  int group_count() const override { return static_cast<int>(groups_.size()); }
  const std::vector<Tensor>& parameters(int group) const override {
    return groups_.at(group).params;
  }
  double lr(int group = 0) const override { return groups_.at(group).numbers.lr; }
  void set_lr(int group, double lr) override { groups_.at(group).numbers.lr = lr; }

 private:
  struct Params {
    std::vector<Tensor> params;
    std::vector<Tensor> momentum;  // undefined before the first step
    SgdNumbers numbers;            // kernels read it by its address
    int64_t active = 0;            // how many of them this step updates
  };
  // What a step needs besides its spans, which point into it.
  struct Prepared {
    std::vector<Tensor> copies;                       // of gradients that a user set with gaps
    std::vector<std::pair<Tensor, Tensor>> gapped;    // parameters with gaps, and their stand-ins
    std::vector<std::pair<Tensor*, Tensor>> started;  // momentum's place, and it
  };
  void prepare(Params& group, Prepared* prepared);

  std::vector<Params> groups_;
  std::vector<Span> spans_;  // of one step; kept for its memory
};

}  // namespace levin::inline v0::optim

// AveragedModel: an average of a model's parameters over its training.
#pragma once

#include <cstdint>
#include <optional>

#include "optimizer.h"

namespace levin::inline v0::optim {

/// Without decay all updates count the same (torch's AveragedModel); with it, average = decay
/// average + (1 - decay) parameter (torch's get_ema_multi_avg_fn).
struct AveragedModelOptions {
  std::optional<double> decay = {};
};

/// Averages that start with the parameters' values at the first update. Copies share the averages'
/// memory.
class AveragedModel {
 public:
  /// Throws std::invalid_argument for a decay outside [0, 1] and for no parameters.
  explicit AveragedModel(std::vector<Tensor> parameters, const AveragedModelOptions& options = {});

  /// Takes the parameters' present values into the averages. Throws std::logic_error while they are
  /// swapped.
  void update_parameters();
  /// How many updates there were.
  int64_t n_averaged() const { return n_averaged_; }
  /// One for each parameter; the parameters' own values while they are swapped.
  const std::vector<Tensor>& averages() const { return averages_; }
  /// Exchanges the values of parameters and averages: to validate with the averages, and back.
  void swap();
  bool is_swapped() const { return is_swapped_; }
  /// The parameters become the averages.
  void copy_to_parameters() const;

  /// "n_averaged", "swapped"; "averages.0", .. It holds the tensors themselves.
  OptimizerState state_dict() const;
  /// Throws std::invalid_argument where the state is of other parameters; then nothing changes.
  void load_state_dict(const OptimizerState& state);

 private:
  AveragedModelOptions options_;
  std::vector<Tensor> parameters_, averages_;
  int64_t n_averaged_ = 0;
  bool is_swapped_ = false;
};

}  // namespace levin::inline v0::optim

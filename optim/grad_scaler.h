// GradScaler: keeps small float16 gradients above 0 by scaling the loss.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "optimizer.h"

namespace levin::inline v0::optim {

struct GradScalerOptions {
  double init_scale = 65536;
  double growth_factor = 2;
  double backoff_factor = 0.5;
  int64_t growth_interval = 2000;
};

/// torch.amp.GradScaler. For each step:
///
///     scaler.scale(loss).backward();
///     scaler.step(optimizer);  // optimizer.step(), unless a gradient has overflowed
///     scaler.update();
///
/// The scale halves after an overflow and doubles after `growth_interval` steps without one. Whether
/// a step is made is decided by the host, which waits for the device once a step, as PyTorch's does:
/// such a step is no captured step.
class GradScaler {
 public:
  /// Throws std::invalid_argument for factors or an interval that mean nothing.
  explicit GradScaler(const GradScalerOptions& options = {});

  /// loss * scale
  Tensor scale(const Tensor& loss) const;
  /// Divides the optimizer's gradients by the scale, so that they can be clipped; step() does it where
  /// it was not done. Throws std::logic_error the second time before update().
  void unscale_(Optimizer& optimizer);
  /// optimizer.step(), unless one of its gradients is infinite or NaN. Was it made? Throws
  /// std::logic_error the second time before update().
  bool step(Optimizer& optimizer);
  /// The next step's scale; after the last step() of an iteration. Throws std::logic_error where there
  /// was none.
  void update();

  double get_scale() const { return scale_; }
  /// "scale", "growth_factor", "backoff_factor", "growth_interval", "_growth_tracker"
  using State = std::vector<std::pair<std::string, double>>;
  State state_dict() const;
  /// Throws std::invalid_argument where a number is missing; then nothing changes.
  void load_state_dict(const State& state);

 private:
  // What is known of an optimizer's gradients since the last update().
  struct Seen {
    const Optimizer* optimizer;
    bool finite, has_stepped = false;
  };
  Seen* seen(const Optimizer& optimizer);

  GradScalerOptions options_;
  double scale_;
  int64_t growth_tracker_ = 0;  // steps without an overflow
  std::vector<Seen> seen_;
};

}  // namespace levin::inline v0::optim

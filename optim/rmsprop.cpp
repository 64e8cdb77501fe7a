#include "rmsprop.h"

#include "../kernels/formulas/optimizers.h"

namespace levin::inline v0::optim {

static constexpr Scheme kRmsprop = {
    "RMSprop",
    Rule::rmsprop,
    {"lr", "momentum", "alpha", "eps", "centered", "weight_decay", "maximize"},
    {{{"square_avg"}, {"momentum_buffer", "momentum"}, {"grad_avg", "centered"}}},
    {{{"step"}}}};

Settings settings_of(const RMSpropOptions& o) {
  check_common(kRmsprop, o.lr, o.eps, o.weight_decay);
  check_number(kRmsprop, "momentum value", o.momentum, o.momentum >= 0);
  check_number(kRmsprop, "alpha value", o.alpha, o.alpha >= 0);
  return {kRmsprop, numbers_of(formula::RMSprop{.lr = o.lr,
                                                .momentum = o.momentum,
                                                .alpha = o.alpha,
                                                .eps = o.eps,
                                                .centered = double(o.centered),
                                                .weight_decay = o.weight_decay,
                                                .maximize = double(o.maximize)})};
}

}  // namespace levin::inline v0::optim

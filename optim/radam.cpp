#include "radam.h"

#include "../kernels/formulas/optimizers.h"

namespace levin::inline v0::optim {

static constexpr Scheme kRAdam = {
    "RAdam",
    Rule::radam,
    {"lr", "betas.0", "betas.1", "eps", "weight_decay", "decoupled_weight_decay", "maximize"},
    {{{"exp_avg"}, {"exp_avg_sq"}}},
    {{{"step"}}}};

Settings settings_of(const RAdamOptions& o) {
  check_common(kRAdam, o.lr, o.eps, o.weight_decay);
  check_betas(kRAdam, o.betas);
  return {kRAdam, numbers_of(formula::RAdam{.lr = o.lr,
                                            .beta1 = o.betas[0],
                                            .beta2 = o.betas[1],
                                            .eps = o.eps,
                                            .weight_decay = o.weight_decay,
                                            .decoupled = double(o.decoupled_weight_decay),
                                            .maximize = double(o.maximize)})};
}

}  // namespace levin::inline v0::optim

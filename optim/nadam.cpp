#include "nadam.h"

#include "../kernels/formulas/optimizers.h"

namespace levin::inline v0::optim {

static constexpr Scheme kNAdam = {"NAdam",
                                  Rule::nadam,
                                  {"lr", "betas.0", "betas.1", "eps", "weight_decay",
                                   "momentum_decay", "decoupled_weight_decay", "maximize"},
                                  {{{"exp_avg"}, {"exp_avg_sq"}}},
                                  {{{"step"}, {"mu_product", 1}}}};

Settings settings_of(const NAdamOptions& o) {
  check_common(kNAdam, o.lr, o.eps, o.weight_decay);
  check_betas(kNAdam, o.betas);
  check_number(kNAdam, "momentum_decay value", o.momentum_decay, o.momentum_decay >= 0);
  return {kNAdam, numbers_of(formula::NAdam{.lr = o.lr,
                                            .beta1 = o.betas[0],
                                            .beta2 = o.betas[1],
                                            .eps = o.eps,
                                            .weight_decay = o.weight_decay,
                                            .momentum_decay = o.momentum_decay,
                                            .decoupled = double(o.decoupled_weight_decay),
                                            .maximize = double(o.maximize)})};
}

}  // namespace levin::inline v0::optim

#include "adamax.h"

#include "../kernels/formulas/optimizers.h"

namespace levin::inline v0::optim {

static constexpr Scheme kAdamax = {"Adamax",
                                   Rule::adamax,
                                   {"lr", "betas.0", "betas.1", "eps", "weight_decay", "maximize"},
                                   {{{"exp_avg"}, {"exp_inf"}}},
                                   {{{"step"}}}};

Settings settings_of(const AdamaxOptions& o) {
  check_common(kAdamax, o.lr, o.eps, o.weight_decay);
  check_betas(kAdamax, o.betas);
  return {kAdamax, numbers_of(formula::Adamax{.lr = o.lr,
                                              .beta1 = o.betas[0],
                                              .beta2 = o.betas[1],
                                              .eps = o.eps,
                                              .weight_decay = o.weight_decay,
                                              .maximize = double(o.maximize)})};
}

}  // namespace levin::inline v0::optim

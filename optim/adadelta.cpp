#include "adadelta.h"

#include "../kernels/formulas/optimizers.h"

namespace levin::inline v0::optim {

static constexpr Scheme kAdadelta = {"Adadelta",
                                     Rule::adadelta,
                                     {"lr", "rho", "eps", "weight_decay", "maximize"},
                                     {{{"square_avg"}, {"acc_delta"}}},
                                     {{{"step"}}}};

Settings settings_of(const AdadeltaOptions& o) {
  check_common(kAdadelta, o.lr, o.eps, o.weight_decay);
  check_number(kAdadelta, "rho value", o.rho, o.rho >= 0 && o.rho <= 1);
  return {kAdadelta, numbers_of(formula::Adadelta{.lr = o.lr,
                                                  .rho = o.rho,
                                                  .eps = o.eps,
                                                  .weight_decay = o.weight_decay,
                                                  .maximize = double(o.maximize)})};
}

}  // namespace levin::inline v0::optim

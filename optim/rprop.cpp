#include "rprop.h"

#include "../kernels/check.h"
#include "../kernels/formulas/optimizers.h"

namespace levin::inline v0::optim {

static constexpr Scheme kRprop = {
    "Rprop",
    Rule::rprop,
    {"lr", "etas.0", "etas.1", "step_sizes.0", "step_sizes.1", "maximize"},
    {{{"prev"}, {"step_size", nullptr, "lr"}}},
    {{{"step"}}}};

Settings settings_of(const RpropOptions& o) {
  check_common(kRprop, o.lr, 0, 0);
  check(o.etas[0] > 0 && o.etas[0] < 1 && o.etas[1] > 1,
        {"Rprop: Invalid eta values: ", o.etas[0], ", ", o.etas[1]});
  return {kRprop, numbers_of(formula::Rprop{.lr = o.lr,
                                            .eta_minus = o.etas[0],
                                            .eta_plus = o.etas[1],
                                            .step_min = o.step_sizes[0],
                                            .step_max = o.step_sizes[1],
                                            .maximize = double(o.maximize)})};
}

}  // namespace levin::inline v0::optim

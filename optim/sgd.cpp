#include "sgd.h"

#include "../kernels/check.h"
#include "../kernels/formulas/optimizers.h"

namespace levin::inline v0::optim {

static constexpr Scheme kSgd = {
    "SGD",
    Rule::sgd,
    {"lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize"},
    {{{"momentum_buffer", "momentum"}}}};

Settings settings_of(const SGDOptions& o) {
  check_common(kSgd, o.lr, 0, o.weight_decay);
  check_number(kSgd, "momentum value", o.momentum, o.momentum >= 0);
  check(!o.nesterov || (o.momentum > 0 && o.dampening == 0),
        {"SGD: Nesterov momentum requires a momentum and zero dampening"});
  return {kSgd, numbers_of(formula::Sgd{.lr = o.lr,
                                        .momentum = o.momentum,
                                        .dampening = o.dampening,
                                        .weight_decay = o.weight_decay,
                                        .nesterov = double(o.nesterov),
                                        .maximize = double(o.maximize)})};
}

}  // namespace levin::inline v0::optim

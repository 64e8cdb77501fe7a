#include "adagrad.h"

#include "../kernels/formulas/optimizers.h"

namespace levin::inline v0::optim {

static constexpr Scheme kAdagrad = {
    "Adagrad",
    Rule::adagrad,
    {"lr", "lr_decay", "eps", "weight_decay", "initial_accumulator_value", "maximize"},
    {{{"sum", nullptr, "initial_accumulator_value"}}},
    {{{"step"}}}};

Settings settings_of(const AdagradOptions& o) {
  check_common(kAdagrad, o.lr, o.eps, o.weight_decay);
  check_number(kAdagrad, "lr_decay value", o.lr_decay, o.lr_decay >= 0);
  check_number(kAdagrad, "initial_accumulator_value value", o.initial_accumulator_value,
               o.initial_accumulator_value >= 0);
  return {kAdagrad,
          numbers_of(formula::Adagrad{.lr = o.lr,
                                      .lr_decay = o.lr_decay,
                                      .eps = o.eps,
                                      .weight_decay = o.weight_decay,
                                      .initial_accumulator_value = o.initial_accumulator_value,
                                      .maximize = double(o.maximize)})};
}

}  // namespace levin::inline v0::optim

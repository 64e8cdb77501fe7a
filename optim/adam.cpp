#include "adam.h"

#include "../kernels/formulas/optimizers.h"

namespace levin::inline v0::optim {
namespace {

constexpr Scheme scheme_of(const char* name) {
  return {name,
          Rule::adam,
          {"lr", "betas.0", "betas.1", "eps", "weight_decay", "amsgrad", "maximize",
           "decoupled_weight_decay"},
          {{{"exp_avg"}, {"exp_avg_sq"}, {"max_exp_avg_sq", "amsgrad"}}},
          {{{"step"}}}};
}

constexpr Scheme kAdam = scheme_of("Adam"), kAdamW = scheme_of("AdamW");

template <class Options>
Settings settings(const Scheme& scheme, const Options& o, bool decoupled) {
  check_common(scheme, o.lr, o.eps, o.weight_decay);
  check_betas(scheme, o.betas);
  return {scheme, numbers_of(formula::Adam{.lr = o.lr,
                                           .beta1 = o.betas[0],
                                           .beta2 = o.betas[1],
                                           .eps = o.eps,
                                           .weight_decay = o.weight_decay,
                                           .amsgrad = double(o.amsgrad),
                                           .maximize = double(o.maximize),
                                           .decoupled = double(decoupled)})};
}

}  // namespace

Settings settings_of(const AdamOptions& o) { return settings(kAdam, o, o.decoupled_weight_decay); }
Settings settings_of(const AdamWOptions& o) { return settings(kAdamW, o, true); }

}  // namespace levin::inline v0::optim

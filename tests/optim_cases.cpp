#include "optim_cases.h"

namespace levin {
namespace {

using namespace optim;

// Takes over what is named.
struct Given {
  const Json& options;
  template <class T>
  const Given& operator()(const char* name, T& value) const {
    if (options.contains(name)) value = options.at(name).get<T>();
    return *this;
  }
  const Given& operator()(const char* name, PerGroup& value) const {
    if (!options.contains(name)) return *this;
    const Json& given = options.at(name);
    value = given.is_array() ? PerGroup(given.get<std::vector<double>>())
                             : PerGroup(given.get<double>());
    return *this;
  }
};

void read(const Given& g, SGDOptions& o) {
  g("momentum", o.momentum)("dampening", o.dampening)("weight_decay", o.weight_decay);
  g("nesterov", o.nesterov)("maximize", o.maximize);
}
template <class Options>
void read_adam(const Given& g, Options& o) {
  g("betas", o.betas)("eps", o.eps)("weight_decay", o.weight_decay)("maximize", o.maximize);
}
void read(const Given& g, AdamOptions& o) { read_adam(g("amsgrad", o.amsgrad), o); }
void read(const Given& g, AdamWOptions& o) { read_adam(g("amsgrad", o.amsgrad), o); }
void read(const Given& g, NAdamOptions& o) {
  read_adam(g("momentum_decay", o.momentum_decay), o);
  g("decoupled_weight_decay", o.decoupled_weight_decay);
}
void read(const Given& g, RAdamOptions& o) {
  read_adam(g("decoupled_weight_decay", o.decoupled_weight_decay), o);
}
void read(const Given& g, AdamaxOptions& o) { read_adam(g, o); }
void read(const Given& g, RMSpropOptions& o) {
  g("alpha", o.alpha)("eps", o.eps)("weight_decay", o.weight_decay)("momentum", o.momentum);
  g("centered", o.centered)("maximize", o.maximize);
}
void read(const Given& g, AdagradOptions& o) {
  g("lr_decay", o.lr_decay)("weight_decay", o.weight_decay)("eps", o.eps)("maximize", o.maximize);
  g("initial_accumulator_value", o.initial_accumulator_value);
}
void read(const Given& g, AdadeltaOptions& o) {
  g("rho", o.rho)("eps", o.eps)("weight_decay", o.weight_decay)("maximize", o.maximize);
}
void read(const Given& g, RpropOptions& o) {
  g("etas", o.etas)("step_sizes", o.step_sizes)("maximize", o.maximize);
}

template <class Options>
AnyOptimizer made(const Json& given, const Tensors& parameters,
                  const std::vector<CaseGroup>& groups) {
  std::vector<typename OptimizerOf<Options>::Group> list;
  for (const CaseGroup& group : groups) {
    auto& added = list.emplace_back();
    for (const int i : group.params) added.params.push_back(parameters[i]);
    read(Given{given}, added.options);
    added.options.lr = group.lr;
  }
  return OptimizerOf<Options>(std::move(list));
}

}  // namespace

AnyOptimizer make_optimizer(const std::string& name, const Json& options, const Tensors& p,
                            const std::vector<CaseGroup>& groups) {
  if (name == "SGD") return made<SGDOptions>(options, p, groups);
  if (name == "Adam") return made<AdamOptions>(options, p, groups);
  if (name == "AdamW") return made<AdamWOptions>(options, p, groups);
  if (name == "NAdam") return made<NAdamOptions>(options, p, groups);
  if (name == "RAdam") return made<RAdamOptions>(options, p, groups);
  if (name == "Adamax") return made<AdamaxOptions>(options, p, groups);
  if (name == "RMSprop") return made<RMSpropOptions>(options, p, groups);
  if (name == "Adagrad") return made<AdagradOptions>(options, p, groups);
  if (name == "Adadelta") return made<AdadeltaOptions>(options, p, groups);
  if (name == "Rprop") return made<RpropOptions>(options, p, groups);
  return {};
}

const std::vector<std::pair<std::string, Json>>& every_rule() {
  static const std::vector<std::pair<std::string, Json>> rules = {
      {"SGD", {{"momentum", 0.9}, {"nesterov", true}, {"weight_decay", 0.01}}},
      {"Adam", {{"amsgrad", true}, {"weight_decay", 0.01}}},
      {"AdamW", Json::object()},
      {"NAdam", {{"weight_decay", 0.01}}},
      {"RAdam", {{"betas", {0.8, 0.9}}, {"decoupled_weight_decay", true}}},
      {"Adamax", {{"maximize", true}}},
      {"RMSprop", {{"centered", true}, {"momentum", 0.5}}},
      {"Adagrad", {{"lr_decay", 0.1}, {"initial_accumulator_value", 0.5}}},
      {"Adadelta", {{"rho", 0.8}}},
      {"Rprop", Json::object()}};
  return rules;
}

namespace {

// The functions that the reference names.
LRFunction function_of(const std::string& text) {
  const auto real = [](int64_t epoch) { return static_cast<double>(epoch); };
  if (text == "1 / (1 + 0.1 * epoch)")
    return [real](int64_t epoch) { return 1 / (1 + 0.1 * real(epoch)); };
  if (text == "0.95 ** epoch") return [real](int64_t epoch) { return std::pow(0.95, real(epoch)); };
  if (text == "epoch // 10 + 1") return [real](int64_t epoch) { return real(epoch / 10 + 1); };
  if (text == "0.9 if epoch % 3 == 0 else 1.0")
    return [](int64_t epoch) { return epoch % 3 == 0 ? 0.9 : 1.0; };
  return {};
}

std::vector<LRFunction> functions_of(const Json& texts) {
  std::vector<LRFunction> functions;
  for (const Json& text : texts) functions.push_back(function_of(text));
  return functions;
}

AnyScheduler make_cyclic(const Given& g, const AnyOptimizer& on) {
  CyclicLROptions o;
  g("base_lr", o.base_lr)("max_lr", o.max_lr)("step_size_up", o.step_size_up)("mode", o.mode);
  g("step_size_down", o.step_size_down)("gamma", o.gamma)("cycle_momentum", o.cycle_momentum);
  return CyclicLR(on, o);
}

AnyScheduler make_one_cycle(const Given& g, const AnyOptimizer& on) {
  OneCycleLROptions o;
  g("max_lr", o.max_lr)("total_steps", o.total_steps)("epochs", o.epochs);
  g("steps_per_epoch", o.steps_per_epoch)("pct_start", o.pct_start);
  g("anneal_strategy", o.anneal_strategy)("cycle_momentum", o.cycle_momentum);
  g("base_momentum", o.base_momentum)("max_momentum", o.max_momentum)("div_factor", o.div_factor);
  g("final_div_factor", o.final_div_factor)("three_phase", o.three_phase);
  return OneCycleLR(on, o);
}

AnyScheduler make_plateau(const Given& g, const AnyOptimizer& on) {
  ReduceLROnPlateauOptions o;
  g("mode", o.mode)("factor", o.factor)("patience", o.patience)("threshold", o.threshold);
  g("threshold_mode", o.threshold_mode)("cooldown", o.cooldown)("min_lr", o.min_lr)("eps", o.eps);
  return ReduceLROnPlateau(on, o);
}

AnyScheduler make_swa(const Given& g, const AnyOptimizer& on) {
  SWALROptions o;
  g("swa_lr", o.swa_lr)("anneal_epochs", o.anneal_epochs)("anneal_strategy", o.anneal_strategy);
  return SWALR(on, o);
}

AnyScheduler make_factor_schedule(const std::string& name, const Json& j, const AnyOptimizer& on) {
  const Given g{j};
  if (name == "StepLR") {
    StepLROptions o;
    g("step_size", o.step_size)("gamma", o.gamma);
    return StepLR(on, o);
  }
  if (name == "MultiStepLR") {
    MultiStepLROptions o;
    g("milestones", o.milestones)("gamma", o.gamma);
    return MultiStepLR(on, o);
  }
  if (name == "ExponentialLR") return ExponentialLR(on, j["gamma"]);
  if (name == "LinearLR") {
    LinearLROptions o;
    g("start_factor", o.start_factor)("end_factor", o.end_factor)("total_iters", o.total_iters);
    return LinearLR(on, o);
  }
  if (name == "ConstantLR") {
    ConstantLROptions o;
    g("factor", o.factor)("total_iters", o.total_iters);
    return ConstantLR(on, o);
  }
  if (name == "PolynomialLR") {
    PolynomialLROptions o;
    g("total_iters", o.total_iters)("power", o.power);
    return PolynomialLR(on, o);
  }
  if (name == "CosineAnnealingLR") {
    CosineAnnealingLROptions o;
    g("T_max", o.T_max)("eta_min", o.eta_min);
    return CosineAnnealingLR(on, o);
  }
  if (name == "CosineAnnealingWarmRestarts") {
    CosineAnnealingWarmRestartsOptions o;
    g("T_0", o.T_0)("T_mult", o.T_mult)("eta_min", o.eta_min);
    return CosineAnnealingWarmRestarts(on, o);
  }
  return {};
}

}  // namespace

AnyScheduler make_scheduler(const std::string& name, const Json& j, const AnyOptimizer& on) {
  if (const AnyScheduler made = make_factor_schedule(name, j, on)) return made;
  if (name == "OneCycleLR") return make_one_cycle(Given{j}, on);
  if (name == "CyclicLR") return make_cyclic(Given{j}, on);
  if (name == "ReduceLROnPlateau") return make_plateau(Given{j}, on);
  if (name == "SWALR") return make_swa(Given{j}, on);
  if (name == "LambdaLR" || name == "MultiplicativeLR") {
    const Json& given = j["lr_lambda"];
    if (name == "MultiplicativeLR") return MultiplicativeLR(on, function_of(given));
    if (given.is_array()) return LambdaLR(on, functions_of(given));
    return LambdaLR(on, function_of(given));
  }
  std::vector<AnyScheduler> parts;
  for (const Json& part : j["schedulers"]) parts.push_back(make_scheduler(part[0], part[1], on));
  if (name == "ChainedScheduler") return ChainedScheduler(parts);
  return SequentialLR(on, parts, j["milestones"].get<std::vector<int64_t>>());
}

}  // namespace levin

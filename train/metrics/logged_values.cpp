#include "logged_values.h"

#include "../../autograd/ops.h"
#include "../../kernels/check.h"

namespace levin::inline v0 {

void LoggedValues::log(const std::string& name, const Tensor& value, const LogOptions& options,
                       bool in_training_batch, double batch_size) {
  const bool on_step = options.on_step.value_or(in_training_batch);
  const bool on_epoch = options.on_epoch.value_or(!in_training_batch);
  const double weight = options.batch_size.value_or(batch_size);
  const std::string& reduction = options.reduce_fx;
  check(value.defined() && value.numel() == 1,
        {"log: '", name, "' has ", value.defined() ? value.numel() : int64_t{0},
         " elements, one is needed"});
  check(reduction == "mean" || reduction == "sum" || reduction == "min" || reduction == "max",
        {"log: '", name, "': reduce_fx '", reduction, "': mean, sum, min or max is needed"});
  const NoGrad no_grad;
  const Tensor number = value.detach().reshape({}).to(kFloat64).clone();
  for (Entry& entry : entries_) {
    if (entry.name != name) continue;
    check(entry.on_step == on_step && entry.on_epoch == on_epoch &&
              entry.options.reduce_fx == reduction,
          {"log: '", name, "' was logged with other options before"});
    if (entry.total.device() != number.device()) {  // from a checkpoint, or another place that logs
      entry.total = entry.total.to(number.device());
      entry.weight = entry.weight.to(number.device());
    }
    if (reduction == "min" || reduction == "max") {
      entry.total =
          reduction == "min" ? minimum(entry.total, number) : maximum(entry.total, number);
    } else {
      entry.total.add_(reduction == "mean" ? number * weight : number);
      entry.weight.add_(weight);
    }
    entry.last = number;
    entry.is_new = true;
    return;
  }
  const Tensor total = reduction == "mean" ? number * weight : number.clone();
  entries_.push_back({name, options, on_step, on_epoch, total,
                      full({}, weight, kFloat64, value.device()), number, true});
}

std::string LoggedValues::shown_name(const Entry& entry, bool of_step) const {
  if (!entry.on_step || !entry.on_epoch) return entry.name;
  return entry.name + (of_step ? "_step" : "_epoch");
}

double LoggedValues::reduced(const Entry& entry) const {
  const double total = entry.total.item<double>();
  return entry.options.reduce_fx == "mean" ? total / entry.weight.item<double>() : total;
}

MetricValues LoggedValues::take_step() {
  MetricValues values;
  for (Entry& entry : entries_) {
    if (!entry.on_step || !entry.is_new) continue;
    entry.is_new = false;
    if (entry.options.logger) values.set(shown_name(entry, true), entry.last.item<double>());
  }
  return values;
}

MetricValues LoggedValues::steps() const {
  MetricValues values;
  for (const Entry& entry : entries_)
    if (entry.on_step) values.set(shown_name(entry, true), entry.last.item<double>());
  return values;
}

std::optional<double> LoggedValues::step(std::string_view name) const {
  for (const Entry& entry : entries_)
    if (entry.on_step && shown_name(entry, true) == name) return entry.last.item<double>();
  return {};
}

MetricValues LoggedValues::epoch(bool for_loggers) const {
  MetricValues values;
  for (const Entry& entry : entries_)
    if (entry.on_epoch && (entry.options.logger || !for_loggers))
      values.set(shown_name(entry, false), reduced(entry));
  return values;
}

MetricValues LoggedValues::progress_bar() const {
  MetricValues values;
  for (const Entry& entry : entries_)
    if (entry.options.prog_bar)
      values.set(entry.name, entry.on_step ? entry.last.item<double>() : reduced(entry));
  return values;
}

std::vector<std::pair<std::string, Tensor>> LoggedValues::state() const {
  std::vector<std::pair<std::string, Tensor>> tensors;
  for (const Entry& entry : entries_) {
    tensors.emplace_back(entry.name + ".total", entry.total);
    tensors.emplace_back(entry.name + ".weight", entry.weight);
    tensors.emplace_back(entry.name + ".last", entry.last);
  }
  return tensors;
}

Value LoggedValues::options_state() const {
  Value state = Value::Map();
  for (const Entry& entry : entries_) {
    Value& kept = state[entry.name];
    kept["prog_bar"] = entry.options.prog_bar;
    kept["logger"] = entry.options.logger;
    kept["on_step"] = entry.on_step;
    kept["on_epoch"] = entry.on_epoch;
    kept["reduce_fx"] = entry.options.reduce_fx;
    kept["is_new"] = entry.is_new;
  }
  return state;
}

void LoggedValues::load_state(const Value& options,
                              const std::vector<std::pair<std::string, Tensor>>& state) {
  const auto tensor = [&](const std::string& name) {
    for (const auto& [key, kept] : state)
      if (key == name) return kept.clone();
    fail({"log: the state lacks '", name, "'"});
  };
  entries_.clear();
  for (const auto& [name, kept] : options.as_map()) {
    LogOptions own;
    own.prog_bar = kept.at("prog_bar").as_bool();
    own.logger = kept.at("logger").as_bool();
    own.reduce_fx = kept.at("reduce_fx").as_text();
    entries_.push_back({name, own, kept.at("on_step").as_bool(), kept.at("on_epoch").as_bool(),
                        tensor(name + ".total"), tensor(name + ".weight"), tensor(name + ".last"),
                        kept.at("is_new").as_bool()});
  }
}

}  // namespace levin::inline v0

#include "checkpoint_state.h"

#include "../kernels/check.h"
#include "console/log.h"
#include "files/text.h"

namespace levin::inline v0 {

uint64_t unsigned_of(const Value& text) { return std::stoull(text.as_text()); }

Value random_state() {
  Value state;
  const Generator& generator = default_generator();
  state["seed"] = std::to_string(generator.seed());
  Value& counters = state["counters"] = Value::Map();
  for (const auto& [stream, counter] : generator.counters())
    counters[stream] = std::to_string(counter);
  return state;
}

void restore_random_state(const Value& state) {
  Generator& generator = default_generator();
  generator.manual_seed(unsigned_of(state.at("seed")));
  std::vector<std::pair<std::string, uint64_t>> counters;
  for (const auto& [stream, counter] : state.at("counters").as_map())
    counters.emplace_back(stream, unsigned_of(counter));
  generator.set_counters(counters);
}

namespace {

std::string optimizer_prefix(std::size_t i) {
  return "optimizer_states." + std::to_string(i) + ".";
}

}  // namespace

void save_optimizers(const LME& model, Checkpoint* checkpoint) {
  Value& list = checkpoint->state["optimizer_states"] = Value::List();
  for (std::size_t i = 0; i < model.optimizer.list().size(); ++i) {
    const optim::Optimizer& optimizer = *model.optimizer.list()[i];
    const optim::OptimizerState state = optimizer.state_dict();
    Value entry;
    entry["type"] = optimizer.type_name();
    for (const auto& [name, number] : state.numbers) entry[name] = number;
    list.push_back(std::move(entry));
    for (const auto& [name, tensor] : state.tensors)
      checkpoint->tensors.emplace_back(optimizer_prefix(i) + name, tensor);
  }
}

void restore_optimizers(const LME& model, const Checkpoint& checkpoint) {
  const Value::List& list = checkpoint.state.at("optimizer_states").as_list();
  const auto& optimizers = model.optimizer.list();
  check(list.size() == optimizers.size(),
        {"resume: the checkpoint has ", list.size(), " optimizers, the model ", optimizers.size()});
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string& type = list[i].at("type").as_text();
    check(type == optimizers[i]->type_name(), {"resume: optimizer ", i, " of the checkpoint is ",
                                               type, ", the model's ", optimizers[i]->type_name()});
    optim::OptimizerState state;
    for (const auto& [name, number] : list[i].as_map())
      if (name != "type") state.numbers.emplace_back(name, real_of(number));
    state.tensors = checkpoint.with_prefix(optimizer_prefix(i));
    optimizers[i]->load_state_dict(state);
  }
}

void restore_schedulers(const LME& model, const Checkpoint& checkpoint) {
  const Value::List& list = checkpoint.state.at("lr_schedulers").as_list();
  const std::size_t own = model.scheduler.list().size();
  check(list.size() == own,
        {"resume: the checkpoint has ", list.size(), " schedulers, the model ", own});
  for (std::size_t i = 0; i < list.size(); ++i) {
    optim::LRScheduler& scheduler = *model.scheduler.list()[i].scheduler;
    const std::string& type = list[i].at("type").as_text();
    check(type == scheduler.type_name(), {"resume: scheduler ", i, " of the checkpoint is ", type,
                                          ", the model's ", scheduler.type_name()});
    optim::SchedulerState state;
    for (const auto& [name, number] : list[i].as_map())
      if (name != "type") state.emplace_back(name, real_of(number));
    scheduler.load_state_dict(state);
  }
}

void save_metrics(const EpochMetrics& metrics, const std::string& prefix, Checkpoint* checkpoint) {
  for (const auto& [name, metric] : metrics)
    for (const auto& [part, tensor] : metric->state())
      checkpoint->tensors.emplace_back("metrics." + prefix + name + "." + part, tensor);
}

void restore_metrics(const EpochMetrics& metrics, const std::string& prefix,
                     const Checkpoint& checkpoint) {
  for (const auto& [name, metric] : metrics)
    metric->load_state(checkpoint.with_prefix("metrics." + prefix + name + "."));
}

void save_schedulers(const LME& model, Checkpoint* checkpoint) {
  Value& list = checkpoint->state["lr_schedulers"] = Value::List();
  for (const SchedulerConfig& config : model.scheduler.list()) {
    Value state;
    state["type"] = config.scheduler->type_name();
    for (const auto& [name, number] : config.scheduler->state_dict()) state[name] = number;
    list.push_back(std::move(state));
  }
}

void save_callbacks(const std::vector<AnyCallback>& callbacks, Checkpoint* checkpoint) {
  Value& states = checkpoint->state["callbacks"] = Value::Map();
  for (const AnyCallback& callback : callbacks) {
    if (Value kept = callback->state_dict(); !kept.is_null())
      states[callback->state_key()] = std::move(kept);
    for (const auto& [name, tensor] : callback->state_tensors())
      checkpoint->tensors.emplace_back("callbacks." + callback->state_key() + "." + name, tensor);
  }
}

void save_gradients(const LME& model, double scale, Checkpoint* checkpoint) {
  const NoGrad no_grad;
  for (const auto& [name, parameter] : model.named_parameters())
    if (const Tensor gradient = parameter.grad(); gradient.defined())
      checkpoint->tensors.emplace_back("gradients." + name,
                                       scale == 1 ? gradient.detach() : gradient / scale);
}

void restore_gradients(const LME& model, double scale, const Checkpoint& checkpoint) {
  for (const auto& [name, gradient] : checkpoint.with_prefix("gradients."))
    for (const auto& [own, parameter] : model.named_parameters())
      if (own == name) parameter.set_grad((gradient * scale).to(parameter.device()));
}

const char* precision_of(const LME& model) {
  for (const Tensor& parameter : model.parameters())
    return parameter.dtype() == kFloat64 ? "64-true" : "32-true";
  return "32-true";
}

ModelGuard::ModelGuard(LME& model) : model_(model) {
  for (const auto& [name, tensor] : model.state_dict())
    weights_.emplace_back(name, tensor.detach().clone());
  for (const optim::AnyOptimizer& optimizer : model.optimizer.list())
    optimizers_.emplace_back(optimizer, optimizer->state_dict());
  for (const SchedulerConfig& config : model.scheduler.list())
    schedulers_.emplace_back(config.scheduler, config.scheduler->state_dict());
}

ModelGuard::~ModelGuard() {
  if (kept_) return;
  try {
    model_.load_state_dict(weights_);
    for (const auto& [optimizer, state] : optimizers_) optimizer->load_state_dict(state);
    for (const auto& [scheduler, state] : schedulers_) scheduler->load_state_dict(state);
  } catch (const std::exception& error) {
    log_warning({"the model could not be put back: ", error.what()});
  }
}

std::string best_path_in(const Checkpoint& checkpoint) {
  const Value* callbacks = checkpoint.state.find("callbacks");
  if (!callbacks) return "";
  for (const auto& [key, state] : callbacks->as_map())
    if (const Value* best = state.find("best_model_path");
        best && key.starts_with("ModelCheckpoint") && !best->as_text().empty())
      return best->as_text();
  return "";
}

}  // namespace levin::inline v0

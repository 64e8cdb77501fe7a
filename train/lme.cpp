#include "lme.h"

#include <cstdlib>

#include "../autograd/ops.h"
#include "../optim/clip.h"
#include "callbacks/metadata.h"
#include "callbacks/model_checkpoint.h"
#include "console/summary.h"
#include "files/text.h"
#include "metrics/epoch_metrics.h"
#include "trainer.h"
#include "utils.h"

namespace levin::inline v0 {
LME::LME(nn::AnyModule base_model)
    : base_model_(std::move(base_model)), metadata_(std::make_shared<MetadataCallback>()) {
  check(static_cast<bool>(base_model_), {"LME: Expected a nn.Module, got an empty one"});
  check(!dynamic_cast<LME*>(&*base_model_),
        {"Cannot have nested LME modules. LME must extend only a basic nn::Module"});
  const char* full = std::getenv("LME_SAVE_WEIGHTS_ONLY_MONITOR_CKPTS");
  save_weights_only_monitor_ckpts = !full || std::string_view(full) == "1";
  set_name("model");
}

LME::~LME() {
  if (trainer_) trainer_->forget_model();
}

Tensor LME::operator()(const data::Batch& inputs) {
  if (inputs.has_names()) {
    nn::NamedTensors named;
    for (int i = 0; i < inputs.size(); ++i) named.emplace_back(inputs.names()[i], inputs[i]);
    return base_model()(named);
  }
  const std::vector<std::string> names = base_model().input_names();
  check(static_cast<std::size_t>(inputs.size()) == names.size(),
        {"model: ", inputs.size(), " inputs, the base model takes ", python_list(names)});
  nn::NamedTensors named;
  for (int i = 0; i < inputs.size(); ++i) named.emplace_back(names[i], inputs[i]);
  return base_model()(named);
}

Tensor LME::forward_host_data(const Tensor& x) {
  const NoGrad no_grad;
  const std::vector<Tensor> all = parameters();
  const bool floating = is_floating(x.dtype()) && !all.empty();
  return (*this)(x.to(floating ? all[0].dtype() : x.dtype()).to(device()));
}

Device LME::device() const {
  const std::vector<Tensor> all = parameters();
  return all.empty() ? kCPU : all[0].device();
}

int64_t LME::num_trainable_params() const { return trainable_parameters(*this); }

std::string LME::summary() const { return layer_table(base_model()); }

std::string LME::summary(const Tensor& example_input) const {
  return layer_table(base_model(), example_input);
}

namespace {

void reset_all(nn::Module& module) {
  module.reset_parameters();
  for (const auto& [name, part] : module.named_children()) reset_all(*part);
}

}  // namespace

void LME::reset_parameters() { reset_all(base_model()); }

void LME::reset_parameters(uint64_t seed) {
  default_generator().manual_seed(seed);
  reset_parameters();
}

MetricResults LME::lme_metrics(const Tensor& y, const Tensor& gt, bool include_loss) const {
  MetricResults results;
  const auto forward = [&](const std::string& name, CoreMetric& metric) {
    const Where where(name, "metric");
    std::optional<NoGrad> no_grad;
    if (!metric.requires_grad()) no_grad.emplace();
    results[name] = metric.forward(y, gt);
  };
  if (active_metrics_) {
    for (const auto& [name, metric] : *active_metrics_)
      if (name != "loss") forward(name, *metric);
  } else {
    for (const auto& [name, metric] : metrics) forward(name, *metric);
  }
  if (include_loss) results["loss"] = criterion_fn(y, gt);
  return results;
}

void LME::set_cache_result(const AlgorithmOutput& output) {
  if (cache_result_.use_count() > 1) cache_result_ = std::make_shared<ResultPlace::element_type>();
  *cache_result_ = output;
  AlgorithmOutput& cached = **cache_result_;
  const auto detach = [](Tensor* tensor) {
    if (tensor->defined() && tensor->requires_grad()) *tensor = tensor->detach();
  };
  for (data::Batch* part : {&cached.y, &cached.x, &cached.gt})
    for (Tensor& tensor : *part) detach(&tensor);
  for (MetricResults::Entry& entry : cached.metrics) entry.result.detach();
}

void LME::configure_optimizers() {
  check(
      static_cast<bool>(optimizer),
      {"No optimizer was set: use model.optimizer = optim::SGD(model.parameters(), {.lr = 0.01})"});
}

Trainer& LME::trainer() const {
  if (!trainer_) fail(Fault::order, {"LME is not attached to a `Trainer`."});
  return *trainer_;
}

std::vector<AnyCallback> LME::configure_callbacks() {
  std::vector<AnyCallback> all = {metadata_};
  all.insert(all.end(), callbacks.list().begin(), callbacks.list().end());
  all.insert(all.end(), default_checkpoints_.begin(), default_checkpoints_.end());
  return all;
}

// The best epoch of each monitored metric, and the last one with all state.
void LME::make_checkpoints(const std::string& prefix) {
  default_checkpoints_.clear();
  for (const std::string& name : checkpoint_monitors.list()) {
    const std::string monitor = prefix + name;
    std::string mode = "min";
    for (const auto& [metric, declared] : metrics)
      if (metric == name) mode = declared->mode();
    default_checkpoints_.push_back(
        ModelCheckpoint({.filename = "{epoch}-{" + monitor + ":.3f}",
                         .monitor = monitor,
                         .save_weights_only = save_weights_only_monitor_ckpts,
                         .mode = mode,
                         .save_on_train_epoch_end = true}));
  }
  default_checkpoints_.push_back(ModelCheckpoint(
      {.monitor = "loss", .save_last = true, .save_top_k = 0, .save_on_train_epoch_end = true}));
}

std::vector<ModelCheckpoint*> LME::checkpoint_callbacks() {
  if (default_checkpoints_.empty()) fail(Fault::order, {"LME is not attached to a `Trainer`."});
  std::vector<ModelCheckpoint*> found;
  for (const AnyCallback& callback : configure_callbacks())
    if (auto* checkpoint = dynamic_cast<ModelCheckpoint*>(callback.get()))
      found.push_back(checkpoint);
  return found;
}

// It knows the last checkpoint too, as in LME.
ModelCheckpoint& LME::checkpoint_callback() {
  const std::vector<ModelCheckpoint*> all = checkpoint_callbacks();
  if (!all[0]->options().save_last) all[0]->set_last_model_path(all.back()->last_model_path());
  return *all[0];
}

void LME::clip_gradients(optim::Optimizer& optimizer, double clip_val,
                         const std::string& algorithm) {
  check(algorithm == "norm" || algorithm == "value",
        {"clip_gradients: algorithm '", algorithm, "': 'norm' or 'value' is needed"});
  std::vector<Tensor> parameters;
  for (int group = 0; group < optimizer.group_count(); ++group)
    for (const Tensor& parameter : optimizer.parameters(group)) parameters.push_back(parameter);
  if (algorithm == "norm")
    optim::clip_grad_norm_(parameters, clip_val);
  else
    optim::clip_grad_value_(parameters, clip_val);
}

std::optional<AlgorithmOutput> feed_forward(LME& model, const data::Batch& batch) {
  const Tensor& x = batch.has_names() ? batch["data"] : batch.get<0>();
  const Tensor& gt = batch.has_names() ? batch["labels"] : batch.get<1>();
  const Tensor y = model(x);
  return AlgorithmOutput{y, model.lme_metrics(y, gt), x, gt};
}

}  // namespace levin::inline v0

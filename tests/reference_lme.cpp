#include "reference_lme.h"

#include <levin/tensor/file.h>
#include <levin/train/files/text.h>

#include <array>
#include <filesystem>
#include <stdexcept>

namespace levin {
namespace {

// A generator and a linear discriminator that judges its output.
struct Adversarial : nn::Module {
  Adversarial(nn::AnyModule generator, nn::Linear discriminator)
      : generator(std::move(generator)), discriminator(std::move(discriminator)) {}
  void members(nn::Members& m) override {
    m("generator", generator)("discriminator", discriminator);
  }
  Tensor forward(const Tensor& x) override { return (*generator)(x); }
  nn::AnyModule generator;
  nn::Linear discriminator;
};

[[noreturn]] void unknown(const std::string& what, const std::string& name) {
  throw std::runtime_error("a reference case with the " + what + " " + name);
}

double number(const Value& map, const char* key, double otherwise) {
  const Value* found = map.find(key);
  return found ? found->as_real() : otherwise;
}

bool flag(const Value& map, const char* key) {
  const Value* found = map.find(key);
  return found && found->as_bool();
}

nn::Linear linear_of(const Value& layer) {
  return {layer.at("in").as_integer(), layer.at("out").as_integer()};
}

nn::AnyModule module_of(const Value& spec) {
  const std::string& type = spec.at("type").as_text();
  if (type == "Linear") return linear_of(spec);
  if (type == "Tanh") return nn::Tanh();
  if (type == "ReLU") return nn::ReLU();
  if (type == "Adversarial")
    return Adversarial(module_of(spec.at("generator")), linear_of(spec.at("discriminator")));
  if (type != "Sequential") unknown("layer", type);
  std::vector<nn::AnyModule> layers;
  for (const Value& layer : spec.at("layers").as_list()) layers.push_back(module_of(layer));
  return nn::Sequential(std::move(layers));
}

MetricFunction function_of(const std::string& name) {
  if (name == "l1") return [](auto& y, auto& gt) { return (y - gt).abs().mean(); };
  if (name == "l1_per_output") return [](auto& y, auto& gt) { return (y - gt).abs().mean(0); };
  if (name == "accuracy_like")
    return [](auto& y, auto& gt) { return ((y > 0.5) == (gt > 0.5)).to(kFloat32).mean(); };
  unknown("metric", name);
}

AnyMetric class_metric_of(const std::string& type, const Value& args) {
  if (type == "MeanIoU") {
    std::vector<std::string> classes;
    for (const Value& name : args.at("classes").as_list()) classes.push_back(name.as_text());
    const Value* mode = args.find("mode");
    return MeanIoU(classes, {.mode = mode ? mode->as_text() : "global"});
  }
  const int64_t classes = args.at("num_classes").as_integer();
  if (type == "MultiClassAccuracy") return MultiClassAccuracy(classes);
  if (type == "MultiClassF1Score") return MultiClassF1Score(classes);
  if (type == "MultiClassConfusionMatrix") return MultiClassConfusionMatrix(classes);
  unknown("metric", type);
}

AnyMetric metric_of(const Value& spec) {
  if (const Value* type = spec.find("class"))
    return class_metric_of(type->as_text(), spec.at("args"));
  const std::string &function = spec.at("fn").as_text(), &mode = spec.at("mode").as_text();
  if (function == "computed by the algorithm") return {nullptr, mode};
  if (const Value* epoch_fn = spec.find("epoch_fn"))
    return CallableCoreMetric(function_of(function), mode == "max", false, epoch_fn->as_text());
  return {function_of(function), mode};
}

std::array<double, 2> betas_of(const Value& args) {
  const Value* betas = args.find("betas");
  if (!betas) return {0.9, 0.999};
  return {betas->as_list()[0].as_real(), betas->as_list()[1].as_real()};
}

optim::AnyOptimizer optimizer_of(const Value& spec, const std::vector<Tensor>& parameters) {
  const std::string& type = spec.at("type").as_text();
  const Value& args = spec.at("args");
  const double lr = args.at("lr").as_real();
  if (type == "SGD")
    return optim::SGD(parameters, {.lr = lr,
                                   .momentum = number(args, "momentum", 0),
                                   .weight_decay = number(args, "weight_decay", 0),
                                   .nesterov = flag(args, "nesterov")});
  if (type == "Adam")
    return optim::Adam(parameters, {.lr = lr,
                                    .betas = betas_of(args),
                                    .weight_decay = number(args, "weight_decay", 0),
                                    .amsgrad = flag(args, "amsgrad")});
  if (type == "AdamW")
    return optim::AdamW(parameters, {.lr = lr, .weight_decay = number(args, "weight_decay", 0.01)});
  if (type == "NAdam") return optim::NAdam(parameters, {.lr = lr});
  if (type == "Adagrad")
    return optim::Adagrad(parameters, {.lr = lr, .lr_decay = number(args, "lr_decay", 0)});
  if (type == "RMSprop")
    return optim::RMSprop(parameters, {.lr = lr,
                                       .alpha = number(args, "alpha", 0.99),
                                       .momentum = number(args, "momentum", 0),
                                       .centered = flag(args, "centered")});
  unknown("optimizer", type);
}

std::vector<Tensor> parameters_of_part(const LME& model, const std::string& name) {
  for (const auto& [part, module] : model.base_model().named_children())
    if (part == name) return module->parameters();
  unknown("part", name);
}

optim::AnyScheduler scheduler_of(const Value& spec, const optim::AnyOptimizer& optimizer) {
  const std::string& type = spec.at("type").as_text();
  const Value& args = spec.at("args");
  const auto integer = [&](const char* name) { return args.at(name).as_integer(); };
  const auto real = [&](const char* name) { return args.at(name).as_real(); };
  if (type == "StepLR")
    return optim::StepLR(optimizer, {.step_size = integer("step_size"), .gamma = real("gamma")});
  if (type == "CosineAnnealingLR")
    return optim::CosineAnnealingLR(optimizer,
                                    {.T_max = integer("T_max"), .eta_min = real("eta_min")});
  if (type == "ReduceLROnPlateau")
    return optim::ReduceLROnPlateau(optimizer,
                                    {.factor = real("factor"), .patience = integer("patience")});
  if (type == "MinMaxLR")
    return optim::MinMaxLR(optimizer, {.min_lr = real("min_lr"),
                                       .max_lr = real("max_lr"),
                                       .n_steps = integer("n_steps"),
                                       .warmup_steps = integer("warmup_steps")});
  unknown("scheduler", type);
}

EarlyStopping early_stopping_of(const Value& args) {
  return EarlyStopping({.monitor = args.at("monitor").as_text(),
                        .min_delta = args.at("min_delta").as_real(),
                        .patience = args.at("patience").as_integer()});
}

// Everything in one loss: reconstruction, and a tenth of least squares for both sides.
AlgorithmOutput adversarial(LME& model, const data::Batch& batch) {
  const auto& [x, gt] = batch;
  const Tensor y = model(x);
  nn::Linear& judge = dynamic_cast<Adversarial&>(model.base_model()).discriminator;
  const Tensor d_loss = (judge(gt) - 1).pow(2).mean() + judge(y.detach()).pow(2).mean();
  const Tensor seen = linear(y, judge.weight.detach(), judge.bias.detach());
  const Tensor g_loss = (seen - 1).pow(2).mean();
  MetricResults metrics;
  metrics["d_loss"] = d_loss;
  metrics["g_loss"] = g_loss;
  metrics["loss"] = (y - gt).pow(2).mean() + 0.1 * (d_loss + g_loss);
  return {y, metrics, x, gt};
}

AlgorithmOutput plain(LME& model, const data::Batch& batch) {
  const auto& [x, gt] = batch;
  const Tensor y = model(x);
  MetricResults metrics = model.lme_metrics(y, gt, false);
  metrics["loss"] = model.criterion_fn(y, gt);
  return {y, metrics, x, gt};
}

// Nothing for a batch whose first number is positive.
std::optional<AlgorithmOutput> skipping(LME& model, const data::Batch& batch) {
  if (batch[0].flatten().to_vector<double>()[0] > 0) return {};
  return plain(model, batch);
}

void set_loss(const Value& plan, LME& model) {
  const std::string& algorithm = plan.at("algorithm").as_text();
  if (algorithm == "adversarial")
    model.model_algorithm = adversarial;
  else if (algorithm == "skip")
    model.model_algorithm = skipping;
  else
    model.model_algorithm = plain;
  const Value& criterion = plan.at("criterion");
  if (criterion == Value("mse"))
    model.criterion_fn = [](auto& y, auto& gt) { return (y - gt).pow(2).mean(); };
  else if (criterion == Value("cross_entropy"))
    model.criterion_fn = [](const Tensor& y, const Tensor& gt) {
      return cross_entropy(y.reshape({-1, y.shape()[y.dim() - 1]}), gt.flatten());
    };
  else if (!criterion.is_null())
    unknown("criterion", criterion.as_text());
}

void set_optimizers(const Value& plan, LME& model) {
  const Value& spec = plan.at("optimizer");
  if (spec.is_map()) {
    model.optimizer = optimizer_of(spec, model.parameters());
  } else {
    std::vector<optim::AnyOptimizer> optimizers;
    for (const Value& one : spec.as_list())
      optimizers.push_back(
          optimizer_of(one, parameters_of_part(model, one.at("parameters_of").as_text())));
    model.optimizer = optimizers;
  }
  const Value& scheduler = plan.at("scheduler");
  if (scheduler.is_null()) return;
  const Value* monitor = scheduler.find("monitor");
  model.scheduler = {.scheduler = scheduler_of(scheduler, model.optimizer),
                     .monitor = monitor ? monitor->as_text() : ""};
}

}  // namespace

Cells csv_of(const std::string& text) {
  Cells rows;
  bool new_row = true;
  for (const char c : text) {
    if (new_row) rows.push_back({""});
    new_row = c == '\n';
    if (c == ',')
      rows.back().push_back("");
    else if (c != '\n' && c != '\r')
      rows.back().back() += c;
  }
  return rows;
}

LmeCase::LmeCase(const std::string& name) : folder_(LEVIN_TEST_DIR "/reference/lme/" + name + "/") {
  plan_ = json("case.json");
  if (has("data.safetensors")) data_ = tensors("data.safetensors");
}

bool LmeCase::has(const std::string& file) const { return std::filesystem::exists(path(file)); }

std::string LmeCase::text(const std::string& file) const { return read_whole(path(file)); }

Value LmeCase::json(const std::string& file) const { return from_json(text(file), file); }

nn::NamedTensors LmeCase::tensors(const std::string& file) const {
  return load_safetensors(path(file)).tensors;
}

std::string LmeCase::best_file(const std::string& name) const {
  const std::string fixed = "expected_fixed_" + name + ".csv";
  return has(fixed) ? fixed : name + ".csv";
}

data::Loaders LmeCase::loader(const std::string& part) const {
  Tensor x, gt;
  for (const auto& [name, tensor] : data_) {
    if (name == part + "_x") x = tensor;
    if (name == part + "_gt") gt = tensor;
  }
  if (!x.defined()) return {};
  return data::DataLoader(data::TensorDataset(x, gt),
                          {.batch_size = plan_.at("batch_size").as_integer()});
}

std::unique_ptr<LME> LmeCase::model() const {
  auto model = std::make_unique<LME>(module_of(plan_.at("model")));
  if (has("weights_before.safetensors"))
    model->load_state_dict(tensors("weights_before.safetensors"));
  set_loss(plan_, *model);
  set_optimizers(plan_, *model);
  std::vector<NamedMetric> metrics;
  for (const auto& [name, spec] : plan_.at("metrics").as_map())
    metrics.push_back({name, metric_of(spec)});
  model->metrics = metrics;
  std::vector<std::string> monitors;
  for (const Value& name : plan_.at("checkpoint_monitors").as_list())
    monitors.push_back(name.as_text());
  model->checkpoint_monitors = monitors;
  if (plan_.at("hparams").size() > 0) model->hparams = plan_.at("hparams");
  if (plan_.at("plots").as_bool()) model->callbacks = {PlotMetrics()};
  return model;
}

TrainerOptions LmeCase::trainer(const std::string& save_dir) const {
  TrainerOptions options{
      .logger = CSVLogger(save_dir), .enable_progress_bar = false, .enable_model_summary = false};
  for (const auto& [name, value] : plan_.at("trainer").as_map()) {
    if (name == "max_epochs")
      options.max_epochs = value.as_integer();
    else if (name == "num_sanity_val_steps")
      options.num_sanity_val_steps = value.as_integer();
    else if (name == "check_val_every_n_epoch")
      options.check_val_every_n_epoch = value.as_integer();
    else if (name == "val_check_interval")
      options.val_check_interval = value.as_real();
    else if (name == "early_stopping")
      options.callbacks = {early_stopping_of(value)};
    else
      unknown("option", name);
  }
  return options;
}

void StepLog::on_before_backward(Trainer& trainer, LME& model, const Tensor& loss) {
  std::vector<double> lrs;
  for (const optim::AnyOptimizer& optimizer : model.optimizer.list())
    lrs.push_back(optimizer->lr());
  steps->push_back({trainer.current_epoch(), trainer.batches_done(), loss.item(), lrs});
}

}  // namespace levin

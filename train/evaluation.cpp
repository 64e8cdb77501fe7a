// Evaluations: the passes over data without training, in a fit and by themselves.
#include <algorithm>

#include "../autograd/ops.h"
#include "callbacks/metadata.h"
#include "compiled_batches.h"
#include "console/log.h"
#include "console/result_table.h"
#include "hooks.h"
#include "trainer.h"

namespace levin::inline v0 {
namespace {

const EvaluationHooks& hooks_of(TrainerFn function) {
  if (function == TrainerFn::test) return hook::test;
  return function == TrainerFn::predict ? hook::predict : hook::validation;
}

const char* name_of(TrainerFn function) {
  if (function == TrainerFn::test) return "test";
  return function == TrainerFn::predict ? "predict" : "validate";
}

}  // namespace

bool Trainer::training() const {
  return is_running(TrainerFn::fit) && !validating() && !sanity_checking();
}

bool Trainer::validating() const {
  return is_running(TrainerFn::validate) ||
         (is_running(TrainerFn::fit) && at_.stage == Stage::validating);
}

void Trainer::start_evaluation() {
  const EvaluationHooks& hooks = hooks_of(function_);
  enter_eval();
  call(hooks.start);
  call(hooks.epoch_start);
}

void Trainer::open_loader(int64_t number) {
  at_.val_loader = number;
  at_.val_batch = 0;
  val_batches_ = val_loaders_.list()[number].epoch(at_.epoch);
}

// One batch of the loader that is open; false at its end.
bool Trainer::evaluate_batch(EpochMetrics* metrics) {
  if (at_.val_batch >= num_evaluation_batches(at_.val_loader)) return false;
  const data::Batch* next = val_batches_.next();
  if (!next) return false;
  const EvaluationHooks& hooks = hooks_of(function_);
  const NoGrad no_grad;
  const data::Batch& batch = prepared(*next);
  const int64_t index = at_.val_batch, loader = at_.val_loader;
  batch_size_ = size_of(batch);
  if (keeps_progress_) note_progress(false);
  call(hooks.batch_start, batch, index, loader);
  const auto work = [&] {
    std::optional<AlgorithmOutput> output = run_algorithm(batch);
    if (!output || !metrics) return output;
    model_->set_cache_result(*output);
    metrics->update(*output, model_->weigh_batches);
    check(!output->metrics.find("loss")->is_nothing(), {"Loss not set"});
    return output;
  };
  CompiledBatches* compiled = sanity_checking() ? nullptr : compiled_evaluation_.get();
  const AlgorithmOutput* result = work_on(batch, compiled, model_->weigh_batches, work);
  ++at_.val_batch;
  ++batches_run_;
  in_flight_ = false;
  call(hooks.batch_end, result, batch, index, loader);
  return true;
}

void Trainer::end_evaluation() {
  const EvaluationHooks& hooks = hooks_of(function_);
  call_callbacks(CallbackOrder::plain, CallbackOrder::monitoring, hooks.end);
  call_model(hooks.end);
  call_callbacks(CallbackOrder::checkpoint, CallbackOrder::checkpoint, hooks.end);
  leave_eval();
  output_.reset();
}

std::optional<AlgorithmOutput> Trainer::run_algorithm(const data::Batch& batch) {
  const ProfileScope scope(profiler(), training() ? "training_step" : "evaluation_step");
  std::optional<Autocast> autocast;
  precision_->enter(&autocast);
  return model_->model_algorithm(*model_, batch);
}

double Trainer::size_of(const data::Batch& batch) {
  const bool has_size = batch.size() > 0 && batch[0].defined() && batch[0].dim() > 0;
  return has_size ? static_cast<double>(batch[0].shape()[0]) : 1;
}

// Batches as the model wants them, where it is.
const data::Batch& Trainer::prepared(const data::Batch& batch) {
  const std::optional<DType> dtype = precision_->parameters();
  const auto becomes = [&](const Tensor& tensor) {
    return dtype && is_floating(tensor.dtype()) ? *dtype : tensor.dtype();
  };
  const bool is_ready = std::all_of(batch.begin(), batch.end(), [&](const Tensor& tensor) {
    return !tensor.defined() || (tensor.device() == device_ && tensor.dtype() == becomes(tensor));
  });
  if (is_ready) return batch;
  data::Batch ready = batch;  // beside the last one, which a GPU may still read
  for (Tensor& tensor : ready)
    if (tensor.defined()) tensor = tensor.to(becomes(tensor)).to(device_);
  return prepared_ = std::move(ready);
}

void Trainer::begin_evaluation(TrainerFn function, LME& model, data::Loaders loaders,
                               const EvaluationOptions& options) {
  const std::string ckpt_path = model_ ? "" : path_in_last_run(options.ckpt_path);
  const Position before = at_;
  const bool same_model = attached_ == &model;
  begin(function, model);
  ckpt_path_ = ckpt_path;
  if (same_model) {  // the counts are those of the fit before
    at_.epoch = before.epoch;
    at_.batches_done = before.batches_done;
    at_.global_step = before.global_step;
  }
  val_loaders_ = std::move(loaders);
  load_loaders(&val_loaders_, name_of(function));
  check(!val_loaders_.list().empty(), {"Trainer.", name_of(function), ": no loader"});
}

void Trainer::set_up_evaluation() {
  const bool test = function_ == TrainerFn::test, predict = function_ == TrainerFn::predict;
  count_batches(test      ? options_.limit_test_batches
                : predict ? options_.limit_predict_batches
                          : options_.limit_val_batches,
                test      ? "limit_test_batches"
                : predict ? "limit_predict_batches"
                          : "limit_val_batches");
  const Checkpoint checkpoint = set_up_run();
  if (!ckpt_path_.empty()) {
    model_->load_state_dict(checkpoint.with_prefix("state_dict."));
    restore_callbacks(checkpoint);
    at_.epoch = checkpoint.state.at("epoch").as_integer();
    at_.global_step = checkpoint.state.at("global_step").as_integer();
  }
  for (const AnyLogger& logger : loggers_) logger->log_hyperparams(model_->hparams);
  compile();
}

std::vector<MetricValues> Trainer::evaluate(TrainerFn function, LME& model, data::Loaders loaders,
                                            const EvaluationOptions& options) {
  begin_evaluation(function, model, std::move(loaders), options);
  std::vector<MetricValues> results;
  guarded([&] {
    set_up_evaluation();
    const bool test = function == TrainerFn::test;
    const std::string prefix = test ? "" : "val_";
    EpochMetrics& metrics = test ? train_metrics_ : val_metrics_;
    start_evaluation();
    Value::Map row;
    const auto count = static_cast<int64_t>(val_loaders_.list().size());
    for (int64_t i = 0; i < count; ++i) {
      open_loader(i);
      metrics.reset();
      while (evaluate_batch(&metrics)) {
      }
      const std::string suffix = count > 1 ? "/dataloader_idx_" + std::to_string(i) : "";
      results.push_back(publish(metrics, prefix, suffix));
      for (const auto& [name, value] : results.back()) row.emplace_back(name + suffix, value);
    }
    const EvaluationHooks& hooks = hooks_of(function);
    call(hooks.epoch_end);
    for (const auto& [name, value] : logged_.epoch(true)) row.emplace_back(name, value);
    for (const auto& [name, value] : logged_.epoch(false)) {
      callback_metrics_.set(name, value);
      results[0].set(name, value);
    }
    if (!row.empty()) {
      row.emplace_back("epoch", at_.epoch);
      row.emplace_back("step", at_.batches_done);
      for (const AnyLogger& logger : loggers_)
        logger->log_metrics(row, test ? LogTable::test : LogTable::validate);
    }
    end_evaluation();
    if (options.verbose) print_result_table(test ? "Test" : "Validate", results);
    finish_run();
  });
  return results;
}

std::vector<MetricValues> Trainer::validate(LME& model, data::Loaders loaders,
                                            const EvaluationOptions& options) {
  return evaluate(TrainerFn::validate, model, std::move(loaders), options);
}

std::vector<MetricValues> Trainer::test(LME& model, data::Loaders loaders,
                                        const EvaluationOptions& options) {
  return evaluate(TrainerFn::test, model, std::move(loaders), options);
}

std::vector<std::vector<data::Batch>> Trainer::predict_all(LME& model, data::Loaders loaders,
                                                           const EvaluationOptions& options) {
  begin_evaluation(TrainerFn::predict, model, std::move(loaders), options);
  std::vector<std::vector<data::Batch>> predictions;
  guarded([&] {
    set_up_evaluation();
    start_evaluation();
    for (std::size_t i = 0; i < val_loaders_.list().size(); ++i) {
      open_loader(static_cast<int64_t>(i));
      predictions.emplace_back();
      while (evaluate_batch(nullptr)) {
        data::Batch& y = predictions.back().emplace_back();
        if (!output_) continue;
        y = output_->y;
        for (Tensor& tensor : y) tensor = tensor.detach().to(kCPU);
      }
    }
    call(hook::predict.epoch_end);
    end_evaluation();
    finish_run();
  });
  return predictions;
}

std::vector<data::Batch> Trainer::predict(LME& model, data::DataLoader loader,
                                          const EvaluationOptions& options) {
  return std::move(predict_all(model, std::move(loader), options)[0]);
}

}  // namespace levin::inline v0

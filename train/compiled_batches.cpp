#include "compiled_batches.h"

#include "../nn/flatten.h"
#include "callbacks/lambda_callback.h"
#include "console/log.h"
#include "hooks.h"
#include "overrides.h"

namespace levin::inline v0 {

// What a recording holds on to is asked for before each batch: assigned anew, it would go on unseen.
void CompiledBatches::look_for_changes(const data::Batch& batch) {
  static constexpr const char* kNames[] = {"criterion_fn", "metrics", "optimizer",
                                           "model_algorithm"};
  const std::array<int64_t, 4> now = {model_.criterion_fn.assignments(),
                                      model_.metrics.assignments(), model_.optimizer.assignments(),
                                      model_.model_algorithm.assignments()};
  if (!assignments_) assignments_ = now;
  if (reason_.empty() && *assignments_ != now)
    for (std::size_t i = 0; i < now.size(); ++i)
      if ((*assignments_)[i] != now[i])
        reason_ = std::string("model.") + kNames[i] + " was assigned during the run";
  for (const Tensor& tensor : batch)
    if (!tensor.defined()) reason_ = "a batch has an undefined tensor";
  if (!reason_.empty()) captured_.stay_eager(reason_);
}

void CompiledBatches::stay_eager(std::string reason) {
  if (reason_.empty()) reason_ = std::move(reason);
}

std::shared_ptr<CompiledBatches::Kept> CompiledBatches::keep(std::optional<AlgorithmOutput> output,
                                                             const data::Batch& batch) const {
  auto kept = std::make_shared<Kept>();
  kept->output = std::move(output);
  if (!kept->output) return kept;
  kept->cached = model_.cache_result_place();
  const auto note = [&](Tensor* tensor) {
    for (int i = 0; tensor->defined() && i < batch.size(); ++i) {
      if (tensor->impl().block.get() != batch[i].impl().block.get()) continue;
      kept->shared.push_back({tensor, i, tensor->is_same(batch[i]),
                              tensor->layout().offset - batch[i].layout().offset});
      return;
    }
  };
  for (AlgorithmOutput* result : {&*kept->output, &**kept->cached})
    for (data::Batch* part : {&result->y, &result->x, &result->gt})
      for (Tensor& tensor : *part) note(&tensor);
  return kept;
}

// A replay has written what the step made. What the output has of the batch is this batch's.
void CompiledBatches::settle(const data::Batch& batch) {
  if (captured_.has_replayed()) {
    ++report_->replayed_batches;
    for (const Shared& shared : current_->shared) {
      const Tensor& now = batch[shared.input];
      if (shared.is_whole) {
        *shared.place = now;
        continue;
      }
      Layout layout = shared.place->layout();
      layout.offset = now.layout().offset + shared.offset;
      *shared.place = make_tensor(now.impl().block, layout);
    }
    model_.set_cache_result_place(current_->cached);
    return;
  }
  if (!current_->output) stay_eager("the algorithm skipped a batch");
  const std::string& reason = reason_.empty() ? captured_.why_eager() : reason_;
  if (reason.empty() || reason == told_) return;
  told_ = reason;
  // Where batches were replayed before, the step has changed: nobody asked for that.
  const auto log = report_->replayed_batches > 0 ? log_warning : log_info;
  log({"compile: ", kind_, " batches are run as they are written: ", reason});
  report_->why_eager += std::string(kind_) + ": " + reason + "\n";
}

namespace {

// Those of a LambdaCallback that have no function do nothing.
bool has_function(const Callback& callback, const char* name) {
  const auto* lambdas = dynamic_cast<const LambdaCallback*>(&callback);
  if (!lambdas) return true;
  const LambdaHooks& hooks = lambdas->hooks();
  const std::string_view hook = name;
  return hook == "on_before_zero_grad"  ? static_cast<bool>(hooks.on_before_zero_grad)
         : hook == "on_before_backward" ? static_cast<bool>(hooks.on_before_backward)
         : hook == "on_after_backward"  ? static_cast<bool>(hooks.on_after_backward)
                                        : static_cast<bool>(hooks.on_before_optimizer_step);
}

// What is called in the middle of a training step, by name; empty: nothing.
std::string called_inside_step(const LME& model, const std::vector<AnyCallback>& callbacks) {
  const LME plain_model{nn::Identity()};
  const Callback plain;
  std::string found;
  const auto look = [&](const auto& hook) {
    for (const AnyCallback& callback : callbacks)
      if (overrides(*callback, plain, hook.of_callbacks) && has_function(*callback, hook.name))
        found = callback->type_name() + "::" + hook.name + " is called inside the step";
    if (overrides(model, plain_model, hook.of_model))
      found = std::string("the model's ") + hook.name + " is called inside the step";
  };
  look(hook::on_before_zero_grad);
  look(hook::on_before_backward);
  look(hook::on_after_backward);
  look(hook::on_before_optimizer_step);
  return found;
}

}  // namespace

// Predictions are not compiled: each batch's output must stay.
void Trainer::compile() {
  if (!options_.compile || function_ == TrainerFn::predict) return;
  compiled_training_ = std::make_unique<CompiledBatches>("training", *model_, &compile_report_);
  compiled_evaluation_ = std::make_unique<CompiledBatches>("evaluation", *model_, &compile_report_);
  std::string both;
  if (options_.detect_anomaly) both = "detect_anomaly looks at each operation";
  if (profiler()) both = "a profiler times what is inside";
  std::string training = both.empty() ? called_inside_step(*model_, callbacks_) : both;
  if (precision_->scaler()) training = "precision 16-mixed looks at the gradients of each step";
  if (!training.empty()) compiled_training_->stay_eager(training);
  if (!both.empty()) compiled_evaluation_->stay_eager(both);
}

}  // namespace levin::inline v0

#include "weight_averaging.h"

#include "../../autograd/ops.h"
#include "../../kernels/check.h"
#include "../trainer.h"

namespace levin::inline v0 {

WeightAveraging::WeightAveraging(const WeightAveragingOptions& options) : options_(options) {
  check(!options.decay || (*options.decay >= 0 && *options.decay <= 1),
        {"WeightAveraging: decay ", options.decay.value_or(0), ": 0 to 1 is needed"});
  check(options.update_every_n_steps >= 1,
        {"WeightAveraging: update_every_n_steps ", options.update_every_n_steps, ": at least 1"});
  check(options.update_starting_at_step.value_or(0) >= 0 &&
            options.update_starting_at_epoch.value_or(0) >= 0,
        {"WeightAveraging: a start below 0"});
}

Value WeightAveraging::state_dict() const {
  Value state;
  state["n_averaged"] = averaged_ ? averaged_->n_averaged() : 0;
  state["swapped"] = averaged_ && averaged_->is_swapped();
  state["latest_update_step"] = latest_update_step_;
  return state;
}

void WeightAveraging::load_state_dict(const Value& state) {
  loaded_count_ = state.at("n_averaged").as_integer();
  loaded_swapped_ = state.at("swapped").as_bool();
  latest_update_step_ = state.at("latest_update_step").as_integer();
}

std::vector<std::pair<std::string, Tensor>> WeightAveraging::state_tensors() const {
  std::vector<std::pair<std::string, Tensor>> tensors;
  if (!is_averaging()) return tensors;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    tensors.emplace_back(parameters_[i].first, averaged_->is_swapped()
                                                   ? averaged_->averages()[i]
                                                   : parameters_[i].second.detach());
  return tensors;
}

void WeightAveraging::load_tensors(const std::vector<std::pair<std::string, Tensor>>& tensors) {
  if (!averaged_) return;  // a test or validation uses the averages, which the model has already
  check(tensors.size() == parameters_.size(),
        {"WeightAveraging: the checkpoint has ", tensors.size(), " parameters, the model ",
         parameters_.size()});
  std::vector<Tensor> trained;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const auto& [name, tensor] = tensors[i];
    check(name == parameters_[i].first && tensor.shape() == parameters_[i].second.shape(),
          {"WeightAveraging: the checkpoint has '", name, "' of shape ", tensor.shape(),
           ", the model '", parameters_[i].first, "' of shape ", parameters_[i].second.shape()});
    trained.push_back(tensor);
  }
  optim::OptimizerState state;
  state.numbers = {{"n_averaged", static_cast<double>(loaded_count_)},
                   {"swapped", loaded_swapped_}};
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    state.tensors.emplace_back(parameters_[i].first,
                               loaded_swapped_ ? trained[i] : parameters_[i].second.detach());
  averaged_->load_state_dict(state);
  if (loaded_swapped_) return;
  const NoGrad no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i].second.copy_(trained[i]);
}

void WeightAveraging::setup(Trainer& trainer, LME& model) {
  averaged_.reset();
  parameters_.clear();
  latest_update_step_ = 0;
  if (trainer.function() != TrainerFn::fit) return;
  if (trainer.callbacks_of<WeightAveraging>().size() > 1)
    fail(Fault::order, {"WeightAveraging: the run has two of them"});
  parameters_ = model.named_parameters();
  averaged_ = std::make_shared<optim::AveragedModel>(
      model.parameters(), optim::AveragedModelOptions{.decay = options_.decay});
}

// A run may go on from within a validation that it does not have.
void WeightAveraging::on_train_start(Trainer& trainer, LME&) {
  if (!trainer.validating()) swap_back();
}

bool WeightAveraging::should_update(int64_t step, int64_t epoch) const {
  return step >= options_.update_starting_at_step.value_or(0) &&
         epoch >= options_.update_starting_at_epoch.value_or(0) &&
         step % options_.update_every_n_steps == 0;
}

void WeightAveraging::on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*,
                                         const data::Batch&, int64_t) {
  const int64_t steps = trainer.global_step();
  if (steps == latest_update_step_) return;  // the parameters have not changed
  latest_update_step_ = steps;
  if (should_update(steps - 1, trainer.current_epoch())) averaged_->update_parameters();
}

void WeightAveraging::on_validation_epoch_start(Trainer&, LME&) {
  if (is_averaging() && !averaged_->is_swapped()) averaged_->swap();
}

void WeightAveraging::on_validation_epoch_end(Trainer&, LME&) { swap_back(); }

void WeightAveraging::on_fit_end(Trainer&, LME&) {
  if (!is_averaging()) return;
  swap_back();
  averaged_->copy_to_parameters();
  averaged_.reset();
}

void WeightAveraging::teardown(Trainer&, LME&) {
  swap_back();
  averaged_.reset();
  parameters_.clear();
}

void WeightAveraging::swap_back() {
  if (averaged_ && averaged_->is_swapped()) averaged_->swap();
}

Tensor WeightAveraging::kept_value(const Tensor& tensor) const {
  if (!is_averaging() || averaged_->is_swapped()) return tensor;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    if (parameters_[i].second.is_same(tensor)) return averaged_->averages()[i];
  return tensor;
}

EMAWeightAveraging::EMAWeightAveraging(const EMAWeightAveragingOptions& options)
    : WeightAveraging({.decay = options.decay,
                       .update_every_n_steps = options.update_every_n_steps,
                       .update_starting_at_step = options.update_starting_at_step,
                       .update_starting_at_epoch = options.update_starting_at_epoch}) {}

}  // namespace levin::inline v0

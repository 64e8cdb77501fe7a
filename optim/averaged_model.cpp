#include "averaged_model.h"

#include "../autograd/ops.h"
#include "../kernels/check.h"

namespace levin::inline v0::optim {

AveragedModel::AveragedModel(std::vector<Tensor> parameters, const AveragedModelOptions& options)
    : options_(options), parameters_(std::move(parameters)) {
  check_parameters("AveragedModel", parameters_, {});
  check(!options.decay || (*options.decay >= 0 && *options.decay <= 1),
        {"AveragedModel: Invalid decay value ", options.decay.value_or(0),
         " provided. Please provide a value in [0,1] range."});
  for (const Tensor& parameter : parameters_) averages_.push_back(parameter.detach().clone());
}

void AveragedModel::update_parameters() {
  if (is_swapped_) fail(Fault::order, {"AveragedModel.update_parameters: the values are swapped"});
  const NoGrad no_grad;
  const double weight =
      options_.decay ? 1 - *options_.decay : 1 / static_cast<double>(n_averaged_ + 1);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Tensor& average = averages_[i];
    average = average.to(parameters_[i].dtype()).to(parameters_[i].device());  // Module::to
    if (n_averaged_ == 0)
      average.copy_(parameters_[i]);
    else
      average.lerp_(parameters_[i], weight);
  }
  ++n_averaged_;
}

void AveragedModel::swap() {
  const NoGrad no_grad;
  std::vector<Tensor> values;  // all of them first: then nothing can fail
  for (const Tensor& parameter : parameters_) values.push_back(parameter.detach().clone());
  copy_to_parameters();
  for (std::size_t i = 0; i < values.size(); ++i) averages_[i].copy_(values[i]);
  is_swapped_ = !is_swapped_;
}

void AveragedModel::copy_to_parameters() const {
  const NoGrad no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i].copy_(averages_[i]);
}

OptimizerState AveragedModel::state_dict() const {
  OptimizerState state;
  state.numbers = {{"n_averaged", static_cast<double>(n_averaged_)}, {"swapped", is_swapped_}};
  for (std::size_t i = 0; i < averages_.size(); ++i)
    state.tensors.emplace_back("averages." + std::to_string(i), averages_[i]);
  return state;
}

void AveragedModel::load_state_dict(const OptimizerState& state) {
  check(state.numbers.size() == 2 && state.tensors.size() == averages_.size(),
        {"AveragedModel.load_state_dict: the state has ", state.tensors.size(),
         " averages, this one ", averages_.size()});
  std::vector<Tensor> loaded;
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    const Tensor& average = state.tensors[i].second;
    check(average.shape() == averages_[i].shape(),
          {"AveragedModel.load_state_dict: ", state.tensors[i].first, " of shape ", average.shape(),
           " for a parameter of shape ", averages_[i].shape()});
    loaded.push_back(average.to(averages_[i].dtype()).clone());
  }
  averages_ = std::move(loaded);
  n_averaged_ = static_cast<int64_t>(state.numbers[0].second);
  is_swapped_ = state.numbers[1].second != 0;
}

}  // namespace levin::inline v0::optim

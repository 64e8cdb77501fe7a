#include "function.h"

namespace levin::inline v0::autograd {

std::vector<Tensor> Context::get_saved_variables() const {
  if (!grads_) return to_save_;
  std::vector<Tensor> tensors;
  for (const Slot& slot : saved_)
    tensors.push_back(slot.is_output    ? slot.output.tensor(*grads_)
                      : slot.is_defined ? slot.input.tensor(*grads_)
                                        : Tensor());
  return tensors;
}

bool Context::needs_input_grad(std::size_t i) const {
  return i < edges_.size() && edges_[i] >= 0 && (!grads_ || grads_->wants(edges_[i]));
}

// What the node keeps.
struct Context::Backward {
  Context context;
  std::vector<Tensor> (*function)(Context&, const std::vector<Tensor>&);

  void operator()(const Tensor& g, Grads& grads) {
    context.grads_ = &grads;
    const std::vector<Tensor> results = function(context, {g});
    context.grads_ = nullptr;
    check(results.size() == context.edges_.size(),
          {"backward of ", grads.node()->name, ": it gave ", results.size(), " gradients for ",
           context.edges_.size(), " arguments of forward"});
    for (std::size_t i = 0; i < results.size(); ++i) {
      const int edge = context.edges_[i];
      check(edge >= 0 || !results[i].defined(),
            {"backward of ", grads.node()->name, ": a gradient for argument ", i,
             ", which is no tensor"});
      if (edge >= 0 && grads.wants(edge)) grads.set(edge, results[i]);
    }
  }
};

Tensor record_function(const char* name, Context context, Tensor output,
                       const std::vector<const Tensor*>& arguments,
                       std::vector<Tensor> (*backward)(Context&, const std::vector<Tensor>&)) {
  std::vector<const Tensor*> inputs;
  bool wanted = false;
  const Tensor made = output;
  for (const Tensor* argument : arguments) {
    context.edges_.push_back(argument ? static_cast<int>(inputs.size()) : -1);
    if (!argument) continue;
    inputs.push_back(argument);
    wanted |= recording(*argument);
    if (argument->is_same(output)) output = output.detach();  // that handle has its own history
  }
  if (!wanted || !is_floating(output.dtype())) return output;
  if (output.requires_grad()) output = output.detach();
  for (const Tensor& tensor : context.to_save_) {
    const bool is_output = tensor.is_same(made) && made.is_same(output);
    context.saved_.push_back({is_output, tensor.defined(),
                              is_output || !tensor.defined() ? Saved() : Saved(tensor),
                              is_output ? SavedOutput(tensor) : SavedOutput()});
  }
  context.to_save_.clear();
  return record(name, std::move(output), inputs.data(), static_cast<int>(inputs.size()),
                Context::Backward{std::move(context), backward});
}

}  // namespace levin::inline v0::autograd

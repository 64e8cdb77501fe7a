#include "module.h"

#include <algorithm>
#include <functional>

#include "../kernels/thread_state.h"
#include "../kernels/type_name.h"

namespace levin::inline v0::nn {
namespace {

// Calls functions for each direct member.
class EachMember : public Members {
 public:
  std::function<void(const char*, Tensor&, bool)> on_tensor = [](const char*, Tensor&, bool) {};
  std::function<void(const char*, Module&)> on_module = [](const char*, Module&) {};
  std::function<void(const char*, AnyModule&)> on_any;

 protected:
  void tensor(const char* name, Tensor& tensor, bool is_buffer) override {
    if (tensor.defined()) on_tensor(name, tensor, is_buffer);
  }
  void module(const char* name, Module& child) override { on_module(name, child); }
  void any_module(const char* name, AnyModule& child) override {
    if (on_any)
      on_any(name, child);
    else
      Members::any_module(name, child);
  }
};

Members& visit(const Module& module, EachMember& each) {
  const_cast<Module&>(module).members(each);
  return each;
}

enum class Which { parameters, buffers, both };

// PyTorch's order: a module's parameters, its buffers, then its parts.
void collect(const Module& module, const std::string& prefix, Which which, NamedTensors* found) {
  for (const bool buffers : {false, true}) {
    if (which == (buffers ? Which::parameters : Which::buffers)) continue;
    EachMember each;
    each.on_tensor = [&](const char* name, Tensor& tensor, bool is_buffer) {
      if (is_buffer == buffers) found->emplace_back(prefix + name, tensor);
    };
    visit(module, each);
  }
  EachMember each;
  each.on_module = [&](const char* name, Module& child) {
    // A part without a name (the model in a wrapper) adds nothing to its members' names.
    collect(child, *name ? prefix + name + "." : prefix, which, found);
  };
  visit(module, each);
}

// A tensor that two parts share comes once, by its first name.
NamedTensors without_repeats(NamedTensors tensors) {
  NamedTensors result;
  for (auto& [name, tensor] : tensors) {
    bool known = false;
    for (const auto& [first_name, other] : result) known |= other.is_same(tensor);
    if (!known) result.emplace_back(std::move(name), std::move(tensor));
  }
  return result;
}

// The memory of `tensor` becomes that of `source`; every handle stays good. Graphs that used the
// old memory keep their old leaf.
void rehome(const Tensor& tensor, const Tensor& source) {
  check(tensor.is_leaf(), {"to: a parameter of shape ", tensor.shape(),
                           " is the result of an operation: only leaves can be converted"});
  doubt_captured_steps();
  const Tensor grad = tensor.grad();
  const bool trained = tensor.requires_grad();
  TensorImpl& impl = tensor.impl();
  ++impl.block->version;
  impl.block->last_write = "to";
  impl.node = impl.resting = {};
  impl.block = source.impl().block;
  impl.layout = source.layout();
  impl.contiguous = source.is_contiguous();
  impl.history = impl.block->history;
  if (trained || grad.defined()) tensor.requires_grad_();
  if (grad.defined()) tensor.set_grad(grad.to(source.dtype()).to(source.device()));
  tensor.requires_grad_(trained);
}

const Tensor* find(const NamedTensors& tensors, const std::string& name) {
  for (const auto& [key, tensor] : tensors)
    if (key == name) return &tensor;
  return nullptr;
}

}  // namespace

Members& Members::operator()(const char* name, AnyModule& child) {
  return any_module(name, child), *this;
}
void Members::any_module(const char* name, AnyModule& child) {
  if (child) module(name, *child);
}

Tensor Module::forward(const Tensor&) {
  fail(Fault::order, {type_name(), ": forward(x) is not implemented"});
}

Tensor Module::operator()(const Tensor& x) {
  if (description_.empty()) set_name(name_);
  const Where here(name_, description_);
  Tensor y = forward(x);
  if (observer_) [[unlikely]]
    observer_->called(*this, x, y);
  return y;
}

Tensor Module::forward_inputs(const std::vector<Tensor>& inputs) {
  check(inputs.size() == 1, {type_name(), ": ", inputs.size(), " inputs, it takes one"});
  return forward(inputs[0]);
}

Tensor Module::operator()(const NamedTensors& inputs) {
  if (description_.empty()) set_name(name_);
  const Where here(name_, description_);
  const std::vector<std::string> names = input_names();
  std::vector<Tensor> ordered(names.size());
  for (const auto& [name, tensor] : inputs) {
    const auto place = std::find(names.begin(), names.end(), name);
    check(place != names.end(), {"forward: unexpected input '", name, "'"});
    ordered[place - names.begin()] = tensor;
  }
  for (std::size_t i = 0; i < names.size(); ++i)
    check(ordered[i].defined(), {"forward: the input '", names[i], "' is missing"});
  return forward_inputs(ordered);
}

std::string Module::type_name() const { return class_name(typeid(*this)); }

void Module::set_name(std::string name) {
  name_ = std::move(name);
  description_ = type_name();
  if (const std::string extra = extra_text(); !extra.empty()) description_ += " " + extra;
  for (const auto& [child_name, child] : named_children()) child->set_name(child_name);
}

NamedTensors Module::named_parameters() const {
  NamedTensors found;
  collect(*this, "", Which::parameters, &found);
  return without_repeats(std::move(found));
}

NamedTensors Module::named_buffers() const {
  NamedTensors found;
  collect(*this, "", Which::buffers, &found);
  return without_repeats(std::move(found));
}

NamedTensors Module::state_dict() const {
  NamedTensors found;
  collect(*this, "", Which::both, &found);
  return found;
}

std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> parameters;
  for (auto& [name, tensor] : named_parameters()) parameters.push_back(std::move(tensor));
  return parameters;
}

std::vector<std::pair<std::string, Module*>> Module::named_children() const {
  std::vector<std::pair<std::string, Module*>> children;
  EachMember each;
  each.on_module = [&](const char* name, Module& child) { children.emplace_back(name, &child); };
  visit(*this, each);
  return children;
}

void Module::load_state_dict(const NamedTensors& state, bool strict) {
  const NamedTensors own = state_dict();
  std::string problems;
  for (const auto& [name, tensor] : own) {
    const Tensor* given = find(state, name);
    if (!given && strict) problems += "\n  missing: " + name + " " + tensor.shape().text();
    if (given && !(given->shape() == tensor.shape()))
      problems += "\n  another shape: " + name + " is " + given->shape().text() +
                  ", the module has " + tensor.shape().text();
  }
  for (const auto& [name, tensor] : state)
    if (strict && !find(own, name))
      problems += "\n  not in the module: " + name + " " + tensor.shape().text();
  check(problems.empty(),
        {"load_state_dict of ", type_name(), ": what is loaded does not fit:", problems});
  const NoGrad no_grad;
  for (const auto& [name, tensor] : own)
    if (const Tensor* given = find(state, name)) tensor.copy_(*given);
}

void Module::train(bool on) {
  if (training_ != on) doubt_captured_steps();
  training_ = on;
  for (const auto& [name, child] : named_children()) child->train(on);
}

void Module::to(DType dtype) {
  check(is_floating(dtype), {"to: a module of ", dtype, ": a floating type is needed"});
  const NoGrad no_grad;
  for (const auto& [name, tensor] : state_dict())
    if (is_floating(tensor.dtype()) && tensor.dtype() != dtype) rehome(tensor, tensor.to(dtype));
}

void Module::to(Device device) {
  const NoGrad no_grad;
  for (const auto& [name, tensor] : state_dict())
    if (tensor.device() != device) rehome(tensor, tensor.to(device));
}

void Module::requires_grad_(bool on) {
  for (const auto& [name, tensor] : named_parameters()) tensor.requires_grad_(on);
}

void Module::zero_grad(bool set_to_none) {
  for (const auto& [name, tensor] : named_parameters()) tensor.zero_grad(set_to_none);
}

int64_t Module::num_parameters() const {
  int64_t count = 0;
  for (const Tensor& parameter : parameters()) count += parameter.numel();
  return count;
}

namespace {

// Gives modules tensors and parts of their own; what was shared inside the original is shared
// inside the copy.
struct Copier {
  std::vector<std::pair<Tensor, Tensor>> tensors;
  std::vector<std::pair<AnyModule, AnyModule>> modules;

  Tensor copy_of(const Tensor& tensor) {
    for (const auto& [original, copy] : tensors)
      if (original.is_same(tensor)) return copy;
    Tensor copy = tensor.detach().clone();
    copy.requires_grad_(tensor.requires_grad());
    tensors.emplace_back(tensor, copy);
    return copy;
  }

  void own_members(Module& module) {
    EachMember each;
    each.on_tensor = [&](const char*, Tensor& tensor, bool) { tensor = copy_of(tensor); };
    each.on_module = [&](const char*, Module& child) { own_members(child); };
    each.on_any = [&](const char*, AnyModule& child) {
      if (child) child = copy_of(child);
    };
    module.members(each);
  }

  AnyModule copy_of(const AnyModule& module) {
    for (const auto& [original, copy] : modules)
      if (&*original == &*module) return copy;
    AnyModule copy = module.shallow_copy();
    own_members(*copy);
    modules.emplace_back(module, copy);
    return copy;
  }
};

}  // namespace

void own_members(Module& module) {
  const NoGrad no_grad;
  Copier().own_members(module);
}

AnyModule AnyModule::shallow_copy() const {
  AnyModule result = *this;
  result.module_ = copy_(*module_);
  return result;
}

AnyModule AnyModule::clone() const {
  const NoGrad no_grad;
  return Copier().copy_of(*this);
}

}  // namespace levin::inline v0::nn

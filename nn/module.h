// Module: a layer, or a model made of layers. Its tensors and parts are ordinary members, which
// members() names.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../autograd/ops.h"
#include "../kernels/check.h"

namespace levin::inline v0::nn {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

class AnyModule;
class Module;

/// Receives the members that a module names.
class Members {
 public:
  virtual ~Members() = default;
  /// A parameter (where it requires a gradient or may), skipped where it is not defined.
  Members& operator()(const char* name, Tensor& parameter) {
    return tensor(name, parameter, false), *this;
  }
  /// A tensor that is saved with the parameters but not trained.
  Members& buffer(const char* name, Tensor& buffer) { return tensor(name, buffer, true), *this; }
  Members& operator()(const char* name, Module& child) { return module(name, child), *this; }
  Members& operator()(const char* name, AnyModule& child);

 protected:
  virtual void tensor(const char* name, Tensor& tensor, bool is_buffer) = 0;
  virtual void module(const char* name, Module& child) = 0;
  virtual void any_module(const char* name, AnyModule& child);
};

/// Hears of the calls of modules that it was given to.
class CallObserver {
 public:
  virtual ~CallObserver() = default;
  virtual void called(const Module& module, const Tensor& x, const Tensor& y) = 0;
};

/// A model of one's own:
///
///     struct Net : nn::Module {
///       nn::Linear hidden{4, 8}, out{8, 3};
///       void members(nn::Members& m) override { m("hidden", hidden)("out", out); }
///       Tensor forward(const Tensor& x) override { return out(hidden(x).tanh()); }
///     };
///
/// Tensors are handles: a copied module shares its parameters with the original; clone() copies
/// them.
class Module {
 public:
  virtual ~Module() = default;

  /// What the module computes. Called by operator(), which names the module in errors.
  virtual Tensor forward(const Tensor& x);
  /// The first call names the parts, so it is one thread's; later ones may run side by side.
  Tensor operator()(const Tensor& x);
  /// For a module with several inputs, or one of another name: their names, and what is computed from
  /// them. One that has none of these takes one input, "input", to forward().
  virtual std::vector<std::string> input_names() const { return {"input"}; }
  virtual Tensor forward_inputs(const std::vector<Tensor>& inputs);
  /// Calls forward_inputs with inputs by name, in any order. Throws std::invalid_argument for a name
  /// that is not one of input_names(), and for one that is missing.
  Tensor operator()(const NamedTensors& inputs);
  /// Names the tensors and parts, in the order in which they are listed.
  virtual void members(Members&) {}
  /// New initial values for this module's own parameters; parts are not touched.
  virtual void reset_parameters() {}
  /// "Linear"; the class's name.
  virtual std::string type_name() const;
  /// "5 -> 10": what tells it from others of its type in errors and tables.
  virtual std::string extra_text() const { return {}; }

  /// All parameters, those of parts too; names and order are PyTorch's: "0.weight", a module's own
  /// before those of its parts. One that is shared by two parts comes once.
  std::vector<Tensor> parameters() const;
  NamedTensors named_parameters() const;
  NamedTensors named_buffers() const;
  /// The direct parts.
  std::vector<std::pair<std::string, Module*>> named_children() const;
  /// Parameters, buffers, then those of the parts: the tensors themselves. One that is shared comes
  /// under each of its names.
  NamedTensors state_dict() const;
  /// Copies values into the parameters and buffers. strict: names must be the same. All that does
  /// not fit stands in one std::invalid_argument, and then nothing is changed.
  void load_state_dict(const NamedTensors& state, bool strict = true);

  /// Training mode (dropout, batch norm), of all parts.
  void train(bool on = true);
  void eval() { train(false); }
  bool is_training() const { return training_; }
  /// Converts all floating parameters and buffers in place: handles to them stay good.
  void to(DType dtype);
  /// Moves all parameters and buffers, and gradients, to a device: `model.to(kCUDA)`. Handles, optimizers
  /// among them, stay good. Throws std::runtime_error where the device is not there.
  void to(Device device);
  void requires_grad_(bool on = true);
  void zero_grad(bool set_to_none = true);
  int64_t num_parameters() const;

  /// The name that errors give it; its owner calls this.
  virtual void set_name(std::string name);
  /// Who hears of this module's calls, not of its parts'; null for nobody. Must outlive it.
  void set_call_observer(CallObserver* observer) { observer_ = observer; }

 private:
  std::string name_, description_;
  bool training_ = true;
  CallObserver* observer_ = nullptr;
};

/// Owns a module of any type.
class AnyModule {
 public:
  AnyModule() = default;
  template <class M>
  requires std::is_base_of_v<Module, std::remove_cvref_t<M>> AnyModule(M&& module)
      : module_(std::make_shared<std::remove_cvref_t<M>>(std::forward<M>(module))),
        copy_([](const Module& from) -> std::shared_ptr<Module> {
          return std::make_shared<std::remove_cvref_t<M>>(
              static_cast<const std::remove_cvref_t<M>&>(from));
        }) {}

  Module& operator*() const { return *module_; }
  Module* operator->() const { return module_.get(); }
  explicit operator bool() const { return module_ != nullptr; }
  /// A copy with parameters of its own.
  AnyModule clone() const;
  /// A copy that shares its parameters with this one.
  AnyModule shallow_copy() const;

 private:
  std::shared_ptr<Module> module_;
  std::shared_ptr<Module> (*copy_)(const Module&) = nullptr;
};

/// Gives a copied module parameters and buffers of its own.
void own_members(Module& module);

/// A copy with parameters of its own, of the same values.
template <class M>
requires std::is_base_of_v<Module, M> M clone(const M& module) {
  M copy = module;
  own_members(copy);
  return copy;
}

}  // namespace levin::inline v0::nn

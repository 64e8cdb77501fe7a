// Function: an operation of one's own, with its derivative, in LibTorch's form.
#pragma once

#include <any>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "../kernels/check.h"
#include "node.h"

namespace levin::inline v0::autograd {

/// Carries what forward() leaves for backward().
class Context {
 public:
  /// Inputs, the output, or tensors made on the way. Changing one in place before backward is an
  /// error there.
  void save_for_backward(std::vector<Tensor> tensors) { to_save_ = std::move(tensors); }
  /// In backward(): the tensors, in the same order.
  std::vector<Tensor> get_saved_variables() const;
  /// Is the gradient of forward's argument i wanted?
  bool needs_input_grad(std::size_t i) const;
  /// What is no tensor: `ctx.saved_data["slope"] = 0.1`, `std::any_cast<double>(ctx.saved_data["slope"])`.
  std::map<std::string, std::any> saved_data;

 private:
  friend Tensor record_function(const char* name, Context context, Tensor output,
                                const std::vector<const Tensor*>& arguments,
                                std::vector<Tensor> (*backward)(Context&,
                                                                const std::vector<Tensor>&));
  struct Backward;

  std::vector<Tensor> to_save_;
  struct Slot {
    bool is_output, is_defined;
    Saved input;
    SavedOutput output;
  };
  std::vector<Slot> saved_;
  std::vector<int> edges_;  // of each argument; -1: no tensor
  const Grads* grads_ = nullptr;
};

/// Makes a Function's output: for apply() only. Arguments that are no tensors are null.
Tensor record_function(const char* name, Context context, Tensor output,
                       const std::vector<const Tensor*>& arguments,
                       std::vector<Tensor> (*backward)(Context&, const std::vector<Tensor>&));

/// An operation with any arguments and one output:
///
///     struct Scale : autograd::Function<Scale> {
///       static constexpr const char* kName = "scale";
///       static Tensor forward(autograd::Context& ctx, const Tensor& x, double factor) {
///         ctx.saved_data["factor"] = factor;
///         return x * factor;
///       }
///       static std::vector<Tensor> backward(autograd::Context& ctx, const std::vector<Tensor>& g) {
///         return {g[0] * std::any_cast<double>(ctx.saved_data["factor"]), Tensor()};
///       }
///     };
///     y = Scale::apply(x, 2.5);
///
/// forward() runs without history. backward() gets the output's gradient as grads[0] and gives one
/// for each argument of forward(), undefined for what is no tensor or has no gradient; made of
/// operations, it can be differentiated again. kName (optional) is for errors.
template <class F>
class Function {
 public:
  template <class... Arguments>
  static Tensor apply(const Arguments&... arguments) {
    Context context;
    Tensor output;
    {
      const NoGrad no_grad;
      static_assert(std::is_same_v<decltype(F::forward(context, arguments...)), Tensor>,
                    "forward() gives one Tensor");
      output = F::forward(context, arguments...);
    }
    const char* name = "Function";
    if constexpr (requires { F::kName; }) name = F::kName;
    return record_function(name, std::move(context), std::move(output), {tensor_in(arguments)...},
                           F::backward);
  }

 private:
  template <class T>
  static const Tensor* tensor_in(const T& argument) {
    static_assert(
        !std::is_same_v<T, std::vector<Tensor>> && !std::is_same_v<T, std::optional<Tensor>>,
        "pass each Tensor as an argument of its own (an undefined one for none): only "
        "those get gradients");
    if constexpr (std::is_same_v<T, Tensor>) return argument.defined() ? &argument : nullptr;
    return nullptr;
  }
};

}  // namespace levin::inline v0::autograd

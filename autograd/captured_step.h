// CapturedStep: a training step that is recorded while it runs, and then repeated without the code
// that made it.
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "../tensor/tensor.h"

namespace levin::inline v0 {

/// Runs a step as it is written until two runs in a row did the same: the same operations on the
/// same memory, but for the inputs' and what the step makes itself. From then on it is replayed:
///
///     CapturedStep captured;
///     for (const auto& [x, gt] : loader) {
///       const Tensor& loss = captured.run({x, gt}, [&] {
///         optimizer.zero_grad();
///         const Tensor loss = mse_loss(model(x), gt);
///         loss.backward();
///         optimizer.step();
///         return loss;
///       });
///     }
///
/// A replay gives the bits that running the step would give, in less time: memory is planned once,
/// elementwise operations run together, no code of the host's runs. So:
///
/// - Tensors made in the step that it returns, or that somebody else still holds when it ends, are
///   its outputs: each replay writes them anew.
/// - Other tensors are read where they lie. Change them in place; learning rates (set_lr), weights
///   and generators count at once.
/// - What the host does besides (counting, printing, a decision by a Python-like `if`) does not
///   happen again. Every 1,000th step, and the next after check_next() or after a change of modes,
///   hooks or parameters' requires_grad, runs as it is written and is compared; where it does
///   something else, all later ones run as written.
/// - A step that reads a value on the host (item(), data(), printing) is never replayed.
///
/// One thread's; not copied.
class CapturedStep {
 public:
  CapturedStep();
  ~CapturedStep();
  CapturedStep(const CapturedStep&) = delete;
  CapturedStep& operator=(const CapturedStep&) = delete;

  /// Replays the step on these inputs, or calls body(). Gives what body() returned when it last ran
  /// for such inputs: a reference that holds until the next run of any. Inputs of other shapes,
  /// strides, types or sharing of memory, another `key`, gradient mode and Autocast have recordings of
  /// their own, at most 8. Throws what the body throws, and as its operations do.
  template <class Body>
  auto run(std::span<const Tensor> inputs, Body&& body, uint64_t key = 0)
      -> std::add_lvalue_reference_t<const std::invoke_result_t<Body&>> {
    using Result = std::invoke_result_t<Body&>;
    if (!replayed(inputs, key)) {
      const Attempt attempt(*this);
      if constexpr (std::is_void_v<Result>)
        body();
      else if (Result* kept = value_of<Result>())
        *kept = body();
      else
        result() = std::make_unique<ValueOf<Result>>(body());
      succeeded();
    }
    if constexpr (!std::is_void_v<Result>) return *value_of<Result>();
  }
  template <class Body>
  decltype(auto) run(std::initializer_list<Tensor> inputs, Body&& body, uint64_t key = 0) {
    return run(std::span(inputs.begin(), inputs.size()), std::forward<Body>(body), key);
  }

  /// Was the last step replayed?
  bool has_replayed() const;
  /// The next step of each recording runs as it is written and is compared with it.
  void check_next();
  /// From now on all steps run as they are written.
  void stay_eager(std::string reason);
  /// Why the last step was not replayed and later ones like it will not be: "" where it was, or where
  /// they may be.
  const std::string& why_eager() const;

 private:
  struct Case;
  struct State;
  // The recorder stands in the CPU's place while it lives.
  class Attempt {
   public:
    explicit Attempt(CapturedStep& step) : step_(step) { step_.begin(); }
    ~Attempt() { step_.end(); }

   private:
    CapturedStep& step_;
  };

  bool replayed(std::span<const Tensor> inputs, uint64_t key);
  // What a body returned. (std::any would show levin's types in a plugin's symbols.)
  struct Value {
    virtual ~Value() = default;
  };
  template <class T>
  struct ValueOf final : Value {
    explicit ValueOf(T its_value) : value(std::move(its_value)) {}
    T value;
  };
  std::unique_ptr<Value>& result();
  template <class T>
  T* value_of() {
    auto* kept = dynamic_cast<ValueOf<T>*>(result().get());
    return kept ? &kept->value : nullptr;
  }

  void begin();
  void succeeded();
  void end() noexcept;

  std::unique_ptr<State> state_;
};

}  // namespace levin::inline v0

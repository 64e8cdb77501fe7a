// SpanOptimizer: parameter groups, their numbers and state, and the step, for every optimizer whose
// rule is one pass over memory. OptimizerOf<Options> adds the options' type.
#pragma once

#include <array>
#include <cstring>
#include <memory>
#include <string_view>

#include "../kernels/backend.h"
#include "optimizer.h"

namespace levin::inline v0::optim {

inline constexpr int kMaxNumbers = 8, kMaxCounters = 2;

/// A group's numbers: the fields of the rule's struct in kernels/formulas/optimizers.h.
using Numbers = std::array<double, kMaxNumbers>;

/// What an optimizer remembers of each element, by its name in PyTorch's state_dict.
struct StateField {
  const char* name = nullptr;
  const char* wanted_by = nullptr;  ///< kept while this number is not 0; null: always
  const char* starts_at = nullptr;  ///< its first value is this number; null: 0
};

/// What an optimizer counts of each parameter.
struct CounterField {
  const char* name = nullptr;  ///< null: not saved; 1 where the first state is there, else 0
  double start = 0;
};

/// What tells one optimizer from another: its rule, and names as in PyTorch's state_dict.
struct Scheme {
  const char* name;
  Rule rule;
  std::array<const char*, kMaxNumbers> numbers;  ///< those of the rule's fields, lr first
  std::array<StateField, kMaxStates> states = {};
  std::array<CounterField, kMaxCounters> counters = {};

  /// The place of a number; -1 where there is none of that name.
  constexpr int number(std::string_view wanted) const {
    for (int i = 0; i < kMaxNumbers && numbers[i]; ++i)
      if (wanted == numbers[i]) return i;
    return -1;
  }
};

/// Copies share their groups and state: they stand for one optimizer. Numbers, counters and state
/// are read where they lie when the step's calls run, so a recorded step sees changed rates.
class SpanOptimizer : public Optimizer {
 public:
  void step() override;
  std::string type_name() const override { return scheme_->name; }
  OptimizerState state_dict() const override;
  void load_state_dict(const OptimizerState& state) override;
  bool is_same(const Optimizer& other) const override;
  int group_count() const override;
  const std::vector<Tensor>& parameters(int group) const override;
  double lr(int group = 0) const override;
  void set_lr(int group, double lr) override;
  double initial_lr(int group) const override;
  void set_initial_lr(int group, double lr) override;
  std::optional<double> momentum(int group) const override;
  void set_momentum(int group, double momentum) override;
  std::optional<double> weight_decay(int group) const override;

 protected:
  explicit SpanOptimizer(const Scheme& scheme);
  void add_group(std::vector<Tensor> parameters, const Numbers& numbers);
  /// This one becomes a copy of `other`, for other parameters.
  void rebind(const SpanOptimizer& other, const std::function<Tensor(const Tensor&)>& counterpart);

 private:
  struct Group;
  struct Shared;
  struct Prepared;
  Group& group(int number) const;
  int momentum_number() const;
  bool is_wanted(const Group& group, int state) const;
  void prepare(Group& group, Prepared* prepared);
  void load_slots(const OptimizerState& state, int first_position, Group* loaded) const;

  const Scheme* scheme_;
  std::array<int, kMaxStates> wanted_by_;  // places of numbers
  std::shared_ptr<Shared> shared_;
};

/// What settings_of(options) gives: the scheme, and the numbers after their checks.
struct Settings {
  const Scheme& scheme;
  Numbers numbers;
};

/// An optimizer with options of its own. Throws std::invalid_argument for options that PyTorch
/// refuses, and for parameters that are no floating leaves or come twice.
template <class Options>
class OptimizerOf final : public SpanOptimizer {
 public:
  struct Group {
    std::vector<Tensor> params;
    Options options = {};
  };
  explicit OptimizerOf(std::vector<Tensor> parameters, const Options& options = {})
      : OptimizerOf() {
    add_param_group({std::move(parameters), options});
  }
  explicit OptimizerOf(std::vector<Group> groups) : OptimizerOf() {
    if (groups.empty()) add_group({}, {});
    for (Group& group : groups) add_param_group(std::move(group));
  }

  void add_param_group(Group group) {
    add_group(std::move(group.params), settings_of(group.options).numbers);
  }
  AnyOptimizer rebound(const std::function<Tensor(const Tensor&)>& counterpart) const override {
    OptimizerOf copy;
    copy.rebind(*this, counterpart);
    return copy;
  }

 private:
  OptimizerOf() : SpanOptimizer(settings_of(Options()).scheme) {}
};

/// The rule's struct as numbers.
template <class Rule>
Numbers numbers_of(const Rule& rule) {
  static_assert(sizeof(rule) <= sizeof(Numbers));
  Numbers numbers{};
  std::memcpy(numbers.data(), &rule, sizeof(rule));
  return numbers;
}

/// Checks that several optimizers have in common, in PyTorch's words.
void check_number(const Scheme& scheme, const char* what, double value, bool ok);
void check_common(const Scheme& scheme, double lr, double eps, double weight_decay);
void check_betas(const Scheme& scheme, const std::array<double, 2>& betas);

}  // namespace levin::inline v0::optim

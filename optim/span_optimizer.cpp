#include "span_optimizer.h"

#include <deque>

#include "../autograd/launch.h"

namespace levin::inline v0::optim {

// What is kept of one parameter.
struct Slot {
  Tensor state[kMaxStates];  // undefined before the first step
  double counters[kMaxCounters];
};

struct SpanOptimizer::Group {
  std::vector<Tensor> params;
  Numbers numbers;          // kernels read it where it lies
  std::vector<Slot> slots;  // one for each parameter, likewise
  std::optional<double> initial_lr = {};
  int64_t active = 0;  // how many parameters this step updates
};

struct SpanOptimizer::Shared {
  std::deque<Group> groups;  // which stay where they are
  std::vector<Span> spans;   // of one step; kept for its memory
};

// What a step needs besides its spans, which point into it.
struct SpanOptimizer::Prepared {
  std::vector<Tensor> copies;                       // of gradients that a user set with gaps
  std::vector<std::pair<Tensor, Tensor>> gapped;    // parameters with gaps, and their stand-ins
  std::vector<std::pair<Tensor*, Tensor>> started;  // a new state's place, and it
};

namespace {

Slot new_slot(const Scheme& scheme) {
  Slot slot;
  for (int c = 0; c < kMaxCounters; ++c) slot.counters[c] = scheme.counters[c].start;
  return slot;
}

}  // namespace

SpanOptimizer::SpanOptimizer(const Scheme& scheme)
    : scheme_(&scheme), shared_(std::make_shared<Shared>()) {
  for (int s = 0; s < kMaxStates; ++s)
    wanted_by_[s] = scheme.states[s].wanted_by ? scheme.number(scheme.states[s].wanted_by) : -1;
}

void SpanOptimizer::add_group(std::vector<Tensor> parameters, const Numbers& numbers) {
  doubt_captured_steps();
  note_made("an optimizer, or a group of one");
  std::vector<Tensor> known;
  for (const Group& other : shared_->groups)
    known.insert(known.end(), other.params.begin(), other.params.end());
  check_parameters(scheme_->name, parameters, known);
  std::vector<Slot> slots(parameters.size(), new_slot(*scheme_));
  shared_->groups.push_back({std::move(parameters), numbers, std::move(slots)});
}

// All that can fail for want of memory comes before the first parameter is changed.
void SpanOptimizer::step() {
  const NoGrad no_grad;
  std::vector<Span>& spans = shared_->spans;
  spans.clear();
  Prepared prepared;
  for (Group& group : shared_->groups) prepare(group, &prepared);
  const Span* next = spans.data();
  for (Group& group : shared_->groups) {
    if (group.active == 0) continue;
    const OptimizerCall call{scheme_->rule, group.numbers.data(), next, group.active};
    launched(backend(group.params[0].device()).optimizer(call), scheme_->name, group.params[0]);
    next += group.active;
  }
  for (const Span& span : spans) {
    ++span.p.block->version;
    span.p.block->last_write = scheme_->name;
  }
  for (auto& [place, state] : prepared.started) *place = std::move(state);
  for (const auto& [p, updated] : prepared.gapped) p.copy_(updated);
}

void SpanOptimizer::prepare(Group& group, Prepared* prepared) {
  group.active = 0;
  for (std::size_t i = 0; i < group.params.size(); ++i) {
    const Tensor& p = group.params[i];
    const LeafNode* leaf = leaf_of(p);
    if (!leaf || leaf->fresh) continue;
    check_same_device(scheme_->name, group.params[0], p);
    if (p.dtype() != kFloat32 && p.dtype() != kFloat64) [[unlikely]]
      fail({scheme_->name, ": parameter ", i, " of shape ", p.shape(), " is ", p.dtype(),
            ", not float32 or float64"});
    const Tensor *g = &leaf->collected, *target = &p;
    if (!g->is_contiguous()) g = &prepared->copies.emplace_back(g->contiguous());
    if (!p.is_contiguous()) target = &prepared->gapped.emplace_back(p, p.contiguous()).second;
    Span span{arg(*target), arg(*g), {}, p.numel(), group.slots[i].counters};
    for (int s = 0; s < kMaxStates && scheme_->states[s].name; ++s) {
      if (!is_wanted(group, s)) continue;
      Tensor* state = &group.slots[i].state[s];
      if (!state->defined()) {
        const char* number = scheme_->states[s].starts_at;
        const double start = number ? group.numbers[scheme_->number(number)] : 0;
        state = &prepared->started.emplace_back(state, full_like(p, start)).second;
      } else if (state->dtype() != p.dtype() || state->device() != p.device()) {
        *state = state->to(p.dtype()).to(p.device());  // Module::to
      }
      span.state[s] = arg(*state);
    }
    shared_->spans.push_back(span);
    ++group.active;
  }
}

bool SpanOptimizer::is_wanted(const Group& group, int state) const {
  return wanted_by_[state] < 0 || group.numbers[wanted_by_[state]] != 0;
}

OptimizerState SpanOptimizer::state_dict() const {
  OptimizerState state;
  int g = 0, position = 0;
  for (const Group& group : shared_->groups) {
    const std::string prefix = "param_groups." + std::to_string(g++) + ".";
    for (int i = 0; i < kMaxNumbers && scheme_->numbers[i]; ++i)
      state.numbers.emplace_back(prefix + scheme_->numbers[i], group.numbers[i]);
    if (group.initial_lr) state.numbers.emplace_back(prefix + "initial_lr", *group.initial_lr);
    state.numbers.emplace_back(prefix + "params", static_cast<double>(group.params.size()));
    for (const Slot& slot : group.slots) {
      const std::string own = "state." + std::to_string(position++) + ".";
      for (int s = 0; s < kMaxStates; ++s)
        if (slot.state[s].defined())
          state.tensors.emplace_back(own + scheme_->states[s].name, slot.state[s]);
      if (!slot.state[0].defined()) continue;
      for (int c = 0; c < kMaxCounters; ++c)
        if (scheme_->counters[c].name)
          state.numbers.emplace_back(own + scheme_->counters[c].name, slot.counters[c]);
    }
  }
  return state;
}

namespace {

template <class Value>
const Value* find(const std::vector<std::pair<std::string, Value>>& list, const std::string& name) {
  for (const auto& [own, value] : list)
    if (own == name) return &value;
  return nullptr;
}

double needed(const Scheme& scheme, const OptimizerState& state, const std::string& name) {
  const double* number = find(state.numbers, name);
  check(number, {scheme.name, ".load_state_dict: '", name,
                 "' is missing: the state is of another optimizer"});
  return *number;
}

}  // namespace

void SpanOptimizer::load_state_dict(const OptimizerState& state) {
  std::deque<Group>& groups = shared_->groups;
  const std::string surplus = "param_groups." + std::to_string(groups.size()) + ".params";
  check(!find(state.numbers, surplus),
        {scheme_->name, ".load_state_dict: the state has more than the ", groups.size(),
         " parameter groups of this optimizer"});
  std::deque<Group> loaded = groups;
  int position = 0;
  for (std::size_t g = 0; g < loaded.size(); ++g) {
    Group& group = loaded[g];
    const std::string prefix = "param_groups." + std::to_string(g) + ".";
    const double count = needed(*scheme_, state, prefix + "params");
    check(count == static_cast<double>(group.params.size()),
          {scheme_->name, ".load_state_dict: group ", g, " of the state has ", count,
           " parameters, this one ", group.params.size()});
    for (int i = 0; i < kMaxNumbers && scheme_->numbers[i]; ++i)
      group.numbers[i] = needed(*scheme_, state, prefix + scheme_->numbers[i]);
    if (const double* initial = find(state.numbers, prefix + "initial_lr"))
      group.initial_lr = *initial;
    load_slots(state, position, &group);
    position += static_cast<int>(group.params.size());
  }
  doubt_captured_steps();
  for (std::size_t g = 0; g < loaded.size(); ++g) {
    groups[g].numbers = loaded[g].numbers;
    groups[g].initial_lr = loaded[g].initial_lr;
    std::move(loaded[g].slots.begin(), loaded[g].slots.end(), groups[g].slots.begin());
  }
}

void SpanOptimizer::load_slots(const OptimizerState& state, int position, Group* group) const {
  for (std::size_t i = 0; i < group->params.size(); ++i) {
    const Tensor& p = group->params[i];
    const std::string own = "state." + std::to_string(position++) + ".";
    Slot& slot = group->slots[i] = new_slot(*scheme_);
    for (int s = 0; s < kMaxStates && scheme_->states[s].name; ++s) {
      const std::string key = own + scheme_->states[s].name;
      const Tensor* tensor = find(state.tensors, key);
      if (!tensor) continue;
      check(tensor->shape() == p.shape(),
            {scheme_->name, ".load_state_dict: ", key, " of shape ", tensor->shape(),
             " for a parameter of shape ", p.shape()});
      slot.state[s] = tensor->to(p.dtype()).to(p.device()).clone();
    }
    if (!slot.state[0].defined()) continue;
    for (int c = 0; c < kMaxCounters; ++c) {
      const char* name = scheme_->counters[c].name;
      slot.counters[c] = name ? needed(*scheme_, state, own + name) : 1;
    }
  }
}

void SpanOptimizer::rebind(const SpanOptimizer& other,
                           const std::function<Tensor(const Tensor&)>& counterpart) {
  for (const Group& group : other.shared_->groups) {
    std::vector<Tensor> parameters;
    for (const Tensor& parameter : group.params) parameters.push_back(counterpart(parameter));
    add_group(std::move(parameters), group.numbers);
  }
  load_state_dict(other.state_dict());
}

SpanOptimizer::Group& SpanOptimizer::group(int number) const {
  if (number < 0 || number >= group_count())
    fail(Fault::index, {scheme_->name, ": group ", number, " of ", group_count()});
  return shared_->groups[number];
}

int SpanOptimizer::momentum_number() const {
  const int momentum = scheme_->number("momentum");
  return momentum < 0 ? scheme_->number("betas.0") : momentum;
}

bool SpanOptimizer::is_same(const Optimizer& other) const {
  const auto* span_optimizer = dynamic_cast<const SpanOptimizer*>(&other);
  return span_optimizer && span_optimizer->shared_ == shared_;
}
int SpanOptimizer::group_count() const { return static_cast<int>(shared_->groups.size()); }
const std::vector<Tensor>& SpanOptimizer::parameters(int number) const {
  return group(number).params;
}
double SpanOptimizer::lr(int number) const { return group(number).numbers[0]; }
void SpanOptimizer::set_lr(int number, double lr) { group(number).numbers[0] = lr; }
double SpanOptimizer::initial_lr(int number) const {
  return group(number).initial_lr.value_or(lr(number));
}
void SpanOptimizer::set_initial_lr(int number, double lr) { group(number).initial_lr = lr; }
std::optional<double> SpanOptimizer::momentum(int number) const {
  const int place = momentum_number();
  return place < 0 ? std::nullopt : std::optional(group(number).numbers[place]);
}
void SpanOptimizer::set_momentum(int number, double momentum) {
  const int place = momentum_number();
  if (place < 0) return Optimizer::set_momentum(number, momentum);
  group(number).numbers[place] = momentum;
}
std::optional<double> SpanOptimizer::weight_decay(int number) const {
  const int place = scheme_->number("weight_decay");
  return place < 0 ? std::nullopt : std::optional(group(number).numbers[place]);
}

void check_number(const Scheme& scheme, const char* what, double value, bool ok) {
  check(ok, {scheme.name, ": Invalid ", what, ": ", value});
}

void check_common(const Scheme& scheme, double lr, double eps, double weight_decay) {
  check_number(scheme, "learning rate", lr, lr >= 0);
  check_number(scheme, "epsilon value", eps, eps >= 0);
  check_number(scheme, "weight_decay value", weight_decay, weight_decay >= 0);
}

void check_betas(const Scheme& scheme, const std::array<double, 2>& betas) {
  for (int i = 0; i < 2; ++i)
    check(betas[i] >= 0 && betas[i] < 1,
          {scheme.name, ": Invalid beta parameter at index ", i, ": ", betas[i]});
}

}  // namespace levin::inline v0::optim

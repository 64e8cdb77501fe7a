#include "sgd.h"

#include "../autograd/launch.h"

namespace levin::inline v0::optim {

SGD::SGD(std::vector<Tensor> parameters, const SGDOptions& options) {
  add_param_group({std::move(parameters), options});
}

SGD::SGD(std::vector<Group> groups) {
  check(!groups.empty(), {"SGD: got an empty list of parameter groups"});
  for (Group& group : groups) add_param_group(std::move(group));
}

void SGD::add_param_group(Group group) {
  const SGDOptions& o = group.options;
  check(o.lr >= 0, {"SGD: Invalid learning rate: ", o.lr});
  check(o.momentum >= 0, {"SGD: Invalid momentum value: ", o.momentum});
  check(o.weight_decay >= 0, {"SGD: Invalid weight_decay value: ", o.weight_decay});
  check(!o.nesterov || (o.momentum > 0 && o.dampening == 0),
        {"SGD: Nesterov momentum requires a momentum and zero dampening"});
  std::vector<Tensor> known;
  for (const Params& other : groups_)
    known.insert(known.end(), other.params.begin(), other.params.end());
  check_parameters("SGD", group.params, known);
  Params added;
  added.momentum.resize(group.params.size());
  added.params = std::move(group.params);
  added.numbers = {o.lr, o.momentum, o.dampening, o.weight_decay, o.nesterov, o.maximize};
  groups_.push_back(std::move(added));
}

// All that can fail for want of memory comes before the first parameter is changed.
void SGD::step() {
  const NoGrad no_grad;
  spans_.clear();
  Prepared prepared;
  for (Params& group : groups_) prepare(group, &prepared);
  const Span* next = spans_.data();
  for (Params& group : groups_) {
    if (group.active == 0) continue;
    const SgdCall call{&group.numbers, next, group.active};
    launched(backend(group.params[0].device()).sgd(call), "SGD.step", group.params[0]);
    next += group.active;
  }
  for (const Span& span : spans_) {
    ++span.p.block->version;
    span.p.block->last_write = "SGD.step";
  }
  for (auto& [slot, momentum] : prepared.started) *slot = std::move(momentum);
  for (const auto& [p, updated] : prepared.gapped) p.copy_(updated);
}

void SGD::prepare(Params& group, Prepared* prepared) {
  group.active = 0;
  for (std::size_t i = 0; i < group.params.size(); ++i) {
    const Tensor& p = group.params[i];
    const LeafNode* leaf = leaf_of(p);
    if (!leaf || leaf->fresh) continue;
    const Tensor *g = &leaf->collected, *target = &p;
    if (!g->is_contiguous()) g = &prepared->copies.emplace_back(g->contiguous());
    if (!p.is_contiguous()) target = &prepared->gapped.emplace_back(p, p.contiguous()).second;
    Span span{arg(*target), arg(*g), {}, p.numel(), false};
    if (group.numbers.momentum != 0) {
      Tensor& momentum = group.momentum[i];
      span.first = !momentum.defined();
      if (span.first)
        span.state = arg(prepared->started.emplace_back(&momentum, empty_like(p)).second);
      else if (momentum.dtype() != p.dtype())
        momentum = momentum.to(p.dtype());  // Module::to
      if (!span.first) span.state = arg(momentum);
    }
    spans_.push_back(span);
    ++group.active;
  }
}

namespace {

struct Field {
  const char* name;
  double value;
};

std::vector<Field> fields_of(const SgdNumbers& n) {
  return {{"lr", n.lr},
          {"momentum", n.momentum},
          {"dampening", n.dampening},
          {"weight_decay", n.weight_decay},
          {"nesterov", n.nesterov ? 1.0 : 0.0},
          {"maximize", n.maximize ? 1.0 : 0.0}};
}

}  // namespace

OptimizerState SGD::state_dict() const {
  OptimizerState state;
  int number = 0;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const std::string prefix = "param_groups." + std::to_string(g) + ".";
    for (const Field& field : fields_of(groups_[g].numbers))
      state.numbers.emplace_back(prefix + field.name, field.value);
    state.numbers.emplace_back(prefix + "params", static_cast<double>(groups_[g].params.size()));
    for (const Tensor& momentum : groups_[g].momentum) {
      if (momentum.defined())
        state.tensors.emplace_back("state." + std::to_string(number) + ".momentum_buffer",
                                   momentum);
      ++number;
    }
  }
  return state;
}

void SGD::load_state_dict(const OptimizerState& state) {
  const auto number = [&](std::size_t group, const char* name) {
    const std::string key = "param_groups." + std::to_string(group) + "." + name;
    for (const auto& [own, value] : state.numbers)
      if (own == key) return value;
    fail({"SGD.load_state_dict: '", key, "' is missing: the state is of another optimizer"});
  };
  const std::string surplus = "param_groups." + std::to_string(groups_.size()) + ".params";
  for (const auto& [key, value] : state.numbers)
    check(key != surplus, {"SGD.load_state_dict: the state has more than the ", groups_.size(),
                           " parameter groups of this optimizer"});
  std::vector<Params> loaded = groups_;
  int position = 0;
  for (std::size_t g = 0; g < loaded.size(); ++g) {
    Params& group = loaded[g];
    check(number(g, "params") == static_cast<double>(group.params.size()),
          {"SGD.load_state_dict: group ", g, " of the state has ", number(g, "params"),
           " parameters, this one ", group.params.size()});
    group.numbers = {
        number(g, "lr"),           number(g, "momentum"),      number(g, "dampening"),
        number(g, "weight_decay"), number(g, "nesterov") != 0, number(g, "maximize") != 0};
    for (std::size_t i = 0; i < group.params.size(); ++i, ++position) {
      const std::string key = "state." + std::to_string(position) + ".momentum_buffer";
      group.momentum[i] = Tensor();
      for (const auto& [name, tensor] : state.tensors) {
        if (name != key) continue;
        check(tensor.shape() == group.params[i].shape(),
              {"SGD.load_state_dict: ", key, " of shape ", tensor.shape(),
               " for a parameter of shape ", group.params[i].shape()});
        group.momentum[i] = tensor.to(group.params[i].dtype()).clone();
      }
    }
  }
  groups_ = std::move(loaded);
}

}  // namespace levin::inline v0::optim

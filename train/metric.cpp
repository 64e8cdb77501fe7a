#include "metric.h"

#include <algorithm>

#include "../autograd/launch.h"
#include "../autograd/ops.h"

namespace levin::inline v0 {

MetricResult::MetricResult(double number) : tensor_(full({}, number, kFloat64)) {}

MetricName::MetricName(std::string_view name) : size_(static_cast<unsigned char>(name.size())) {
  check(name.size() <= kLongest,
        {"metrics: the name '", name, "' has ", name.size(), " bytes, at most 63 are possible"});
  std::copy(name.begin(), name.end(), text_);
}

MetricResult& MetricResults::operator[](std::string_view name) {
  for (Entry& entry : entries_)
    if (std::string_view(entry.name) == name) return entry.result;
  return entries_.push_back({name, {}}).result;
}

const MetricResult* MetricResults::find(std::string_view name) const {
  for (const Entry& entry : entries_)
    if (std::string_view(entry.name) == name) return &entry.result;
  return nullptr;
}

std::optional<double> CoreMetric::epoch_result_reduced(const Tensor& full) {
  if (!full.defined() || full.numel() != 1) return {};
  return full.item<double>();
}

void CoreMetric::load_state(const std::vector<std::pair<std::string, Tensor>>& state) {
  check(state.empty(), {"metric: it cannot load a state of ", state.size(), " tensors"});
}

CallableCoreMetric::CallableCoreMetric(MetricFunction function, bool higher_is_better,
                                       bool requires_grad, Epoch epoch)
    : CoreMetric(higher_is_better, requires_grad), function_(std::move(function)), epoch_(epoch) {
  check(static_cast<bool>(function_), {"metric: an empty function"});
}

CallableCoreMetric::CallableCoreMetric(MetricFunction function, bool higher_is_better,
                                       bool requires_grad, EpochFunction epoch)
    : CallableCoreMetric(std::move(function), higher_is_better, requires_grad, Epoch::sum) {
  check(static_cast<bool>(epoch), {"metric: an empty function for the epoch"});
  epoch_function_ = std::move(epoch);
}

void CallableCoreMetric::batch_update(const MetricResult& result, double weight) {
  if (result.is_nothing()) return;
  if (epoch_ == Epoch::sum) weight = 1;
  if (!result.is_list()) return add(result.tensor(), weight);
  for (const MetricResult& item : result.list()) {
    check(!item.is_list(),
          {"metric: No list nesting allowed: a list of batch results holds a list"});
    if (!item.is_nothing()) add(item.tensor(), weight);
  }
}

void CallableCoreMetric::add(const Tensor& value, double weight) {
  if (!sums_.defined() || (empty_ && !(sums_.shape() == value.shape()))) {
    sums_ = zeros(value.shape(), kFloat64, value.device());
    counts_ = tensor({0.0, 0.0, -1.0}).to(kFloat64).to(value.device());
  }
  check(sums_.shape() == value.shape(),
        {"metric: a batch result of shape ", value.shape(), " after ones of ", sums_.shape()});
  launched(backend(value.device()).accumulate({weight, arg(value), arg(sums_), arg(counts_)}),
           "metric", value);
  empty_ = false;
  ++sums_.impl().block->version;
  ++counts_.impl().block->version;
}

Tensor CallableCoreMetric::epoch_result() {
  const NoGrad no_grad;
  if (!sums_.defined()) return {};
  const double count = counts_.select(0, 0).item<double>();
  if (counts_.select(0, 1).item<double>() == 0) return {};
  if (epoch_function_) return epoch_function_(sums_.clone(), counts_.select(0, 0).clone());
  if (epoch_ == Epoch::sum) return sums_.clone();
  return (sums_.dim() == 0 ? sums_.unsqueeze(0) : sums_) / count;
}

void CallableCoreMetric::reset() {
  empty_ = true;
  if (!sums_.defined()) return;
  const NoGrad no_grad;
  sums_.zero_();
  counts_.zero_();
  counts_.select(0, 2).fill_(-1);
}

std::shared_ptr<CoreMetric> CallableCoreMetric::clone() const {
  auto copy = std::make_shared<CallableCoreMetric>(*this);
  copy->sums_ = copy->counts_ = {};
  copy->empty_ = true;
  return copy;
}

int64_t CallableCoreMetric::first_bad_batch() const {
  return counts_.defined() ? counts_.select(0, 2).item<int64_t>() : -1;
}

std::vector<std::pair<std::string, Tensor>> CallableCoreMetric::state() const {
  if (!sums_.defined()) return {};
  return {{"sums", sums_}, {"counts", counts_}};
}

void CallableCoreMetric::load_state(const std::vector<std::pair<std::string, Tensor>>& state) {
  empty_ = state.empty();
  sums_ = counts_ = {};
  for (const auto& [name, tensor] : state) {
    check(tensor.dtype() == kFloat64 && (name == "sums" || tensor.numel() == 3),
          {"metric: a state '", name, "' of ", tensor.dtype(), " ", tensor.shape()});
    (name == "sums" ? sums_ : counts_) = tensor.clone();
  }
  check(sums_.defined() == counts_.defined(), {"metric: the state lacks its sums or its counts"});
}

StubMetric::StubMetric(bool higher_is_better)
    : CallableCoreMetric(
          [](const Tensor&, const Tensor&) -> MetricResult {
            fail(Fault::order, {"Stub metrics cannot be called. These need to be computed in the "
                                "model_algorithm!"});
          },
          higher_is_better) {}

std::shared_ptr<CoreMetric> StubMetric::clone() const {
  return std::make_shared<StubMetric>(higher_is_better());
}

bool AnyMetric::is_max(std::string_view direction) {
  check(direction == "min" || direction == "max",
        {"metrics: Expected 'min'/'max', got: ", direction});
  return direction == "max";
}

}  // namespace levin::inline v0

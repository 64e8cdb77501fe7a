#include "metric.h"

#include <algorithm>

#include "../../autograd/launch.h"
#include "../../autograd/ops.h"
#include "../../kernels/type_name.h"

namespace levin::inline v0 {

MetricResult::MetricResult(double number) : tensor_(full({}, number, kFloat64)) {}

void MetricResult::detach() {
  if (tensor_.defined() && tensor_.requires_grad()) tensor_ = tensor_.detach();
  if (!list_) return;
  std::vector<MetricResult> list = *list_;
  for (MetricResult& item : list) item.detach();
  list_ = std::make_shared<const std::vector<MetricResult>>(std::move(list));
}

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

std::string CoreMetric::text() const {
  const auto sums = state();
  return "[" + class_name(typeid(*this)) + "]. Mode: " + mode() +
         ". Grad: " + (requires_grad_ ? "True" : "False") +
         ". Count: " + std::to_string(std::max<int64_t>(batch_count(), 0)) + " (" +
         (sums.empty() ? "None" : sums[0].second.text()) + ")";
}

void SummedMetric::batch_update(const MetricResult& result, double weight) {
  if (result.is_nothing()) return;
  if (!result.is_list()) return add(result.tensor(), weight);
  for (const MetricResult& item : result.list()) {
    check(!item.is_list(),
          {"metric: No list nesting allowed: a list of batch results holds a list"});
    if (!item.is_nothing()) add(item.tensor(), weight);
  }
}

void SummedMetric::add(const Tensor& value, double weight) {
  if (!sums_.defined() || (empty_ && !(sums_.shape() == value.shape()))) {
    sums_ = zeros(value.shape(), kFloat64, value.device());
    counts_ = zeros({3}, kFloat64, value.device());
    counts_.select(0, 2).fill_(-1);
  }
  check(sums_.shape() == value.shape(),
        {"metric: a batch result of shape ", value.shape(), " after ones of ", sums_.shape()});
  if (sums_.device() != value.device()) {
    sums_ = sums_.to(value.device());
    counts_ = counts_.to(value.device());
  }
  launched(backend(value.device()).accumulate({weight, arg(value), arg(sums_), arg(counts_)}),
           "metric", value);
  empty_ = false;
  ++sums_.impl().block->version;
  ++counts_.impl().block->version;
}

Tensor SummedMetric::sum_of_weights() const { return counts_.select(0, 0); }

void SummedMetric::reset() {
  empty_ = true;
  if (!sums_.defined()) return;
  const NoGrad no_grad;
  sums_.zero_();
  counts_.zero_();
  counts_.select(0, 2).fill_(-1);
}

void SummedMetric::forget() {
  sums_ = counts_ = {};
  empty_ = true;
}

int64_t SummedMetric::batch_count() const {
  return counts_.defined() ? counts_.select(0, 1).item<int64_t>() : 0;
}

int64_t SummedMetric::first_bad_batch() const {
  return counts_.defined() ? counts_.select(0, 2).item<int64_t>() : -1;
}

std::vector<std::pair<std::string, Tensor>> SummedMetric::state() const {
  if (!sums_.defined()) return {};
  return {{"sums", sums_}, {"counts", counts_}};
}

void SummedMetric::load_state(const std::vector<std::pair<std::string, Tensor>>& state) {
  Tensor sums, counts;
  for (const auto& [name, tensor] : state) {
    check(tensor.dtype() == kFloat64 && (name == "sums" || tensor.numel() == 3),
          {"metric: a state '", name, "' of ", tensor.dtype(), " ", tensor.shape()});
    (name == "sums" ? sums : counts) = tensor.clone().to(device());
  }
  check(sums.defined() == counts.defined(), {"metric: the state lacks its sums or its counts"});
  sums_ = sums;
  counts_ = counts;
  empty_ = state.empty();
}

EpochFn::EpochFn(const std::string& name) : is_mean_(name == "mean") {
  check(is_mean_ || name == "sum",
        {"metric: epoch_fn is 'mean', 'sum' or a function, not '", name, "'"});
  if (is_mean_)
    function_ = [](const Tensor& sum, const Tensor& count) { return sum / count; };
  else
    function_ = [](const Tensor& sum, const Tensor&) { return sum.clone(); };
}

void EpochFn::check_function() const {
  check(static_cast<bool>(function_), {"metric: an empty function for the epoch"});
}

CallableCoreMetric::CallableCoreMetric(MetricFunction function, bool higher_is_better,
                                       bool requires_grad, EpochFn epoch_fn, Device device)
    : SummedMetric(higher_is_better, requires_grad, device),
      function_(std::move(function)),
      epoch_fn_(std::move(epoch_fn)) {
  check(static_cast<bool>(function_), {"metric: an empty function"});
}

void CallableCoreMetric::batch_update(const MetricResult& result, double weight) {
  SummedMetric::batch_update(result, epoch_fn_.is_mean() ? weight : 1);
}

Tensor CallableCoreMetric::epoch_result() {
  const NoGrad no_grad;
  if (!has_batches()) return {};
  const Tensor count = sum_of_weights().clone();
  if (!epoch_fn_.is_mean()) return epoch_fn_(sums().clone(), count);
  return epoch_fn_(sums().dim() == 0 ? sums().unsqueeze(0) : sums(), count);
}

std::shared_ptr<CoreMetric> CallableCoreMetric::clone() const {
  auto copy = std::make_shared<CallableCoreMetric>(*this);
  copy->forget();
  return copy;
}

StubMetric::StubMetric(bool higher_is_better, Device device)
    : CallableCoreMetric(
          [](const Tensor&, const Tensor&) -> MetricResult {
            fail(Fault::order, {"Stub metrics cannot be called. These need to be computed in the "
                                "model_algorithm!"});
          },
          higher_is_better, false, "mean", device) {}

std::shared_ptr<CoreMetric> StubMetric::clone() const {
  return std::make_shared<StubMetric>(higher_is_better(), device());
}

bool AnyMetric::is_max(std::string_view direction) {
  check(direction == "min" || direction == "max",
        {"metrics: Expected 'min'/'max', got: ", direction});
  return direction == "max";
}

}  // namespace levin::inline v0

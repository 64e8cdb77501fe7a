#include "lme.h"

#include "../autograd/ops.h"
#include "callbacks/metadata.h"
#include "summary.h"
#include "trainer.h"

namespace levin::inline v0 {
namespace {

data::Batch detached(const data::Batch& batch) {
  data::Batch result = batch;
  for (Tensor& tensor : result)
    if (tensor.defined()) tensor = tensor.detach();
  return result;
}

MetricResult detached(const MetricResult& result) {
  if (!result.is_list())
    return result.tensor().defined() ? MetricResult(result.tensor().detach()) : MetricResult();
  std::vector<MetricResult> items;
  for (const MetricResult& item : result.list()) items.push_back(detached(item));
  return items;
}

}  // namespace

LME::LME(nn::AnyModule base_model)
    : base_model_(std::move(base_model)), metadata_(std::make_shared<MetadataCallback>()) {
  check(static_cast<bool>(base_model_), {"LME: Expected a nn.Module, got an empty one"});
  check(!dynamic_cast<LME*>(&*base_model_),
        {"Cannot have nested LME modules. LME must extend only a basic nn::Module"});
  set_name("model");
}

LME::~LME() {
  if (trainer_) trainer_->forget_model();
}

Device LME::device() const {
  const std::vector<Tensor> all = parameters();
  return all.empty() ? kCPU : all[0].device();
}

int64_t LME::num_trainable_params() const { return trainable_parameters(*this); }

std::string LME::summary() const { return layer_table(base_model()); }

MetricResults LME::lme_metrics(const Tensor& y, const Tensor& gt, bool include_loss) const {
  MetricResults results;
  for (const auto& [name, metric] : metrics) {
    const Where where(name, "metric");
    if (metric->requires_grad()) {
      results[name] = metric->forward(y, gt);
    } else {
      const NoGrad no_grad;
      results[name] = metric->forward(y, gt);
    }
  }
  if (include_loss) results["loss"] = criterion_fn(y, gt);
  return results;
}

void LME::set_cache_result(const AlgorithmOutput& output) {
  if (!cache_result_) cache_result_.emplace();
  cache_result_->y = detached(output.y);
  cache_result_->x = detached(output.x);
  cache_result_->gt = detached(output.gt);
  for (const auto& [name, result] : output.metrics) cache_result_->metrics[name] = detached(result);
}

void LME::configure_optimizers() {
  check(
      static_cast<bool>(optimizer),
      {"No optimizer was set: use model.optimizer = optim::SGD(model.parameters(), {.lr = 0.01})"});
}

Trainer& LME::trainer() const {
  if (!trainer_) fail(Fault::order, {"LME is not attached to a `Trainer`."});
  return *trainer_;
}

}  // namespace levin::inline v0

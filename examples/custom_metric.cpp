// Metrics: functions of a batch, LME's class metrics, and one of one's own.
#include <levin/levin.h>

#include <iostream>

using namespace levin;

/// The largest error of an epoch. What a metric keeps are tensors: they are read once an epoch.
class WorstError : public CoreMetric {
 public:
  WorstError() : CoreMetric(/*higher_is_better=*/false) {}

  MetricResult forward(const Tensor& y, const Tensor& gt) override {
    return (y.softmax(-1) - one_hot(gt, y.shape()[1]).to(y.dtype())).abs().max();
  }
  void batch_update(const MetricResult& batch, double /*weight*/ = 1) override {
    if (batch.is_nothing()) return;
    worst = worst.defined() ? maximum(worst, batch.tensor()) : batch.tensor();
  }
  Tensor epoch_result() override { return worst; }
  void reset() override { worst = {}; }
  std::shared_ptr<CoreMetric> clone() const override { return std::make_shared<WorstError>(); }
  std::vector<std::pair<std::string, Tensor>> state() const override {
    if (!worst.defined()) return {};
    return {{"worst", worst}};
  }
  void load_state(const std::vector<std::pair<std::string, Tensor>>& state) override {
    worst = state.empty() ? Tensor() : state[0].second;
  }

 private:
  Tensor worst;
};

int main() {
  // Three classes: which of three numbers is the largest.
  const Tensor x = randn({300, 3}), gt = x.argmax(1);
  const data::DataLoader loader(data::TensorDataset(x, gt), {.batch_size = 32, .shuffle = true});

  LME model(nn::Sequential(nn::Linear(3, 16), nn::ReLU(), nn::Linear(16, 3)));
  model.criterion_fn = nn::CrossEntropyLoss();
  model.optimizer = optim::Adam(model.parameters(), {.lr = 0.01});
  model.metrics = {
      {"accuracy", MultiClassAccuracy(3)},
      {"f1", MultiClassF1Score(3)},
      {"confusion", MultiClassConfusionMatrix(3)},  // a matrix: in fit_metadata.json only
      {"worst_error", WorstError()},
      {"confidence",
       {[](auto& y, auto& gt) { return y.softmax(-1).gather(1, gt.unsqueeze(1)).mean(); }, "max"}},
  };
  model.model_algorithm = feed_forward;
  model.checkpoint_monitors = {"loss", "f1"};

  Trainer trainer({.max_epochs = 5});
  trainer.fit(model, loader, loader);
  for (const auto& [name, value] : trainer.callback_metrics())
    std::cout << name << " " << value << "\n";
}

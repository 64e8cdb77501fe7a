// After training: results on data that the model has not seen, with the weights of the best epoch,
// and predictions.
#include <levin/levin.h>

#include <iostream>

using namespace levin;

int main() {
  manual_seed(1);
  const auto loader = [](int64_t n) {
    const Tensor x = randn({n, 4});
    return data::DataLoader(data::TensorDataset(x, x.pow(2).sum(1, true)), {.batch_size = 32});
  };
  LME model(nn::Sequential(nn::Linear(4, 32), nn::Tanh(), nn::Linear(32, 1)));
  model.criterion_fn = nn::MSELoss();
  model.optimizer = optim::Adam(model.parameters(), {.lr = 0.01});
  model.metrics = {{"l1", {[](auto& y, auto& gt) { return (y - gt).abs().mean(); }, "min"}}};
  model.model_algorithm = feed_forward;
  model.callbacks = {EarlyStopping({.monitor = "val_loss", .patience = 5}), PlotMetrics(),
                     HtmlReport()};

  Trainer trainer({.max_epochs = 40});
  trainer.fit(model, loader(512), loader(128));

  // Prints a table; the row also goes to test_metrics.csv.
  const auto results = trainer.test(model, loader(256), {.ckpt_path = "best"});
  std::cout << "test loss " << results[0]["loss"] << "\n";

  const std::vector<data::Batch> predictions = trainer.predict(model, loader(64));
  std::cout << predictions.size() << " batches, the first of shape ["
            << predictions[0].tensor().shape()[0] << ", 1]\n";
}

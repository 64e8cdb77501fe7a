// The same training from five seeds, two at a time where there are two cores; the best one is kept.
#include <levin/levin.h>

#include <iostream>

using namespace levin;

int main() {
  const Tensor x = randn({200, 4});
  const Tensor gt = x.sin() + 0.1 * randn({200, 4});
  const data::DataLoader train_loader(data::TensorDataset(x[{Slice(0, 160)}], gt[{Slice(0, 160)}]),
                                      {.batch_size = 16, .shuffle = true});
  const data::DataLoader val_loader(data::TensorDataset(x[{Slice(160)}], gt[{Slice(160)}]),
                                    {.batch_size = 40});

  LME model(nn::Sequential(nn::Linear(4, 16), nn::Tanh(), nn::Linear(16, 4)));
  model.criterion_fn = [](auto& y, auto& gt) { return (y - gt).pow(2).mean(); };
  model.optimizer = optim::Adam(model.parameters(), {.lr = 0.01});
  model.metrics = {{"l1", {[](auto& y, auto& gt) { return (y - gt).abs().mean(); }, "min"}}};
  model.model_algorithm = feed_forward;

  // Each run has callbacks of its own; it lies in lightning_logs/version_0/MultiTrainer/<run>.
  MultiTrainer runs({.max_epochs = 5, .logger = CSVLogger("")}, 5,
                    {.relevant_metric = "l1", .seed = 42, .callbacks = [](int64_t /*run*/) {
                       return std::vector<AnyCallback>{PlotMetrics()};
                     }});
  runs.fit(model, train_loader, val_loader);

  for (int64_t i = 0; i < runs.size(); ++i)
    std::cout << "run " << i << ": l1 " << runs.fit_metrics()[i]["l1"]
              << (i == runs.best_id() ? " (the best)\n" : "\n");
  runs.test(model, val_loader, {.ckpt_path = "best"});
}

// LME's model_algorithm example: what happens with a batch is the user's own function.
#include <levin/levin.h>

#include <iostream>

using namespace levin;

class RandomDataset : public data::Dataset {
 public:
  RandomDataset(int64_t n, int64_t in_channels, int64_t out_channels)
      : n(n), in_channels(in_channels), out_channels(out_channels) {}

  int64_t size() const override { return n; }

  data::Batch get(int64_t /*ix*/, Generator& /*generator*/) const override {
    return {randn({in_channels}), randn({out_channels})};
  }

 private:
  int64_t n, in_channels, out_channels;
};

AlgorithmOutput my_model_algo(LME& model, const data::Batch& batch) {
  const auto& [x, gt] = batch;
  const Tensor y = model(x);
  MetricResults metrics = model.lme_metrics(y, gt, /*include_loss=*/false);
  metrics["loss"] = model.criterion_fn(y, gt);
  return {y, metrics, x, gt};
}

int main() {
  const int64_t n = 100, in_channels = 5, out_channels = 10;
  const data::DataLoader train_loader(RandomDataset(n, in_channels, out_channels),
                                      {.batch_size = 10});
  const data::DataLoader val_loader(RandomDataset(n, in_channels, out_channels),
                                    {.batch_size = 10});

  LME model(nn::Linear(in_channels, out_channels));
  model.criterion_fn = [](auto& y, auto& gt) { return (y - gt).pow(2).mean(); };
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.01});
  model.metrics = {
      {"l1", {[](auto& y, auto& gt) { return (y - gt).abs().mean(); }, "min"}},
      {"accuracy_like",
       {[](auto& y, auto& gt) { return ((y > 0.5) == (gt > 0.5)).to(kFloat32).mean(); }, "max"}},
  };
  model.model_algorithm = my_model_algo;
  model.callbacks = {PlotMetrics()};
  std::cout << model.summary() << "\n";

  Trainer({.max_epochs = 10, .logger = CSVLogger("")}).fit(model, train_loader, val_loader);
}

// Reads handwritten digits: an MLP trained on 1,500 of the 1,797 images of data/digits.csv and tested
// on the others, which it never sees in training.
#include <levin/levin.h>

#include <iostream>

using namespace levin;

namespace {

// Images [n, 64] scaled to [0, 1], and digits [n].
data::TensorDataset dataset_of(const Tensor& table, int64_t start, int64_t count) {
  const Tensor rows = table.narrow(0, start, count);
  return data::TensorDataset(rows.narrow(1, 0, 64).to(kFloat32) / 16,
                             rows.select(1, 64).to(kInt64));
}

Tensor accuracy(const Tensor& y, const Tensor& gt) {
  return (y.argmax(-1) == gt).to(kFloat32).mean();
}

}  // namespace

int main() {
  manual_seed(42);
  const Tensor table = data::read_csv(DIGITS_CSV);
  const Tensor shuffled = table.index_select(0, randperm(table.size(0)));
  const data::DataLoader train_loader(dataset_of(shuffled, 0, 1500),
                                      {.batch_size = 50, .shuffle = true});
  const data::DataLoader val_loader(dataset_of(shuffled, 1500, 297), {.batch_size = 99});

  LME model(nn::Sequential{nn::Linear(64, 96), nn::ReLU(), nn::Linear(96, 10)});
  model.criterion_fn = [](auto& y, auto& gt) { return cross_entropy(y, gt); };
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.1, .momentum = 0.9});
  model.metrics = {{"accuracy", {accuracy, "max"}}};
  model.checkpoint_monitors = {"accuracy", "loss"};
  model.model_algorithm = [](LME& model, const data::Batch& batch) -> AlgorithmOutput {
    const auto& [x, gt] = batch;
    const Tensor y = model(x);
    return {y, model.lme_metrics(y, gt), x, gt};
  };
  model.callbacks = {PlotMetrics()};
  std::cout << model.summary() << "\n";

  Trainer trainer({.max_epochs = 30});
  trainer.fit(model, train_loader, val_loader);

  const double held_out = *trainer.callback_metric("val_accuracy");
  std::cout << "accuracy on the 297 held-out digits: " << 100 * held_out << " %\n";
  return held_out >= 0.95 ? 0 : 1;
}

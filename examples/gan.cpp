// Two optimizers: a generator learns to draw numbers like those of a data set, while a discriminator
// learns to tell them apart. One algorithm gives one loss of both; each optimizer steps its own part.
#include <levin/levin.h>

#include <cmath>
#include <iostream>

using namespace levin;

struct Gan : nn::Module {
  nn::Sequential generator{nn::Linear(4, 16), nn::ReLU(), nn::Linear(16, 1)};
  nn::Sequential discriminator{nn::Linear(1, 16), nn::ReLU(), nn::Linear(16, 1)};

  void members(nn::Members& m) override {
    m("generator", generator)("discriminator", discriminator);
  }
  Tensor forward(const Tensor& noise) override { return generator(noise); }
};

// Judges without learning: gradients go through to the judged, not to the discriminator.
Tensor judged(Gan& gan, const Tensor& numbers) {
  gan.discriminator.requires_grad_(false);
  const Tensor judgement = gan.discriminator(numbers);
  gan.discriminator.requires_grad_(true);
  return judgement;
}

std::optional<AlgorithmOutput> adversarial(LME& model, const data::Batch& batch) {
  auto& gan = dynamic_cast<Gan&>(model.base_model());
  const Tensor& real = batch.tensor();
  const Tensor drawn = model(randn({real.shape()[0], 4}).to(real.device()));
  const Tensor d_loss =
      (gan.discriminator(real) - 1).pow(2).mean() + gan.discriminator(drawn.detach()).pow(2).mean();
  const Tensor g_loss = (judged(gan, drawn) - 1).pow(2).mean();

  MetricResults metrics;
  metrics["d_loss"] = d_loss.detach();
  metrics["g_loss"] = g_loss.detach();
  metrics["mean"] = drawn.detach().mean();
  metrics["loss"] = d_loss + g_loss;
  return AlgorithmOutput{drawn, metrics, {}, real};
}

int main() {
  manual_seed(1);
  const data::DataLoader loader(data::TensorDataset(data::Batch(randn({512, 1}) * 0.5 + 3)),
                                {.batch_size = 64, .shuffle = true});
  Gan gan;
  LME model(gan);  // shares the parameters
  model.optimizer = std::vector<optim::AnyOptimizer>{
      optim::Adam(gan.generator.parameters(), {.lr = 0.01, .betas = {0.5, 0.999}}),
      optim::Adam(gan.discriminator.parameters(), {.lr = 0.01, .betas = {0.5, 0.999}})};
  model.metrics = {{"d_loss", {nullptr, "min"}},
                   {"g_loss", {nullptr, "min"}},
                   {"mean", {nullptr, "min"}}};  // computed by the algorithm
  model.model_algorithm = adversarial;

  Trainer trainer({.max_epochs = 40, .enable_model_summary = false});
  trainer.fit(model, loader);
  const double mean = trainer.callback_metrics()["mean"];
  std::cout << "mean of the drawn numbers " << mean << ", of the real ones 3\n";
  return std::abs(mean - 3) < 1 ? 0 : 1;
}

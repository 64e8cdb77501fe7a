// A run that is interrupted in the middle of an epoch and goes on as if nothing had happened: its
// parameters are, bit for bit, those of a run without a break.
#include <levin/levin.h>

#include <filesystem>
#include <iostream>

using namespace levin;

class Run {
 public:
  Run()
      : model(nn::Sequential(nn::Linear(8, 32), nn::ReLU(), nn::Dropout(0.2), nn::Linear(32, 1))) {
    model.criterion_fn = nn::MSELoss();
    model.optimizer = optim::AdamW(model.parameters(), {.lr = 0.01});
    model.scheduler = {.scheduler = optim::CosineAnnealingLR(model.optimizer, {.T_max = 6})};
    model.model_algorithm = feed_forward;
  }

  // Trains to the end, or until `batches` batches are done.
  void train(const std::string& folder, const std::string& ckpt_path = "", int64_t batches = -1) {
    model.reset_parameters(/*seed=*/1);
    const Tensor x = randn({200, 8}), gt = x.sum(1, true).sin();
    const data::DataLoader loader(data::TensorDataset(x, gt),
                                  {.batch_size = 16, .shuffle = true, .seed = 3});
    Trainer trainer({.max_epochs = 6,
                     .logger = CSVLogger(folder, {.version = 0}),
                     .enable_progress_bar = false,
                     .enable_model_summary = false});
    trainer.start(model, loader, {}, {.ckpt_path = ckpt_path});
    while (trainer.advance())
      if (trainer.batches_done() == batches) trainer.interrupt();  // writes last.ckpt
    last_checkpoint = trainer.log_dir() + "/checkpoints/last.ckpt";
  }

  LME model;
  std::string last_checkpoint;
};

int main() {
  Run straight, interrupted, resumed;
  straight.train("straight");
  interrupted.train("interrupted", "", 40);  // in the fourth epoch of 13 batches each
  resumed.train("resumed", interrupted.last_checkpoint);

  bool equal = true;
  for (std::size_t i = 0; i < straight.model.parameters().size(); ++i)
    equal &= (straight.model.parameters()[i] == resumed.model.parameters()[i]).all().item<bool>();
  std::cout << "parameters of both runs are " << (equal ? "equal" : "different") << "\n";
  return equal ? 0 : 1;
}

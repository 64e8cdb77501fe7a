// The fit loop: slices, what counts and what does not.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>

#include <cmath>
#include <fstream>

#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

using Lines = std::vector<std::string>;

TEST(Trainer, CallbacksKeepTheUsersOrder) {
  struct Named : Callback {
    Named(std::string name, Lines* lines) : name(std::move(name)), lines(lines) {}
    void on_fit_start(Trainer&, LME&) override { lines->push_back(name); }
    std::string name;
    Lines* lines;
  };
  const Scratch folder;
  Lines lines;
  LME model(nn::Linear(5, 10));
  make_seed(model);
  model.callbacks = {Named("z", &lines), Named("a", &lines), Named("m", &lines)};
  Trainer(quiet(folder.path(), 1)).fit(model, normal_loader(10, 5, 10));
  EXPECT_EQ(lines, (Lines{"z", "a", "m"}));
}

TEST(Trainer, SlicesGiveTheSameBitsAsOneFit) {
  const Scratch folder;
  const auto train = normal_loader(50, 5, 10, {.batch_size = 10, .shuffle = true, .seed = 3});
  std::vector<std::vector<double>> results;
  for (const bool slices : {false, true}) {
    manual_seed(1);
    LME model(nn::Linear(5, 10));
    make_seed(model);
    Trainer trainer(quiet(folder.path(), 3));
    if (slices) {
      trainer.start(model, train, train);
      int count = 0;
      while (trainer.run_for(std::chrono::nanoseconds(1))) ++count;
      EXPECT_GT(count, 30);
    } else {
      trainer.fit(model, train, train);
    }
    EXPECT_EQ(trainer.current_epoch(), 3);
    EXPECT_EQ(trainer.global_step(), 15);
    results.push_back(parameters_of(model));
  }
  EXPECT_EQ(results[0], results[1]);
}

TEST(Trainer, SanityCheckChangesNothing) {  // Q1
  const Scratch folder;
  std::vector<std::vector<double>> results;
  std::vector<double> val_losses;
  for (const int64_t steps : {0, 2, -1}) {
    manual_seed(5);
    LME model(nn::Linear(5, 10));
    make_seed(model);
    TrainerOptions options = quiet(folder.path(), 1);
    options.num_sanity_val_steps = steps;
    Trainer trainer(options);
    trainer.fit(model, normal_loader(30, 5, 10, {.batch_size = 10, .shuffle = true, .seed = 1}),
                normal_loader(30, 5, 10, {.batch_size = 10, .shuffle = true, .seed = 2}, 9));
    val_losses.push_back(*trainer.callback_metric("val_loss"));
    results.push_back(parameters_of(model));
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
  EXPECT_EQ(val_losses[0], val_losses[1]);
  EXPECT_EQ(val_losses[0], val_losses[2]);
}

TEST(Trainer, SkippedBatchesCountAsBatchesOnly) {
  const Scratch folder;
  LME model(nn::Linear(5, 10));
  make_seed(model);
  int calls = 0;
  model.model_algorithm = [&](LME& model,
                              const data::Batch& batch) -> std::optional<AlgorithmOutput> {
    if (calls++ % 2 == 0) return std::nullopt;
    return plain_algorithm(model, batch);
  };
  Trainer trainer(quiet(folder.path(), 1));
  trainer.fit(model, normal_loader(100, 5, 10));
  EXPECT_EQ(calls, 10);
  EXPECT_EQ(trainer.global_step(), 5);
  std::ifstream csv(folder / "lightning_logs/version_0/metrics.csv");
  std::string header, row;
  std::getline(csv, header);
  std::getline(csv, row);
  EXPECT_NE(row.find(",9\r"), std::string::npos) << row;  // step counts all ten
}

TEST(Trainer, SparseValidationLeavesCellsEmpty) {
  const Scratch folder;
  LME model(nn::Linear(5, 10));
  make_seed(model);
  TrainerOptions options = quiet(folder.path(), 3);
  options.check_val_every_n_epoch = 2;
  Trainer(options).fit(model, normal_loader(20, 5, 10), normal_loader(20, 5, 10));
  const std::string csv = read_whole(folder / "lightning_logs/version_0/metrics.csv");
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  for (const bool validated : {false, true, false}) {
    std::getline(lines, line);
    EXPECT_EQ(line.ends_with(",,,\r"), !validated) << line;
  }
}

TEST(Trainer, TheSanityCheckDrawsNoNumbers) {
  struct Drawing : data::Dataset {
    int64_t size() const override { return 30; }
    data::Batch get(int64_t, Generator&) const override { return {}; }
    data::Batch get_batch(const Tensor& index) const override {
      return {randn({index.numel(), 5}), randn({index.numel(), 10})};
    }
  };
  struct DrawingHooks : Callback {
    void on_validation_start(Trainer& trainer, LME&) override {
      if (trainer.stage() == Stage::sanity_check) randn({3});
    }
  };
  std::vector<std::vector<double>> results;
  for (const int64_t steps : {0, 2}) {
    const Scratch folder;
    manual_seed(1);
    LME model(nn::Linear(5, 10));
    make_seed(model);
    model.callbacks = {DrawingHooks()};
    TrainerOptions options = quiet(folder.path(), 1);
    options.num_sanity_val_steps = steps;
    Trainer(options).fit(model, {Drawing(), {.batch_size = 10}}, {{Drawing(), {.batch_size = 10}}});
    results.push_back(parameters_of(model));
  }
  EXPECT_EQ(results[0], results[1]);
}

TEST(Trainer, ModesOfPartsAreKept) {
  const Scratch folder;
  LME model(nn::Sequential{nn::Linear(5, 7), nn::Tanh(), nn::Linear(7, 10)});
  make_seed(model);
  nn::Module& frozen = *model.base_model().named_children()[1].second;
  frozen.eval();
  Trainer(quiet(folder.path(), 1)).fit(model, normal_loader(20, 5, 10), normal_loader(20, 5, 10));
  EXPECT_FALSE(frozen.is_training());
  EXPECT_TRUE(model.is_training());
  EXPECT_TRUE(model.base_model().named_children()[0].second->is_training());
}

}  // namespace
}  // namespace levin

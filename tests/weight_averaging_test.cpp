// WeightAveraging: what is averaged when, what is validated, what is saved.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/train/console/log.h>

#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

namespace fs = std::filesystem;
using Numbers = std::vector<double>;

// What the parameters are at each moment.
struct Watch : Callback {
  void on_train_batch_end(Trainer&, LME& model, const AlgorithmOutput*, const data::Batch&,
                          int64_t) override {
    steps.push_back(parameters_of(model));
  }
  void on_validation_batch_start(Trainer& trainer, LME& model, const data::Batch&, int64_t batch,
                                 int64_t) override {
    if (!trainer.sanity_checking() && batch == 0) validated.push_back(parameters_of(model));
  }
  std::vector<Numbers> steps, validated;
};

struct Fit {
  Scratch folder;
  std::shared_ptr<Watch> watch = std::make_shared<Watch>();
  std::vector<AnyCallback> callbacks = {};
  Numbers parameters;
  std::string dir, csv_val;
  double best = 0;

  void fit(const AnyCallback& averaging, int64_t epochs = 3, const std::string& ckpt_path = "",
           bool validates = true) {
    manual_seed(3);
    LME model(nn::Sequential(nn::Linear(5, 3), nn::Tanh(), nn::Linear(3, 10)));
    make_seed(model);
    model.optimizer = optim::SGD(model.parameters(), {.lr = 0.3, .momentum = 0.5});
    *watch = {};
    model.callbacks = {watch, averaging};
    for (const AnyCallback& each : callbacks) model.callbacks += each;
    TrainerOptions options = quiet(folder.path(), epochs);
    options.precision = "64-true";
    Trainer trainer(std::move(options));
    const auto val = normal_loader(20, 5, 10, {}, 2);
    trainer.fit(model, normal_loader(40, 5, 10, {.batch_size = 10, .shuffle = true}),
                validates ? data::Loaders(val) : data::Loaders(), {.ckpt_path = ckpt_path});
    parameters = parameters_of(model);
    dir = trainer.log_dir() + "/checkpoints/";
    if (const auto score = trainer.callback_metric("val_loss")) best = *score;
  }
};

// The average of `steps` as it is after each step, by the formula.
std::vector<Numbers> averages(const std::vector<Numbers>& steps, std::optional<double> decay,
                              const std::function<bool(std::size_t)>& updates) {
  std::vector<Numbers> all;
  Numbers average;
  int count = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (updates(i)) {
      if (average.empty()) average = steps[i];
      const double weight = decay ? 1 - *decay : 1.0 / (count + 1);
      if (count++ > 0)
        for (std::size_t k = 0; k < average.size(); ++k)
          average[k] += weight * (steps[i][k] - average[k]);
    }
    all.push_back(average.empty() ? steps[i] : average);
  }
  return all;
}

void expect_near(const Numbers& got, const Numbers& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-14);
}

Numbers weights_in(const std::string& path) {
  Numbers numbers;
  for (const auto& [name, tensor] : load_checkpoint_file(path).with_prefix("state_dict."))
    for (const double number : tensor.to_vector<double>()) numbers.push_back(number);
  return numbers;
}

TEST(WeightAveraging, TheAveragesAreValidatedAndRemain) {
  Fit plain;
  struct Nothing : Callback {};
  plain.fit(Nothing());
  struct Case {
    AnyCallback averaging;
    std::optional<double> decay;
    std::function<bool(std::size_t)> updates;
  };
  const Case cases[] = {
      {EMAWeightAveraging({.decay = 0.75}), 0.75, [](std::size_t) { return true; }},
      {WeightAveraging(), {}, [](std::size_t) { return true; }},
      {EMAWeightAveraging({.decay = 0.5, .update_every_n_steps = 3}), 0.5,
       [](std::size_t i) { return i % 3 == 0; }},
      {EMAWeightAveraging({.decay = 0.5, .update_starting_at_step = 6}), 0.5,
       [](std::size_t i) { return i >= 6; }},
      {EMAWeightAveraging({.decay = 0.5, .update_starting_at_epoch = 1}), 0.5,
       [](std::size_t i) { return i >= 4; }}};
  for (const Case& each : cases) {
    Fit run;
    run.fit(each.averaging);
    EXPECT_EQ(run.watch->steps, plain.watch->steps);  // training goes on with its own parameters
    const auto expected = averages(plain.watch->steps, each.decay, each.updates);
    for (std::size_t epoch = 0; epoch < 3; ++epoch)
      expect_near(run.watch->validated.at(epoch), expected[4 * epoch + 3]);
    expect_near(run.parameters, expected.back());
  }
}

TEST(WeightAveraging, CheckpointsHoldTheAveragesThatWereValidated) {
  Fit run;
  run.fit(EMAWeightAveraging({.decay = 0.75}));
  std::vector<std::string> best;
  for (const auto& file : fs::directory_iterator(run.dir))
    if (const std::string name = file.path().filename(); name.starts_with("epoch"))
      best.push_back(name);
  ASSERT_EQ(best.size(), 1u);
  const std::size_t epoch = static_cast<std::size_t>(best[0][6] - '0');
  EXPECT_EQ(weights_in(run.dir + best[0]), run.watch->validated.at(epoch));
  EXPECT_EQ(weights_in(run.dir + "last.ckpt"), run.parameters);
  const Checkpoint last = load_checkpoint_file(run.dir + "last.ckpt");
  Numbers trained;
  for (const auto& [name, tensor] : last.with_prefix("callbacks.EMAWeightAveraging."))
    for (const double number : tensor.to_vector<double>()) trained.push_back(number);
  EXPECT_EQ(trained, run.watch->steps.back());
  EXPECT_EQ(last.with_prefix("callbacks.EMAWeightAveraging.0.weight").size(), 1u);
  EXPECT_EQ(load_checkpoint_file(run.dir + best[0]).with_prefix("callbacks.").size(), 0u);
}

// Saves in a training batch, in a validation batch, and when a validation ends.
struct Saver : Callback {
  explicit Saver(std::string folder) : folder(std::move(folder)) {}
  void on_train_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                          int64_t batch) override {
    if (trainer.current_epoch() == 1 && batch == 1) trainer.save_checkpoint(folder + "/batch");
  }
  void on_validation_batch_end(Trainer& trainer, LME&, const AlgorithmOutput*, const data::Batch&,
                               int64_t batch, int64_t) override {
    if (trainer.current_epoch() == 1 && batch == 0) trainer.save_checkpoint(folder + "/validating");
  }
  void on_validation_end(Trainer& trainer, LME&) override {
    if (trainer.current_epoch() == 1) trainer.save_checkpoint(folder + "/validated");
  }
  std::string folder;
};

TEST(WeightAveraging, AResumedRunGoesOnExactly) {  // L28
  const AnyCallback averaging = EMAWeightAveraging({.decay = 0.75, .update_starting_at_step = 2});
  Fit run;
  run.callbacks = {Saver(run.folder.path())};
  set_log_sink([](LogLevel, std::string_view) {});
  run.fit(averaging, 4);
  const Fit& whole = run;
  const Numbers parameters = run.parameters, last = weights_in(run.dir + "last.ckpt");
  const auto steps = run.watch->steps, validated = run.watch->validated;
  const double best = whole.best;
  run.callbacks = {};
  for (const char* file : {"batch", "validating", "validated"}) {
    SCOPED_TRACE(file);
    run.fit(averaging, 4, run.folder / file);
    EXPECT_EQ(run.parameters, parameters);
    EXPECT_EQ(run.watch->steps.back(), steps.back());
    EXPECT_EQ(run.watch->validated.back(), validated.back());
    EXPECT_EQ(weights_in(run.dir + "last.ckpt"), last);
    EXPECT_EQ(run.best, best);
  }
  run.fit(averaging, 2);
  const std::string half = run.dir + "last.ckpt";
  run.fit(averaging, 4, half);
  EXPECT_EQ(run.parameters, parameters);
  // Nothing left to do: the averages remain all the same.
  const std::string done = run.dir + "last.ckpt";
  run.fit(averaging, 4, done);
  EXPECT_EQ(run.parameters, parameters);
  // From within a validation that the run does not have any more; training is the same.
  run.fit(averaging, 4, run.folder / "validating", false);
  EXPECT_EQ(run.watch->steps.back(), steps.back());
  EXPECT_EQ(run.parameters, parameters);
  set_log_sink(nullptr);
}

TEST(WeightAveraging, AfterAnExceptionTheModelHasItsTrainingWeights) {
  struct Failing : Callback {
    void on_validation_batch_end(Trainer& trainer, LME& model, const AlgorithmOutput*,
                                 const data::Batch&, int64_t, int64_t) override {
      if (trainer.sanity_checking()) return;
      averages = parameters_of(model);
      throw std::runtime_error("no");
    }
    Numbers averages;
  };
  const Scratch folder;
  const auto failing = std::make_shared<Failing>();
  const auto watch = std::make_shared<Watch>();
  LME model(nn::Linear(5, 10));
  make_seed(model);
  model.callbacks = {watch, EMAWeightAveraging({.decay = 0.75}), failing};
  const auto loader = normal_loader(40, 5, 10);
  EXPECT_THROW(Trainer(quiet(folder.path(), 1)).fit(model, loader, loader), std::runtime_error);
  EXPECT_EQ(parameters_of(model), watch->steps.back());
  EXPECT_NE(failing->averages, watch->steps.back());
}

TEST(WeightAveraging, ATestUsesTheAveragesOfACheckpoint) {
  Fit run;
  run.fit(EMAWeightAveraging({.decay = 0.75}));
  LME model(nn::Sequential(nn::Linear(5, 3), nn::Tanh(), nn::Linear(3, 10)));
  make_seed(model);
  model.callbacks = {EMAWeightAveraging()};
  Trainer trainer(quiet(run.folder.path(), 1));
  trainer.test(model, normal_loader(20, 5, 10),
               {.ckpt_path = run.dir + "last.ckpt", .verbose = false});
  const Numbers got = parameters_of(model);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], run.parameters[i], 1e-6);
}

TEST(WeightAveraging, OptionsThatMeanNothingAreRefused) {
  EXPECT_EQ(error_of<std::invalid_argument>([] { EMAWeightAveraging({.decay = 1.5}); }),
            "WeightAveraging: decay 1.5: 0 to 1 is needed");
  EXPECT_EQ(error_of<std::invalid_argument>([] { WeightAveraging({.update_every_n_steps = 0}); }),
            "WeightAveraging: update_every_n_steps 0: at least 1");
  EXPECT_EQ(
      error_of<std::invalid_argument>([] { WeightAveraging({.update_starting_at_epoch = -1}); }),
      "WeightAveraging: a start below 0");
  Fit run;
  run.callbacks = {WeightAveraging()};
  EXPECT_THROW(run.fit(EMAWeightAveraging()), std::logic_error);
}

}  // namespace
}  // namespace levin

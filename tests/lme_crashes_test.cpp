// What users of LME expect to work and what crashes there: reference/lme/crashes.txt. All of it works
// here, but what is "not a defect" and q42, which are refused.
#include <gtest/gtest.h>
#include <levin/levin.h>
#include <levin/tensor/file.h>
#include <levin/train/files/text.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>
#include <sstream>

#include "scratch.h"
#include "seed_model.h"

namespace levin {
namespace {

namespace fs = std::filesystem;

AnyMetric l1_metric() {
  return {[](auto& y, auto& gt) { return (y - gt).abs().mean(); }, "min"};
}

// Linear(5, 10), mean squared error, metric l1, SGD; 2 batches of 10 for training and validation.
class Crashes : public testing::Test {
 protected:
  Crashes() {
    make_seed(model_);
    model_.metrics = {{"l1", l1_metric()}};
  }

  // Whatever a run writes lands in the test's folder.
  TrainerOptions options(int64_t epochs = 3) const {
    TrainerOptions options = quiet(folder_.path(), epochs);
    options.default_root_dir = folder_.path();
    return options;
  }
  optim::AnyScheduler plateau() {
    return optim::ReduceLROnPlateau(model_.optimizer, {.patience = 1});
  }
  // A fit with validation that must end well.
  void fit(const TrainerOptions& options, const std::string& ckpt_path = "") {
    Trainer trainer(options);
    trainer.fit(model_, train_, val_, {.ckpt_path = ckpt_path});
    EXPECT_EQ(trainer.status(), Status::finished);
    EXPECT_EQ(trainer.current_epoch(), *options.max_epochs);
    EXPECT_TRUE(std::isfinite(trainer.callback_metric("loss").value()));
    log_dir_ = trainer.log_dir();
  }
  std::string last() const { return log_dir_ + "/checkpoints/last.ckpt"; }
  Value metadata() const {
    const std::string path = log_dir_ + "/fit_metadata.json";
    return from_json(read_whole(path), path);
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> lines;
    std::istringstream file(read_whole(log_dir_ + "/metrics.csv"));
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  Scratch folder_;
  LME model_{nn::Linear(5, 10)};
  data::DataLoader train_ = normal_loader(20, 5, 10), val_ = normal_loader(20, 5, 10, {10}, 2);
  std::string log_dir_;
};

TEST_F(Crashes, l_accumulate) {
  TrainerOptions accumulating = options();
  accumulating.accumulate_grad_batches = 2;
  Trainer trainer(accumulating);
  trainer.fit(model_, train_, val_);
  EXPECT_EQ(trainer.global_step(), 3);  // one update of two batches in each epoch
}

TEST_F(Crashes, l_barebones) {
  TrainerOptions bare = options();
  bare.barebones = true;
  fit(bare);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

// The longest gradient that an update saw.
struct LongestGradient : Callback {
  explicit LongestGradient(double* norm) : norm(norm) {}
  void on_train_batch_end(Trainer&, LME& model, const AlgorithmOutput*, const data::Batch&,
                          int64_t) override {
    double sum = 0;
    for (const Tensor& p : model.parameters()) sum += p.grad().pow(2).sum().item();
    *norm = std::max(*norm, std::sqrt(sum));
  }
  double* norm;
};

TEST_F(Crashes, l_gradient_clip) {
  double norm = 0;
  model_.callbacks = {LongestGradient(&norm)};
  TrainerOptions clipping = options();
  clipping.gradient_clip_val = 0.5;
  fit(clipping);
  EXPECT_NEAR(norm, 0.5, 1e-5);
}

TEST_F(Crashes, no_criterion) {
  LME model(nn::Linear(5, 10));
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.01});
  model.model_algorithm = plain_algorithm;
  EXPECT_EQ(error_of<std::logic_error>([&] { Trainer(options()).fit(model, train_, val_); }),
            "No criterion fn was implemented. Use model.criterion_fn=XXX or a different "
            "model.model_algorithm that includes a loss function");
}

TEST_F(Crashes, no_optimizer) {
  LME model(nn::Linear(5, 10));
  model.model_algorithm = plain_algorithm;
  const std::string error =
      error_of<std::invalid_argument>([&] { Trainer(options()).fit(model, train_, val_); });
  EXPECT_TRUE(error.starts_with("No optimizer")) << error;
}

TEST_F(Crashes, q14_resume_fewer_metrics) {
  fit(options());
  const std::string ckpt = last(), header = lines()[0];
  model_.metrics = std::vector<NamedMetric>();
  fit(options(4), ckpt);
  ASSERT_EQ(lines().size(), 5);
  EXPECT_EQ(lines()[0], header);
  EXPECT_TRUE(lines()[4].starts_with("3,,")) << lines()[4];  // epoch, no l1
}

TEST_F(Crashes, q16_predict_none) {
  model_.model_algorithm = [](LME&, const data::Batch&) { return std::nullopt; };
  const auto predictions = Trainer(options()).predict(model_, val_);
  ASSERT_EQ(predictions.size(), 2);
  for (const data::Batch& y : predictions) EXPECT_EQ(y.size(), 0);
}

TEST_F(Crashes, q18_checkpoint_in_trainer) {
  const auto own = std::make_shared<ModelCheckpoint>(ModelCheckpointOptions{.monitor = "loss"});
  TrainerOptions with_own = options();
  with_own.callbacks = {own};
  fit(with_own);
  EXPECT_TRUE(fs::exists(own->best_model_path()));
  EXPECT_TRUE(fs::exists(last()));  // it is still written
}

TEST_F(Crashes, q25_fast_dev_run) {
  TrainerOptions fast = options();
  fast.fast_dev_run = 1;
  Trainer trainer(fast);
  trainer.fit(model_, train_, val_);
  EXPECT_EQ(trainer.global_step(), 1);
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(Crashes, q29_resume_no_logger) {
  fit(options());
  TrainerOptions no_logger = options(4);
  no_logger.logger = false;
  fit(no_logger, last());
}

TEST_F(Crashes, q31_validate) {
  fit(options());
  const auto results = Trainer(options()).validate(model_, val_, {.verbose = false});
  ASSERT_EQ(results.size(), 1);
  for (const char* name : {"val_loss", "val_l1"}) EXPECT_TRUE(results[0].find(name)) << name;
}

TEST_F(Crashes, q33_early_stopping_sparse_val) {
  TrainerOptions sparse = options();
  sparse.callbacks = {EarlyStopping({.monitor = "val_loss"})};
  sparse.check_val_every_n_epoch = 2;
  sparse.num_sanity_val_steps = 0;
  fit(sparse);
}

TEST_F(Crashes, q33_early_stopping_val_interval) {
  TrainerOptions half = options();
  half.callbacks = {EarlyStopping({.monitor = "val_loss"})};
  half.val_check_interval = 0.5;
  fit(half);
}

// A metric whose epoch result is 0-d.
struct ScalarMetric : CallableCoreMetric {
  ScalarMetric()
      : CallableCoreMetric([](auto& y, auto& gt) { return (y - gt).abs().mean(); }, false) {}
  Tensor epoch_result() override { return CallableCoreMetric::epoch_result().select(0, 0); }
  std::shared_ptr<CoreMetric> clone() const override { return std::make_shared<ScalarMetric>(); }
};

TEST_F(Crashes, q35_scalar_epoch_result) {
  model_.metrics = {{"l1", ScalarMetric()}};
  model_.checkpoint_monitors = {"l1", "loss"};
  fit(options());
  EXPECT_TRUE(metadata().at("epoch_metrics").at("l1").at("2").is_real());
}

TEST_F(Crashes, q37_two_val_loaders) {
  Trainer trainer(options(2));
  trainer.fit(model_, train_, {val_, val_});
  EXPECT_EQ(trainer.status(), Status::finished);
  log_dir_ = trainer.log_dir();
  EXPECT_EQ(metadata().at("validation_dataset_size"), Value(40));
}

TEST_F(Crashes, q42_resume_from_best) {
  Trainer trainer(options());
  trainer.fit(model_, train_, val_);
  const std::string best = trainer.best_checkpoint()->best_model_path();
  const std::string error = error_of<std::invalid_argument>([&] { fit(options(4), best); });
  EXPECT_NE(error.find("last.ckpt"), std::string::npos) << error;
}

// A metric with a constructor of its own.
struct Scaled : CoreMetric {
  explicit Scaled(double scale) : CoreMetric(false), scale(scale) {}
  MetricResult forward(const Tensor& y, const Tensor& gt) override {
    return (y - gt).abs().mean() * scale;
  }
  void batch_update(const MetricResult& result, double) override { newest = result.tensor(); }
  Tensor epoch_result() override { return newest; }
  void reset() override { newest = {}; }
  std::shared_ptr<CoreMetric> clone() const override { return std::make_shared<Scaled>(scale); }
  double scale;
  Tensor newest;
};

TEST_F(Crashes, q45_metric_with_arguments) {
  model_.metrics = {{"l1", Scaled(2)}};
  fit(options());
  EXPECT_TRUE(metadata().at("epoch_metrics").find("val_l1"));
}

TEST_F(Crashes, q47_two_learning_rates) {
  nn::Linear& linear = dynamic_cast<nn::Linear&>(model_.base_model());
  using Groups = std::vector<optim::SGD::Group>;
  model_.optimizer =
      optim::SGD(Groups{{{linear.weight}, {.lr = 0.1}}, {{linear.bias}, {.lr = 0.2}}});
  fit(options());
  const Value rates = Value::List{0.1, 0.2};
  EXPECT_EQ(metadata().at("optimizer").at("starting_lr"), rates);
  EXPECT_EQ(metadata().at("optimizer").at("lr_history"), (Value::List{rates, rates, rates}));
  EXPECT_EQ(metadata().at("best_model").at("optimizer_lr"), rates);
}

TEST_F(Crashes, q48_stub_metric_with_validation) {
  model_.metrics = {{"l1", {nullptr, "min"}}};
  model_.model_algorithm = [](LME& model, const data::Batch& batch) -> AlgorithmOutput {
    const auto& [x, gt] = batch;
    const Tensor y = model(x);
    MetricResults metrics;
    metrics["l1"] = (y - gt).abs().mean();
    metrics["loss"] = model.criterion_fn(y, gt);
    return {y, metrics, x, gt};
  };
  fit(options());
  EXPECT_TRUE(metadata().at("epoch_metrics").find("val_l1"));
}

TEST_F(Crashes, q50_module_criterion) {
  LME model(nn::Linear(5, 10));
  model.optimizer = optim::SGD(model.parameters(), {.lr = 0.01});
  model.criterion_fn = nn::MSELoss();
  model.model_algorithm = plain_algorithm;
  EXPECT_EQ(model.criterion_fn(full({2}, 3.0), full({2}, 1.0)).item(), 4);
  Trainer trainer(options());
  trainer.fit(model, train_, val_);
  EXPECT_EQ(trainer.status(), Status::finished);
}

TEST_F(Crashes, q51_path_in_hparams) {
  model_.hparams["where"] = fs::path("x").string();
  model_.hparams["not_in_json"] = std::numeric_limits<double>::infinity();
  fit(options());
  const Value hparams = metadata().at("best_model").at("hyper_parameters");
  EXPECT_EQ(hparams, (Value::Map{{"where", "x"}, {"not_in_json", nullptr}}));
}

TEST_F(Crashes, q5_fit_after_exception) {
  model_.model_algorithm = [](LME&, const data::Batch&) -> std::optional<AlgorithmOutput> {
    throw std::runtime_error("a mistake of the user");
  };
  EXPECT_THROW(Trainer(options()).fit(model_, train_), std::runtime_error);
  model_.model_algorithm = plain_algorithm;
  fit(options());
}

TEST_F(Crashes, q6_plateau_unknown) {
  model_.scheduler = {.scheduler = plateau(), .monitor = "nothing"};
  const std::string error =
      error_of<std::invalid_argument>([&] { Trainer(options()).fit(model_, train_, val_); });
  EXPECT_TRUE(error.starts_with("Monitor: nothing not in metrics: ")) << error;
}

TEST_F(Crashes, q6_plateau_val_loss_without_val) {
  model_.scheduler = {.scheduler = plateau(), .monitor = "val_loss"};
  EXPECT_EQ(error_of<std::invalid_argument>([&] { Trainer(options()).fit(model_, train_); }),
            "Monitor: loss but no validation set provided");
}

TEST_F(Crashes, q6b_plateau_val_loss) {
  model_.scheduler = {.scheduler = plateau(), .monitor = "val_loss"};
  fit(options());
  EXPECT_EQ(model_.scheduler->last_epoch(), 2);  // it saw both epochs' values
}

TEST_F(Crashes, q6d_scheduler_list) {
  model_.scheduler = std::vector<SchedulerConfig>{
      {.scheduler = optim::StepLR(model_.optimizer, {.step_size = 2})}};
  fit(options());
  EXPECT_NEAR(model_.optimizer->lr(), 0.001, 1e-12);
}

TEST(CrashList, EveryCrashOfLmeHasItsTest) {
  std::set<std::string> tests, crashes;
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int i = 0; i < all.total_test_suite_count(); ++i) {
    const testing::TestSuite& suite = *all.GetTestSuite(i);
    if (suite.name() != std::string("Crashes")) continue;
    for (int k = 0; k < suite.total_test_count(); ++k) tests.insert(suite.GetTestInfo(k)->name());
  }
  std::istringstream list(read_whole(LEVIN_TEST_DIR "/reference/lme/crashes.txt"));
  for (std::string line; std::getline(list, line);) crashes.insert(line.substr(0, line.find(':')));
  EXPECT_EQ(tests, crashes);
  printf("%zu crashes and refusals of LME, each with a test\n", crashes.size());
}

}  // namespace
}  // namespace levin
